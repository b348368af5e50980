//! Tests of which each run follows from one number, the seed.
//!
//! `HANDOFF_SEEDS=N` runs N seeds instead of the test's own number; `HANDOFF_SEED=N` runs seed N alone. With
//! `HANDOFF_TEST_LONG` (`cargo xtask test --long`) there are twenty times as many.

#![allow(clippy::panic, clippy::expect_used, reason = "a test stops at the first surprise")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// How many times as many seeds the long form runs.
const LONG: u64 = 20;

/// The stack of a run, in bytes: what a thread of the engine has, if nothing else is said.
const STACK: usize = 2 << 20;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a number in the variable"))
}

/// Runs `test` with each seed below `count`, each in a thread of its own: its name is the variable that runs the seed
/// again, and so is the first thing that is told of a panic or of a stack that overflows.
///
/// # Panics
/// A run panics, or does not end within `limit`.
pub fn each_seed(count: u64, limit: Duration, test: impl Fn(u64) + Send + Sync + 'static) {
    let (first, count) = match number("HANDOFF_SEED") {
        Some(seed) => (seed, 1),
        None => {
            let long = std::env::var_os("HANDOFF_TEST_LONG").map_or(1, |_| LONG);
            (0, number("HANDOFF_SEEDS").unwrap_or(count * long))
        }
    };
    let test = Arc::new(test);
    let (next, failed) = (AtomicU64::new(first), AtomicBool::new(false));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed - first >= count || failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let name = format!("HANDOFF_SEED={seed}");
                    let test = Arc::clone(&test);
                    if let Err(why) = run(name, limit, move || test(seed)) {
                        failed.store(true, Ordering::Relaxed);
                        panic!("seed {seed} {why}: HANDOFF_SEED={seed} runs it again");
                    }
                }
            });
        }
    });
}

/// Runs `test` on a thread of this name, with the stack of an engine's.
///
/// # Panics
/// It panics, or does not end within `limit`.
pub fn bounded(name: &str, limit: Duration, test: impl FnOnce() + Send + 'static) {
    if let Err(why) = run(name.to_owned(), limit, test) {
        panic!("{name} {why}");
    }
}

fn run(name: String, limit: Duration, test: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let (ended, end) = mpsc::channel::<()>();
    let thread = thread::Builder::new().name(name).stack_size(STACK);
    let handle = thread
        .spawn(move || {
            let _ended = ended;
            test();
        })
        .map_err(|error| format!("has no thread ({error})"))?;
    // The sender goes with the thread, whatever becomes of it; one that does not end is left to itself.
    if end.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
        return Err(format!("has not ended within {limit:?}"));
    }
    handle.join().map_err(|_| "failed".to_owned())
}
