//! Workers in native code, and hosts over them.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::future::BoxFuture;
use handoff_host::{
    Config, Host,
    worker::{Worker, WorkerProfile, Workforce},
};
use handoff_runtime::{
    CallContext, CallError, CallErrorKind, TopicSubscription,
    wit::{
        delegate::{DelegateError, Delegation, Execution},
        types::{Completion, Outcome, Task, Value, Variable},
    },
};
use tokio::sync::watch;

use crate::fake_engine::FakeEngine;

type Handler = dyn Fn(Task, CallContext) -> BoxFuture<'static, Result<Outcome, CallError>> + Send + Sync;
type Serve = dyn Fn(Execution, CallContext) -> BoxFuture<'static, Result<Result<Delegation, DelegateError>, CallError>>
    + Send
    + Sync;

pub(crate) struct NativeWorker {
    profile: WorkerProfile,
    handler: Box<Handler>,
    delegate: Box<Serve>,
    runs: watch::Sender<u32>,
}

impl NativeWorker {
    pub(crate) fn new<F>(name: &str, handler: impl Fn(Task, CallContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Outcome, CallError>> + Send + 'static,
    {
        Self {
            profile: WorkerProfile {
                name: name.into(),
                version: "0123456789abcdef".into(),
                concurrency: 8,
                retries: 3,
                retry_after: Duration::from_millis(100),
                time_limit: Duration::from_secs(60),
            },
            handler: Box::new(move |task, context| Box::pin(handler(task, context))),
            delegate: Box::new(|_, _| Box::pin(async { Err(call_error(CallErrorKind::NotExported, "no delegate")) })),
            runs: watch::Sender::new(0),
        }
    }

    pub(crate) fn serving<F>(name: &str, delegate: impl Fn(Execution, CallContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Result<Delegation, DelegateError>, CallError>> + Send + 'static,
    {
        let mut worker = completing(name);
        worker.delegate = Box::new(move |execution, context| Box::pin(delegate(execution, context)));
        worker
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut WorkerProfile)) -> Self {
        change(&mut self.profile);
        self
    }

    pub(crate) fn runs(&self) -> u32 {
        *self.runs.borrow()
    }

    /// Waits until so many runs have begun.
    pub(crate) async fn until_runs(&self, runs: u32) {
        let mut begun = self.runs.subscribe();
        let reached = begun.wait_for(|begun| *begun >= runs);
        tokio::time::timeout(Duration::from_secs(10), reached)
            .await
            .expect("the runs begin")
            .unwrap();
    }
}

#[async_trait]
impl Worker for NativeWorker {
    fn profile(&self) -> &WorkerProfile {
        &self.profile
    }

    async fn handle(&self, task: Task, context: CallContext) -> Result<Outcome, CallError> {
        self.runs.send_modify(|runs| *runs += 1);
        (self.handler)(task, context).await
    }

    async fn execute(
        &self,
        execution: Execution,
        context: CallContext,
    ) -> Result<Result<Delegation, DelegateError>, CallError> {
        (self.delegate)(execution, context).await
    }
}

pub(crate) fn call_error(kind: CallErrorKind, message: &str) -> CallError {
    CallError {
        kind,
        message: message.into(),
        backtrace: Some("at spin".into()),
        log_tail: vec!["a last line".into()],
    }
}

pub(crate) fn text(name: &str, value: &str) -> Variable {
    Variable {
        name: name.into(),
        value: Value::Text(value.into()),
        transient: false,
    }
}

pub(crate) fn done() -> Outcome {
    Outcome::Complete(Completion {
        variables: vec![text("done", "yes")],
        local_variables: Vec::new(),
    })
}

/// Completes at once.
pub(crate) fn completing(name: &str) -> NativeWorker {
    NativeWorker::new(name, |_, _| async { Ok(done()) })
}

/// A worker that completes each task when `permits` has one for it.
pub(crate) fn gated(name: &str) -> (NativeWorker, Arc<tokio::sync::Semaphore>) {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let permits = gate.clone();
    let worker = NativeWorker::new(name, move |_, _| {
        let permits = permits.clone();
        async move {
            permits.acquire().await.unwrap().forget();
            Ok(done())
        }
    });
    (worker, gate)
}

/// Waits until something is as it should be that nobody is told of, at most ten seconds.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let reached = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let reached = tokio::time::timeout(Duration::from_secs(10), reached).await;
    reached.unwrap_or_else(|_| panic!("not reached: {what}"));
}

pub(crate) fn topic(name: &str) -> TopicSubscription {
    TopicSubscription {
        name: name.into(),
        ..TopicSubscription::default()
    }
}

/// Settings under which faults are found quickly.
pub(crate) fn config(engine_url: &str, more: &str) -> Config {
    let text = format!(
        "[engines.order]\nurl = \"{engine_url}\"\nlong-poll-ms = 20000\nrequest-timeout-ms = 1000\nlock-duration-ms = 60000\n{more}\n[workers]\ndir = \"none\"\n"
    );
    Config::parse(&text, Path::new("handoff.toml")).unwrap()
}

pub(crate) struct TestHost {
    pub(crate) host: Host,
    pub(crate) workforce: watch::Sender<Arc<Workforce>>,
}

impl TestHost {
    pub(crate) async fn start(config: Config, workforce: Workforce) -> Self {
        let (sender, receiver) = watch::channel(Arc::new(workforce));
        Self {
            host: Host::start_with(config, receiver).await.unwrap(),
            workforce: sender,
        }
    }

    /// One worker for topic `t` of the engine.
    pub(crate) async fn with(engine: &FakeEngine, more: &str, worker: NativeWorker) -> (Self, Arc<NativeWorker>) {
        let worker = Arc::new(worker);
        let workforce = Workforce::default().with_topic("order", topic("t"), worker.clone());
        (Self::start(config(&engine.url(), more), workforce).await, worker)
    }

    /// Waits until it knows what its engine can do.
    pub(crate) async fn until_probed(&self) {
        let known = async {
            while self.host.status().readiness().engines["order"].product.is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), known)
            .await
            .expect("the engine says what it can do");
    }

    pub(crate) async fn stop(self, patience_ms: u64) {
        self.host.shutdown(Duration::from_millis(patience_ms)).await;
    }
}
