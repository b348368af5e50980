//! Brings commits to disk and then tells what follows from them: on the writer's thread if nothing else waits for it, and
//! otherwise on one of its own, while the writer decides the next group.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use futures::FutureExt as _;
use handoff_machine::request::RequestKind;
use handoff_machine::{Answer, Node};
use tokio::runtime::Handle;

use super::delegates::Delegates;
use super::outbox::{Outbox, Outgoing};
use super::queue::CommandQueue;
use super::scripts::Scripts;
use crate::store::{Log, OpenError};

/// Turns that may wait for one sync. The writer waits for the disk when there are more.
const AHEAD: usize = 4;

/// The way out of the engine.
pub(super) struct Publisher {
    post: Post,
    ahead: Option<SyncSender<Outbox>>,
    thread: Option<JoinHandle<()>>,
}

/// Brings to disk and tells.
#[derive(Clone)]
struct Post {
    log: Log,
    caller: Arc<Caller>,
}

impl Publisher {
    /// Starts its thread.
    pub(super) fn start(log: Log, caller: Caller) -> Result<Self, OpenError> {
        let post = Post {
            log,
            caller: Arc::new(caller),
        };
        let (ahead, turns) = sync_channel(AHEAD);
        let beside = post.clone();
        let thread = std::thread::Builder::new()
            .name("engine-sync".to_owned())
            .spawn(move || beside.run(&turns))
            .map_err(OpenError::Thread)?;
        Ok(Self {
            post,
            ahead: Some(ahead),
            thread: Some(thread),
        })
    }

    /// Tells what a turn came to, once the log is synced. May return before.
    pub(super) fn publish(&self, outbox: Outbox) {
        if outbox.is_empty() {
            return;
        }
        let has_time = self.post.log.is_synced() || self.post.caller.queue.is_empty();
        match &self.ahead {
            Some(ahead) if !has_time => {
                if let Err(unsent) = ahead.send(outbox) {
                    self.post.deliver(vec![unsent.0]);
                }
            }
            _ => self.post.deliver(vec![outbox]),
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        drop(self.ahead.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Post {
    fn run(&self, turns: &Receiver<Outbox>) {
        while let Ok(first) = turns.recv() {
            let mut ready = vec![first];
            ready.extend(turns.try_iter());
            self.deliver(ready);
        }
    }

    fn deliver(&self, ready: Vec<Outbox>) {
        match self.log.sync() {
            Ok(()) => ready.into_iter().for_each(|outbox| self.caller.tell(outbox)),
            Err(error) => {
                ready.into_iter().for_each(|outbox| outbox.fail(&error));
                // The writer finds it in the log.
                self.caller.queue.wake();
            }
        }
    }
}

/// Tells answers and sends requests out.
pub(super) struct Caller {
    pub(super) runtime: Handle,
    pub(super) node: Node,
    pub(super) delegates: Arc<dyn Delegates>,
    pub(super) scripts: Scripts,
    pub(super) queue: Arc<CommandQueue>,
}

impl Caller {
    /// On a thread of the runtime: there those who wait are woken without a call of the system for each.
    fn tell(self: &Arc<Self>, outbox: Outbox) {
        let caller = Arc::clone(self);
        self.runtime.spawn(async move {
            let (unknown, outgoing) = outbox.tell();
            for outgoing in outgoing {
                caller.send(outgoing);
            }
            if !unknown.is_empty() {
                caller.queue.take_back(unknown);
            }
        });
    }

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

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;

    use futures::future::BoxFuture;
    use handoff_machine::Id;
    use handoff_machine::command::{Command, Reply};
    use handoff_machine::request::DelegateCall;
    use tokio::sync::oneshot;

    use super::*;
    use crate::config::Limits;
    use crate::service::command::{Source, Work};
    use crate::service::error::CommandError;
    use crate::store::Disk;

    /// Tells of each sync that begins, and ends it as it is told to.
    struct Held {
        begun: Sender<()>,
        end: Receiver<io::Result<()>>,
    }

    impl Disk for Held {
        fn sync(&mut self) -> io::Result<()> {
            self.begun.send(()).map_err(io::Error::other)?;
            self.end.recv().map_err(io::Error::other)?
        }
    }

    struct NoDelegates;

    impl Delegates for NoDelegates {
        fn call(&self, _node: Node, _call: DelegateCall) -> BoxFuture<'static, Answer> {
            async { unreachable!("no request is sent") }.boxed()
        }
    }

    struct Rig {
        publisher: Publisher,
        queue: Arc<CommandQueue>,
        begun: Receiver<()>,
        end: Sender<io::Result<()>>,
    }

    impl Rig {
        fn new() -> Self {
            let (began, begun) = channel();
            let (end, ended) = channel();
            let queue = Arc::new(CommandQueue::new(&Limits::default()));
            let caller = Caller {
                runtime: Handle::current(),
                node: Node::new(1),
                delegates: Arc::new(NoDelegates),
                scripts: Scripts::new(Limits::default().scripts),
                queue: Arc::clone(&queue),
            };
            let log = Log::new(Box::new(Held {
                begun: began,
                end: ended,
            }));
            Self {
                publisher: Publisher::start(log, caller).unwrap(),
                queue,
                begun,
                end,
            }
        }

        /// The writer has more to do.
        fn keep_busy(&self) {
            let work = Work::command(Command::ExecuteJob(Id(1)), Source::Executor);
            self.queue.push(work).unwrap();
        }

        /// Commits something that has an answer.
        fn commit(&self) -> oneshot::Receiver<Result<Reply, CommandError>> {
            let (reply, answer) = oneshot::channel();
            let mut outbox = Outbox::default();
            self.publisher.post.log.written();
            outbox.committed();
            outbox.answer(reply, Ok(Reply::Done));
            self.publisher.publish(outbox);
            answer
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn answers_wait_for_the_disk_and_the_writer_does_not() {
        let rig = Rig::new();
        rig.keep_busy();
        let mut first = rig.commit();
        rig.begun.recv().unwrap();
        let mut second = rig.commit();
        assert!(first.try_recv().is_err(), "it is not on disk");
        rig.end.send(Ok(())).unwrap();
        assert!(first.await.unwrap().is_ok());
        // The sync under way had begun before the second was written.
        rig.begun.recv().unwrap();
        assert!(second.try_recv().is_err(), "it is not on disk");
        rig.end.send(Ok(())).unwrap();
        assert!(second.await.unwrap().is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn with_nothing_else_to_do_the_writer_waits_itself() {
        let rig = Rig::new();
        rig.end.send(Ok(())).unwrap();
        let answer = rig.commit();
        assert!(rig.publisher.post.log.is_synced());
        assert!(answer.await.unwrap().is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_sync_that_fails_fails_what_waits_for_it_and_all_after_it() {
        let rig = Rig::new();
        rig.end.send(Err(io::Error::other("gone"))).unwrap();
        for _ in 0..2 {
            assert!(matches!(rig.commit().await.unwrap(), Err(CommandError::Store(_))));
        }
        assert_eq!(rig.begun.try_iter().count(), 1, "the disk is not asked again");
        // The writer is woken to find it.
        let begun = std::time::Instant::now();
        rig.queue.take(1, Duration::from_secs(60));
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
