//! The writer's thread: takes what waits, lets the processor decide and commit it, and sends requests out.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use handoff_machine::request::RequestKind;
use handoff_machine::{Answer, Node};
use tokio::runtime::Handle;

use super::clock::Clock;
use super::delegates::Delegates;
use super::metrics::Counters;
use super::processor::{Outgoing, Processor};
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
    let runtime = Handle::current();
    let node = store.node();
    let mut processor = Processor::new(store, limits.clone(), history, counters);
    let next_cleanup = processor.cleanup_clock();
    let thread = std::thread::Builder::new()
        .name("engine-writer".to_owned())
        .spawn(move || {
            let _closing = Closing(Arc::clone(&queue));
            let group = limits.group_commands.max(1);
            let grace = limits.shutdown_grace;
            let scripts = Scripts::new(limits.scripts);
            let caller = Caller {
                runtime,
                node,
                delegates,
                scripts,
                queue: Arc::clone(&queue),
            };
            run(&mut processor, &*clock, &queue, &caller, group, grace);
            processor.close()
        })
        .map_err(OpenError::Thread)?;
    Ok((thread, next_cleanup))
}

/// Sends requests out.
struct Caller {
    runtime: Handle,
    node: Node,
    delegates: Arc<dyn Delegates>,
    scripts: Scripts,
    queue: Arc<CommandQueue>,
}

impl Caller {
    fn send(&self, outgoing: Outgoing) {
        let queue = Arc::clone(&self.queue);
        let (name, called) = match outgoing.request.kind {
            RequestKind::Delegate(call) => (
                format!("delegate '{}'", call.name),
                self.delegates.call(self.node, call),
            ),
            RequestKind::Script(call) => (
                format!("the script of '{}'", call.activity_id),
                self.scripts.run(call).boxed(),
            ),
        };
        self.runtime.spawn(async move {
            // Without an answer the command would wait for ever.
            let answer = AssertUnwindSafe(called)
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Answer::Failed {
                    message: format!("the call of {name} panicked"),
                });
            queue.answer(outgoing.ticket, answer);
        });
    }
}

fn run(
    processor: &mut Processor,
    clock: &dyn Clock,
    queue: &CommandQueue,
    caller: &Caller,
    group: usize,
    grace: Duration,
) {
    let mut patience = Duration::ZERO;
    let mut give_up: Option<Instant> = None;
    loop {
        let batch = queue.take(group, patience);
        let idle = batch.work.is_empty() && batch.answers.is_empty();
        let turn = processor.turn(clock.now(), batch.work, batch.answers);
        for outgoing in turn.outgoing {
            caller.send(outgoing);
        }
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
