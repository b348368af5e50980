//! From a task that the engine locked to the report of how it ended.
//!
//! A task is run once at a time, in a slot, under a lock that is extended while it runs and while its end is reported.
//! Whatever happens, the engine is told: an outcome, a failure with one retry less, or the task is given back. Giving
//! back is for what was no attempt: no slot, no worker any more, a stop.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use handoff_runtime::{
    CallContext, CallError, CallErrorKind, Capabilities,
    wit::types::{Outcome, Task, Value},
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    engines::{Engine, FailureReport, Fault, Locked, Settlement},
    hand::{Hand, Held},
    lock::{Lease, Lost},
    report::{Reported, report},
    retries::next_failure,
    slots::Slots,
    worker::{Worker, WorkerProfile, Workforce},
};

/// How long a task waits for a slot before it is given back. Two engines' polls can fetch for the same free slots.
const SLOT_PATIENCE: Duration = Duration::from_secs(1);
/// How long giving a task back may take.
const RELEASE_TIME: Duration = Duration::from_secs(2);
/// How long an outcome's wish for a longer lock is tried.
const DEFERRAL_TRIES: u32 = 3;

/// An engine with the tasks of it that are in hand.
#[derive(Clone)]
pub struct Line {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// Its tasks.
    pub hand: Arc<Hand>,
}

/// Runs tasks.
pub struct Dispatcher {
    workforce: watch::Receiver<Arc<Workforce>>,
    capabilities: Arc<dyn Capabilities>,
    slots: Arc<Slots>,
    lost_locks_max: u32,
    runs: TaskTracker,
    abort: CancellationToken,
    me: Weak<Self>,
}

/// How a task's stay in this host ended, for logs and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Completed,
    BpmnError,
    Failed,
    Deferred,
    Gone,
    Lost(Lost),
    Released,
    Unreported,
}

impl End {
    const fn label(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::BpmnError => "bpmn_error",
            Self::Failed => "failed",
            Self::Deferred => "deferred",
            Self::Gone => "gone",
            Self::Lost(lost) => lost.label(),
            Self::Released => "released",
            Self::Unreported => "unreported",
        }
    }
}

impl Dispatcher {
    /// Prepares to run the tasks of `workforce`.
    pub fn new(
        workforce: watch::Receiver<Arc<Workforce>>,
        capabilities: Arc<dyn Capabilities>,
        slots: Arc<Slots>,
        lost_locks_max: u32,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            workforce,
            capabilities,
            slots,
            lost_locks_max,
            runs: TaskTracker::new(),
            abort: CancellationToken::new(),
            me: me.clone(),
        })
    }

    /// Takes a task over from a poll. False: it is in hand already, and its lock was renewed.
    pub fn deliver(&self, line: &Line, locked: Locked) -> bool {
        let workforce = self.workforce.borrow().clone();
        let worker = workforce.topic(line.engine.name(), &locked.task.topic).cloned();
        let time_limit = worker.as_ref().map_or(Duration::ZERO, |worker| worker.profile().time_limit);
        let (lease, deadline) = Lease::new(locked.until, locked.duration, Instant::now() + time_limit);
        let Some(held) = line.hand.admit(&locked.task.id.id, &lease) else {
            metrics::counter!("handoff_duplicate_deliveries_total", "engine" => line.engine.name().to_owned()).increment(1);
            return false;
        };
        let Some(dispatcher) = self.me.upgrade() else { return false };
        let line = line.clone();
        self.runs.spawn(async move {
            let Locked { task, defect, .. } = locked;
            let Some(worker) = worker else {
                tracing::info!(engine = line.engine.name(), task = task.id.id, topic = task.topic, "no worker for the task any more");
                release(&line, &task.id.id).await;
                return;
            };
            let context = CallContext {
                deadline,
                capabilities: dispatcher.capabilities.clone(),
                cancel: CancellationToken::new(),
                traceparent: traceparent(&task),
            };
            let run = Run { dispatcher: &dispatcher, line: &line, worker: &*worker, lease, held };
            run.observed(task, context, defect).await;
        });
        true
    }

    /// Waits until nothing runs, or until `deadline`; then stops what still runs and gives it back.
    pub async fn drain(&self, deadline: Instant) {
        self.runs.close();
        if tokio::time::timeout_at(deadline.into(), self.runs.wait()).await.is_err() {
            tracing::warn!(running = self.runs.len(), "the time to stop is over: running tasks are given back");
            self.abort.cancel();
            let _ = tokio::time::timeout(RELEASE_TIME + Duration::from_millis(500), self.runs.wait()).await;
        }
    }

    /// Tasks that are in hand.
    pub fn running(&self) -> usize {
        self.runs.len()
    }
}

/// One task's stay in this host.
struct Run<'a> {
    dispatcher: &'a Dispatcher,
    line: &'a Line,
    worker: &'a dyn Worker,
    lease: Arc<Lease>,
    held: Held,
}

impl Run<'_> {
    async fn observed(self, task: Task, context: CallContext, defect: Option<String>) {
        let started = Instant::now();
        let WorkerProfile { name, version, .. } = self.worker.profile();
        let (engine, worker) = (self.line.engine.name().to_owned(), name.clone());
        let (id, topic, business_key) = (task.id.id.clone(), task.topic.clone(), task.business_key.clone());
        let end = self.to_its_end(task, context, defect).await;
        let elapsed = started.elapsed();
        tracing::info!(
            engine,
            worker,
            version = &version[..version.len().min(12)],
            topic,
            task = id,
            business_key,
            end = end.label(),
            ms = elapsed.as_secs_f64() * 1e3,
            "task"
        );
        let labels = [("engine", engine), ("worker", worker), ("end", end.label().to_owned())];
        metrics::counter!("handoff_tasks_total", &labels).increment(1);
        metrics::histogram!("handoff_task_seconds", &labels).record(elapsed.as_secs_f64());
        drop(self.held);
    }

    /// Runs the task and reports it, unless the host is stopped before.
    async fn to_its_end(&self, task: Task, context: CallContext, defect: Option<String>) -> End {
        let id = task.id.id.clone();
        let cancel = context.cancel.clone();
        let end = tokio::select! {
            biased;
            () = self.dispatcher.abort.cancelled() => None,
            end = self.run(task, context, defect) => Some(end),
        };
        match end {
            Some(end) => end,
            None => {
                cancel.cancel();
                self.give_back(&id).await
            }
        }
    }

    async fn run(&self, task: Task, context: CallContext, defect: Option<String>) -> End {
        let profile = self.worker.profile();
        let acquired = self.dispatcher.slots.acquire(&profile.name, profile.concurrency, SLOT_PATIENCE);
        let Some(_slot) = acquired.await else { return self.give_back(&task.id.id).await };
        let strikes = self.line.hand.strikes(&task.id.id);
        if strikes >= self.dispatcher.lost_locks_max {
            let message = format!("the task lost its lock {strikes} times while worker {} handled it", profile.name);
            let failure = FailureReport { message, retries: Some(0), ..FailureReport::default() };
            return self.settle(&task, Settlement::Failure(failure)).await;
        }
        if let Some(defect) = defect {
            let message = format!("the task cannot be understood: {defect}");
            return self.fail(&task, message, None).await;
        }
        let cancel = context.cancel.clone();
        let called = tokio::select! {
            biased;
            called = self.worker.handle(task.clone(), context) => called,
            lost = self.lease.keep(&*self.line.engine, &task.id.id) => {
                cancel.cancel();
                return self.lost(&task, lost);
            }
        };
        match called {
            Ok(Outcome::Complete(completion)) => self.settle(&task, Settlement::Complete(completion)).await,
            Ok(Outcome::BpmnError(error)) => self.settle(&task, Settlement::Error(error)).await,
            Ok(Outcome::Failure(failure)) => {
                let report = next_failure(profile, task.retries, failure);
                self.settle(&task, Settlement::Failure(report)).await
            }
            Ok(Outcome::Deferred(deferral)) => self.defer(&task, deferral.lock_for_ms, deferral.reason).await,
            Err(error) => self.failed_call(&task, error).await,
        }
    }

    async fn failed_call(&self, task: &Task, error: CallError) -> End {
        let profile = self.worker.profile();
        metrics::counter!("handoff_call_errors_total", "worker" => profile.name.clone(), "kind" => error.kind.label()).increment(1);
        match error.kind {
            CallErrorKind::NoCapacity | CallErrorKind::Cancelled => {
                tracing::info!(worker = profile.name, task = task.id.id, error = error.message, "not an attempt: the task is given back");
                self.give_back(&task.id.id).await
            }
            // The lock ran out, not the worker's own time.
            CallErrorKind::Deadline if !self.lease.limit_passed() => self.lost(task, Lost::Expired),
            _ => {
                let message = format!("worker {}: {}", profile.name, error.message);
                self.fail(task, message, error.details()).await
            }
        }
    }

    fn lost(&self, task: &Task, lost: Lost) -> End {
        if lost == Lost::Taken {
            // Only this counts against the task: a lock that runs out while the engine is away is not its doing.
            self.line.hand.strike(&task.id.id);
        }
        End::Lost(lost)
    }

    async fn fail(&self, task: &Task, message: String, details: Option<String>) -> End {
        let failure = handoff_runtime::wit::types::Failure {
            message,
            details,
            retries: None,
            retry_after_ms: None,
            variables: Vec::new(),
            local_variables: Vec::new(),
        };
        let report = next_failure(self.worker.profile(), task.retries, failure);
        tracing::warn!(
            engine = self.line.engine.name(),
            worker = self.worker.profile().name,
            task = task.id.id,
            error = report.message,
            details = report.details,
            retries = report.retries,
            "the task failed"
        );
        self.settle(task, Settlement::Failure(report)).await
    }

    /// Reports how the task ended. What the engine does not take becomes a failure, and that one is reported bare.
    async fn settle(&self, task: &Task, settlement: Settlement) -> End {
        let mut settlement = settlement;
        loop {
            let reported = self.report_under_lock(&task.id.id, &settlement).await;
            let reason = match reported {
                Reported::Done => return ended(&settlement),
                Reported::Gone => return End::Gone,
                Reported::Lost => return self.lost(task, Lost::Taken),
                Reported::GaveUp(fault) => {
                    tracing::error!(engine = self.line.engine.name(), task = task.id.id, %fault, "the task's end could not be reported; it will be delivered again");
                    return End::Unreported;
                }
                Reported::Refused(reason) => reason,
            };
            settlement = match settlement {
                Settlement::Failure(ref failure) if failure.variables.is_empty() && failure.local_variables.is_empty() => {
                    tracing::error!(engine = self.line.engine.name(), task = task.id.id, reason, "the engine refuses even the failure");
                    return End::Unreported;
                }
                Settlement::Failure(failure) => Settlement::Failure(FailureReport {
                    variables: Vec::new(),
                    local_variables: Vec::new(),
                    details: Some(format!("the engine refused the failure's variables: {reason}\n{}", failure.details.unwrap_or_default())),
                    ..failure
                }),
                Settlement::Complete(_) | Settlement::Error(_) => {
                    let failure = handoff_runtime::wit::types::Failure {
                        message: format!("the engine does not take the result of worker {}: {reason}", self.worker.profile().name),
                        details: None,
                        retries: None,
                        retry_after_ms: None,
                        variables: Vec::new(),
                        local_variables: Vec::new(),
                    };
                    Settlement::Failure(next_failure(self.worker.profile(), task.retries, failure))
                }
            };
        }
    }

    /// Reports while the lock is extended. A report in flight is never cut off for a lost lock: its own answer decides.
    async fn report_under_lock(&self, task_id: &str, settlement: &Settlement) -> Reported {
        if let Settlement::Failure(failure) = settlement
            && !failure.retry_after.is_zero()
        {
            // The engine leaves our name on the task until its next try. Said before it happens, so that nobody
            // takes that lock for a forgotten one.
            self.line.hand.park(task_id, Instant::now() + failure.retry_after);
        }
        let reported = report(&*self.line.engine, task_id, settlement, &self.lease);
        tokio::pin!(reported);
        tokio::select! {
            biased;
            reported = &mut reported => reported,
            _ = self.lease.keep(&*self.line.engine, task_id) => reported.await,
        }
    }

    async fn defer(&self, task: &Task, lock_for_ms: Option<u32>, reason: Option<String>) -> End {
        let engine = &*self.line.engine;
        tracing::debug!(engine = engine.name(), task = task.id.id, reason, lock_for_ms, "deferred");
        let Some(duration) = lock_for_ms.map(|ms| Duration::from_millis(ms.into())).filter(|d| !d.is_zero()) else {
            self.line.hand.park(&task.id.id, self.lease.until());
            return End::Deferred;
        };
        for _ in 0..DEFERRAL_TRIES {
            let sent = Instant::now();
            // Parked first: whoever completes it may be faster than this answer.
            self.line.hand.park(&task.id.id, sent + duration);
            match engine.extend(&task.id.id, duration).await {
                Ok(()) => return End::Deferred,
                // Whom it was deferred to was faster.
                Err(Fault::NotFound(_)) => return End::Deferred,
                Err(Fault::Rejected(_)) => return self.lost(task, Lost::Taken),
                Err(fault) => tracing::debug!(engine = engine.name(), task = task.id.id, %fault, "cannot extend the deferred task's lock"),
            }
        }
        self.line.hand.park(&task.id.id, self.lease.until());
        tracing::warn!(engine = engine.name(), task = task.id.id, "the deferred task keeps the lock that it had");
        End::Deferred
    }

    async fn give_back(&self, task_id: &str) -> End {
        release(self.line, task_id).await;
        End::Released
    }
}

const fn ended(settlement: &Settlement) -> End {
    match settlement {
        Settlement::Complete(_) => End::Completed,
        Settlement::Error(_) => End::BpmnError,
        Settlement::Failure(_) => End::Failed,
    }
}

/// Gives a task back. If that fails its lock runs out by itself.
async fn release(line: &Line, task_id: &str) {
    match tokio::time::timeout(RELEASE_TIME, line.engine.release(task_id)).await {
        Ok(Ok(()) | Err(Fault::NotFound(_))) => {}
        Ok(Err(fault)) => tracing::warn!(engine = line.engine.name(), task = task_id, %fault, "cannot give the task back"),
        Err(_) => tracing::warn!(engine = line.engine.name(), task = task_id, "cannot give the task back in time"),
    }
}

/// The trace that the process belongs to: an extension property of the activity, else a variable.
fn traceparent(task: &Task) -> Option<String> {
    let property = task.extension_properties.iter().find(|(key, _)| key == "traceparent").map(|(_, value)| value.clone());
    property.or_else(|| {
        task.variables.iter().find(|variable| variable.name == "traceparent").and_then(|variable| match &variable.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    })
}
