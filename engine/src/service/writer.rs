//! The writer's thread: takes what waits, lets the processor decide and commit it, and hands on what is to be told.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::clock::Clock;
use super::delegates::Delegates;
use super::metrics::Counters;
use super::processor::Processor;
use super::publisher::{Caller, Publisher};
use super::queue::CommandQueue;
use super::scripts::Scripts;
use crate::config::Config;
use crate::store::{OpenError, Store, StoreError};

/// The longest sleep: the system's clock may jump, and does not tell.
const PATIENCE_MAX: Duration = Duration::from_secs(5);

/// Empties the queue when the thread ends, however it ends: nobody waits for an answer that cannot come.
struct Closing(Arc<CommandQueue>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// The thread, and when history is cleaned up next.
type Started = (JoinHandle<Result<(), StoreError>>, Arc<AtomicI64>);

/// Starts the thread.
pub(super) fn spawn(
    config: &Config,
    store: Store,
    clock: Arc<dyn Clock>,
    queue: Arc<CommandQueue>,
    delegates: Arc<dyn Delegates>,
    counters: Arc<Counters>,
) -> Result<Started, OpenError> {
    let waker = Arc::downgrade(&queue);
    clock.on_jump(Box::new(move || {
        if let Some(queue) = waker.upgrade() {
            queue.wake();
        }
    }));
    let limits = config.limits.clone();
    let history = config.retention.clone();
    let log = store.log().clone();
    let caller = Caller {
        runtime: Handle::current(),
        node: store.node(),
        delegates,
        scripts: Scripts::new(limits.scripts),
        queue: Arc::clone(&queue),
    };
    let publisher = Publisher::start(log, caller)?;
    let mut processor = Processor::new(store, limits.clone(), history, counters);
    let next_cleanup = processor.cleanup_clock();
    let thread = std::thread::Builder::new()
        .name("engine-writer".to_owned())
        .spawn(move || {
            let _closing = Closing(Arc::clone(&queue));
            let group = limits.group_commands.max(1);
            let grace = limits.shutdown_grace;
            run(&mut processor, &*clock, &queue, &publisher, group, grace);
            // What is decided is told before the end.
            drop(publisher);
            processor.close()
        })
        .map_err(OpenError::Thread)?;
    Ok((thread, next_cleanup))
}

fn run(
    processor: &mut Processor,
    clock: &dyn Clock,
    queue: &CommandQueue,
    publisher: &Publisher,
    group: usize,
    grace: Duration,
) {
    let mut patience = Duration::ZERO;
    let mut give_up: Option<Instant> = None;
    loop {
        let batch = queue.take(group, patience);
        let idle = batch.work.is_empty() && batch.answers.is_empty();
        let turn = processor.turn(clock.now(), batch.work, batch.answers);
        publisher.publish(turn.outbox);
        if batch.closed || processor.is_broken() {
            processor.dismiss_waiters();
            let give_up = *give_up.get_or_insert_with(|| Instant::now() + grace);
            if processor.is_broken() || idle && (!processor.is_busy() || Instant::now() >= give_up) {
                return;
            }
        }
        patience = match turn.next {
            Some(next) => {
                let millis = u64::try_from(next.saturating_sub(clock.now())).unwrap_or(0);
                Duration::from_millis(millis).min(PATIENCE_MAX)
            }
            None => PATIENCE_MAX,
        };
        if batch.closed {
            // The queue no longer waits by itself; answers still come.
            std::thread::sleep(patience.min(Duration::from_millis(5)));
        }
    }
}
