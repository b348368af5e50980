//! What the host does about itself: a poller that panics, and an answer that comes after its tasks were given back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use handoff_host::{
    capabilities::EngineCapabilities,
    config::FetchOrder,
    dispatch::{Dispatcher, Line},
    engines::Fetch,
    slots::Slots,
    sweep::Sweeper,
    worker::{Worker, WorkerProfile, Workforce},
};
use handoff_runtime::{
    CallContext, CallError,
    wit::{
        delegate::{DelegateError, Delegation, Execution},
        types::{Outcome, Task},
    },
};
use tokio::sync::watch;

use crate::{
    auth::connect,
    fake_engine::FakeEngine,
    support::{NativeWorker, TestHost, completing, config, topic},
};

/// Makes whoever asks for its profile panic, once.
struct Explosive {
    worker: NativeWorker,
    armed: AtomicBool,
}

#[async_trait]
impl Worker for Explosive {
    fn profile(&self) -> &WorkerProfile {
        assert!(!self.armed.swap(false, Ordering::SeqCst), "a defect of the host");
        self.worker.profile()
    }

    async fn handle(&self, task: Task, context: CallContext) -> Result<Outcome, CallError> {
        self.worker.handle(task, context).await
    }

    async fn execute(
        &self,
        execution: Execution,
        context: CallContext,
    ) -> Result<Result<Delegation, DelegateError>, CallError> {
        self.worker.execute(execution, context).await
    }
}

#[tokio::test]
async fn a_poller_that_panics_is_started_again() {
    let engine = FakeEngine::start().await;
    let explosive = Explosive {
        worker: completing("w"),
        armed: AtomicBool::new(true),
    };
    let workforce = Workforce::default().with_topic("order", topic("t"), Arc::new(explosive));
    let host = TestHost::start(config(&engine.url(), ""), workforce).await;
    engine.add("a", "t");
    engine.until_ended("a").await;
    assert!(host.host.status().metrics().contains("handoff_poller_restarts_total"));
    host.stop(1_000).await;
}

#[tokio::test]
async fn a_task_that_was_given_back_before_its_answer_came_is_not_run_without_its_lock() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    let line = Line {
        engine: Arc::new(connect(&engine.url(), "")),
        hand: Arc::default(),
        health: Arc::default(),
    };
    let fetch = Fetch {
        subscriptions: vec![topic("t")],
        max_tasks: 1,
        priority: true,
        order: FetchOrder::OldestFirst,
        wait: Duration::ZERO,
        lock_duration: Duration::from_secs(60),
    };
    let worker = Arc::new(completing("w"));
    let workforce = Workforce::default().with_topic("order", topic("t"), worker.clone());
    let (_sender, workforce) = watch::channel(Arc::new(workforce));
    let capabilities = EngineCapabilities::new([line.clone()]);
    let dispatcher = Dispatcher::new(workforce, capabilities, Slots::new(8), 5);

    // The answer is on its way for longer than the look for forgotten locks allows for.
    let late = line.engine.fetch(&fetch).await.unwrap().tasks.remove(0);
    let sweeper = Sweeper::new(line.clone(), line.health.clone());
    assert_eq!(sweeper.sweep().await, Ok(1));
    assert_eq!(engine.task("a").worker, None);
    assert!(dispatcher.deliver(&line, late));
    crate::support::until("it is out of hand", || line.hand.running() == 0).await;
    assert_eq!(worker.runs(), 0, "it may be anybody's by now");
    assert!(engine.calls_to("complete").is_empty());

    // Locked again, it is run.
    let again = line.engine.fetch(&fetch).await.unwrap().tasks.remove(0);
    assert!(dispatcher.deliver(&line, again));
    engine.until_ended("a").await;
    assert_eq!(worker.runs(), 1);
    dispatcher.drain(Instant::now() + Duration::from_secs(5)).await;
}
