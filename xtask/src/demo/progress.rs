//! One line that says how far the orders are. On a terminal it is written over and over.

use std::{
    io::{IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::Result;
use handoff_harness::{
    Rest,
    orders::{INVENTORY_PROCESS, ORDER_PROCESS},
    pattern::Pattern,
};

/// The pause between two looks.
const PERIOD_TERMINAL: Duration = Duration::from_millis(100);
/// In a file, fewer lines say as much.
const PERIOD_FILE: Duration = Duration::from_secs(1);

/// A thread that looks and prints until it is finished.
pub(super) struct Progress {
    done: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Progress {
    pub(super) fn start(pattern: &Pattern, expected: usize) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let (order, inventory) = (pattern.order.rest().clone(), pattern.inventory.rest().clone());
        let finished = Arc::clone(&done);
        let thread = thread::spawn(move || show(&order, &inventory, expected, &finished));
        Self { done, thread }
    }

    pub(super) fn finish(self) {
        self.done.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        // It only prints; whether it panicked does not matter to the orders.
        let _ = self.thread.join();
    }
}

fn show(order: &Rest, inventory: &Rest, expected: usize, done: &AtomicBool) {
    let start = Instant::now();
    let terminal = std::io::stdout().is_terminal();
    loop {
        let last = done.load(Ordering::Relaxed);
        let seconds = start.elapsed().as_secs_f64();
        let line = line(order, inventory, expected).unwrap_or_else(|error| format!("{error:#}"));
        if terminal {
            print!("\r\x1b[2K{seconds:>6.1} s  {line}");
        } else {
            println!("{seconds:>6.1} s  {line}");
        }
        let _ = std::io::stdout().flush();
        if last {
            if terminal {
                println!();
            }
            return;
        }
        thread::park_timeout(if terminal { PERIOD_TERMINAL } else { PERIOD_FILE });
    }
}

fn line(order: &Rest, inventory: &Rest, expected: usize) -> Result<String> {
    let count = |rest: &Rest, key: &str, more: &str| {
        rest.count(&format!(
            "/history/process-instance/count?processDefinitionKey={key}{more}"
        ))
    };
    let placed = count(order, ORDER_PROCESS, "")?;
    let handed_over = count(inventory, INVENTORY_PROCESS, "")?;
    let answered = count(inventory, INVENTORY_PROCESS, "&finished=true")?;
    let ended = count(order, ORDER_PROCESS, "&finished=true")?;
    Ok(format!(
        "{placed} of {expected} placed, {handed_over} handed over, {answered} answered, {ended} ended"
    ))
}
