//! One task's stay in this host: a slot, the worker, the report.
//!
//! Invariant: every way out either told the engine how the task ended, or gave it back, or found that it is not this
//! host's any more. The exceptions are logged as errors, and such a task is delivered again when its lock runs out.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::FutureExt;
use handoff_runtime::{
    CallContext, CallError, CallErrorKind,
    wit::types::{Failure, Outcome, Task, Value, Variable},
};
use tracing::Instrument;

use crate::{
    backoff::Backoff,
    dispatch::{Dispatcher, Line, release},
    engines::{Defect, FailureReport, Fault, Settlement},
    files::with_contents,
    hand::Held,
    lock::{Lease, Lost},
    report::{Reported, report},
    retries::next_failure,
    slots::Slot,
    trace,
    worker::Worker,
};

/// How long a task waits for a slot before it is given back. Two engines' polls can fetch for the same free slots.
const SLOT_PATIENCE: Duration = Duration::from_secs(1);
/// How often an outcome's wish for a longer lock is tried.
const DEFERRAL_TRIES: u32 = 3;

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

    /// Whether somebody may want to look into it.
    const fn is_trouble(self) -> bool {
        matches!(self, Self::Failed | Self::Lost(_) | Self::Unreported)
    }
}

/// One task's stay in this host.
pub(crate) struct Run<'a> {
    pub(crate) dispatcher: &'a Dispatcher,
    pub(crate) line: &'a Line,
    pub(crate) worker: &'a dyn Worker,
    pub(crate) lease: Arc<Lease>,
    pub(crate) held: Held,
    pub(crate) arrived: Instant,
}

/// What has to be known of a task once the worker has it.
struct Subject {
    id: String,
    retries: Option<u32>,
    /// Its file variables: a result may name their content.
    files: Vec<Variable>,
}

/// What a stay was spent on, for logs and metrics.
#[derive(Debug, Default)]
struct Account {
    /// From the task's arrival until it had a slot.
    waited: Duration,
    called: Duration,
    reported: Duration,
    /// What a failure left.
    retries_left: Option<u32>,
}

impl Run<'_> {
    /// Runs the task to its end, and says how that was.
    pub(crate) async fn observed(self, slot: Option<Slot>, task: Task, context: CallContext, defect: Option<Defect>) {
        let profile = self.worker.profile();
        let engine = self.line.engine.name();
        let (topic, business_key) = (task.topic.clone(), task.business_key.clone());
        let (activity, instance) = (task.activity_id.clone(), task.process_instance_id.clone());
        let subject = Subject {
            id: task.id.id.clone(),
            retries: task.retries,
            files: files(&task.variables),
        };
        let span = trace::task(engine, profile, &task, context.traceparent.as_deref());
        let context = CallContext {
            traceparent: trace::traceparent(&span).or(context.traceparent),
            ..context
        };
        let trace_id = context
            .traceparent
            .as_deref()
            .and_then(trace::trace_id)
            .map(str::to_owned);
        let mut account = Account::default();
        let end = self
            .to_its_end(&subject, slot, task, context, defect, &mut account)
            .instrument(span.clone())
            .await;
        let elapsed = self.arrived.elapsed();
        trace::ended(&span, end.label(), !end.is_trouble());
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        tracing::info!(
            engine,
            topic,
            worker = profile.name,
            version = profile.version.get(..12),
            task = subject.id,
            activity,
            process_instance = instance,
            business_key,
            outcome = end.label(),
            retries = subject.retries,
            retries_left = account.retries_left,
            ms = ms(elapsed),
            wait_ms = ms(account.waited),
            call_ms = ms(account.called),
            report_ms = ms(account.reported),
            trace_id,
            "task"
        );
        let labels = [
            ("engine", engine.to_owned()),
            ("worker", profile.name.clone()),
            ("outcome", end.label().to_owned()),
        ];
        if matches!(end, End::Completed | End::BpmnError | End::Deferred | End::Gone) {
            self.dispatcher.tallies.ended(&profile.name, elapsed);
        }
        metrics::counter!("handoff_tasks_total", &labels).increment(1);
        metrics::histogram!("handoff_task_seconds", &labels[..2]).record(elapsed.as_secs_f64());
        drop(self.held);
    }

    /// Runs the task and reports it, unless the host is stopped before.
    async fn to_its_end(
        &self,
        subject: &Subject,
        slot: Option<Slot>,
        task: Task,
        context: CallContext,
        defect: Option<Defect>,
        account: &mut Account,
    ) -> End {
        let cancel = context.cancel.clone();
        let end = tokio::select! {
            biased;
            () = self.dispatcher.abort.cancelled() => None,
            end = self.run(subject, slot, task, context, defect, account) => Some(end),
        };
        match end {
            Some(end) => end,
            None => {
                cancel.cancel();
                self.give_back(&subject.id).await
            }
        }
    }

    async fn run(
        &self,
        subject: &Subject,
        slot: Option<Slot>,
        task: Task,
        context: CallContext,
        defect: Option<Defect>,
        account: &mut Account,
    ) -> End {
        let profile = self.worker.profile();
        let slots = &self.dispatcher.slots;
        let began = Instant::now();
        let slot = match slot {
            Some(slot) => Some(slot),
            None => slots.acquire(&profile.name, profile.concurrency, SLOT_PATIENCE).await,
        };
        account.waited = began.elapsed();
        let Some(_slot) = slot else {
            return self.give_back(&subject.id).await;
        };
        let strikes = self.line.hand.strikes(&subject.id);
        if strikes >= self.dispatcher.lost_locks_max {
            let message = format!(
                "the task lost its lock {strikes} times while worker {} handled it",
                profile.name
            );
            return self.fail_for_good(subject, message, account).await;
        }
        if self.line.hand.gave_back(&subject.id)
            && let Err(end) = self.assure(&subject.id).await
        {
            return end;
        }
        match defect {
            None => {}
            Some(defect @ Defect::NotUnderstood(_)) => {
                return self.fail(subject, defect.to_string(), None, account).await;
            }
            Some(defect @ Defect::TooLarge(_)) => {
                return self.fail_for_good(subject, defect.to_string(), account).await;
            }
        }
        let cancel = context.cancel.clone();
        let began = Instant::now();
        let called = tokio::select! {
            biased;
            called = AssertUnwindSafe(self.worker.handle(task, context).instrument(trace::call())).catch_unwind() => {
                called.unwrap_or_else(|_| Err(CallError {
                    kind: CallErrorKind::Internal,
                    message: "the host panicked while it ran the worker; its log says more".to_owned(),
                    backtrace: None,
                    log_tail: Vec::new(),
                }))
            }
            lost = self.lease.keep(&*self.line.engine, &subject.id) => {
                cancel.cancel();
                return self.lost(subject, lost);
            }
        };
        account.called = began.elapsed();
        match called {
            Ok(Outcome::Complete(completion)) => {
                self.hand_over(subject, Settlement::Complete(completion), account).await
            }
            Ok(Outcome::BpmnError(error)) => self.hand_over(subject, Settlement::Error(error), account).await,
            Ok(Outcome::Failure(failure)) => {
                let report = next_failure(profile, subject.retries, failure);
                self.hand_over(subject, Settlement::Failure(report), account).await
            }
            Ok(Outcome::Deferred(deferral)) => self.defer(subject, deferral.lock_for_ms, deferral.reason).await,
            Err(error) => self.failed_call(subject, error, account).await,
        }
    }

    /// Makes sure of a lock that is in doubt: the task may have come with an answer from before it was given back, and be
    /// anybody's by now. Only its holder can extend it.
    async fn assure(&self, task_id: &str) -> Result<(), End> {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        loop {
            let fault = match self.lease.extend(&*self.line.engine, task_id).await {
                Ok(()) => return Ok(()),
                Err(Fault::NotFound(_)) => return Err(End::Gone),
                Err(Fault::Rejected(_)) => return Err(End::Released),
                Err(fault) => fault,
            };
            let wait = backoff.next_wait_at_least(fault.retry_after());
            if Instant::now() + wait > self.lease.until() {
                return Err(self.give_back(task_id).await);
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn failed_call(&self, task: &Subject, error: CallError, account: &mut Account) -> End {
        let profile = self.worker.profile();
        match error.kind {
            CallErrorKind::NoCapacity | CallErrorKind::Cancelled => {
                tracing::info!(
                    worker = profile.name,
                    task = task.id,
                    error = error.message,
                    "not an attempt: the task is given back"
                );
                self.give_back(&task.id).await
            }
            // The lock ran out, not the worker's own time.
            CallErrorKind::Deadline if !self.lease.limit_passed() => self.lost(task, Lost::Expired),
            _ => {
                let message = format!("worker {}: {}", profile.name, error.message);
                self.fail(task, message, error.details(), account).await
            }
        }
    }

    fn lost(&self, task: &Subject, lost: Lost) -> End {
        if lost == Lost::Taken {
            // Only this counts against the task: a lock that runs out while the engine is away is not its doing.
            self.line.hand.strike(&task.id);
        }
        End::Lost(lost)
    }

    async fn fail(&self, task: &Subject, message: String, details: Option<String>, account: &mut Account) -> End {
        let failure = Failure {
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
            task = task.id,
            error = report.message,
            details = report.details,
            retries = report.retries,
            "the task failed"
        );
        self.settle(task, Settlement::Failure(report), account).await
    }

    /// Fails a task that another try would not help: a person has to look at it.
    async fn fail_for_good(&self, task: &Subject, message: String, account: &mut Account) -> End {
        tracing::warn!(
            engine = self.line.engine.name(),
            worker = self.worker.profile().name,
            task = task.id,
            error = message,
            "the task failed for good"
        );
        let failure = FailureReport {
            message,
            retries: Some(0),
            ..FailureReport::default()
        };
        self.settle(task, Settlement::Failure(failure), account).await
    }

    /// Reports a worker's own result, with the content of the files in it.
    async fn hand_over(&self, task: &Subject, settlement: Settlement, account: &mut Account) -> End {
        let engine = &*self.line.engine;
        let contents = tokio::select! {
            biased;
            contents = with_contents(engine, &task.files, settlement, &self.lease) => contents,
            never = self.lease.keep_if_possible(engine, &task.id) => match never {},
        };
        match contents {
            Ok(settlement) => self.settle(task, settlement, account).await,
            Err(fault) => {
                let message = format!(
                    "the result of worker {} has a file that cannot be handed on: {fault}",
                    self.worker.profile().name
                );
                self.fail(task, message, None, account).await
            }
        }
    }

    /// Reports how the task ended. What the engine does not take becomes a failure, and that one is reported bare.
    async fn settle(&self, task: &Subject, settlement: Settlement, account: &mut Account) -> End {
        let mut settlement = settlement;
        loop {
            let began = Instant::now();
            let reporting = self.report_under_lock(&task.id, &settlement);
            let reported = reporting.instrument(trace::report()).await;
            account.reported += began.elapsed();
            if let Settlement::Failure(failure) = &settlement {
                account.retries_left = failure.retries;
            }
            let reason = match reported {
                Reported::Done => {
                    if let Settlement::Failure(failure) = &settlement {
                        let worker = &self.worker.profile().name;
                        let tallies = &self.dispatcher.tallies;
                        tallies.failed(worker, &failure.message, self.arrived.elapsed());
                    }
                    return ended(&settlement);
                }
                Reported::Gone => return End::Gone,
                Reported::Lost => return self.lost(task, Lost::Taken),
                Reported::GaveUp(fault) => {
                    tracing::error!(engine = self.line.engine.name(), task = task.id, %fault, "the task's end could not be reported; it will be delivered again");
                    return End::Unreported;
                }
                Reported::Refused(reason) => reason,
            };
            settlement = match settlement {
                Settlement::Failure(ref failure)
                    if failure.variables.is_empty() && failure.local_variables.is_empty() =>
                {
                    tracing::error!(
                        engine = self.line.engine.name(),
                        task = task.id,
                        reason,
                        "the engine refuses even the failure"
                    );
                    return End::Unreported;
                }
                Settlement::Failure(failure) => Settlement::Failure(FailureReport {
                    variables: Vec::new(),
                    local_variables: Vec::new(),
                    details: Some(format!(
                        "the engine refused the failure's variables: {reason}\n{}",
                        failure.details.unwrap_or_default()
                    )),
                    ..failure
                }),
                Settlement::Complete(_) | Settlement::Error(_) => {
                    let failure = Failure {
                        message: format!(
                            "the engine does not take the result of worker {}: {reason}",
                            self.worker.profile().name
                        ),
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

    /// Reports while the lock is extended.
    async fn report_under_lock(&self, task_id: &str, settlement: &Settlement) -> Reported {
        if let Settlement::Failure(failure) = settlement
            && !failure.retry_after.is_zero()
        {
            // The engine leaves our name on the task until its next try. Said before it happens, so that nobody
            // takes that lock for a forgotten one.
            self.line.hand.park(task_id, Instant::now() + failure.retry_after);
        }
        let engine = &*self.line.engine;
        tokio::select! {
            biased;
            reported = report(engine, &self.line.health, task_id, settlement, &self.lease) => reported,
            never = self.lease.keep_if_possible(engine, task_id) => match never {},
        }
    }

    async fn defer(&self, task: &Subject, lock_for_ms: Option<u32>, reason: Option<String>) -> End {
        let engine = &*self.line.engine;
        tracing::debug!(engine = engine.name(), task = task.id, reason, lock_for_ms, "deferred");
        let Some(duration) = lock_for_ms
            .map(|ms| Duration::from_millis(ms.into()))
            .filter(|d| !d.is_zero())
        else {
            self.line.hand.park(&task.id, self.lease.until());
            return End::Deferred;
        };
        for _ in 0..DEFERRAL_TRIES {
            let sent = Instant::now();
            // Parked first: whoever completes it may be faster than this answer.
            self.line.hand.park(&task.id, sent + duration);
            match engine.extend(&task.id, duration).await {
                Ok(()) => return End::Deferred,
                // Whom it was deferred to was faster.
                Err(Fault::NotFound(_)) => return End::Deferred,
                Err(Fault::Rejected(_)) => return self.lost(task, Lost::Taken),
                Err(fault) => {
                    tracing::debug!(engine = engine.name(), task = task.id, %fault, "cannot extend the deferred task's lock")
                }
            }
        }
        self.line.hand.park(&task.id, self.lease.until());
        tracing::warn!(
            engine = engine.name(),
            task = task.id,
            "the deferred task keeps the lock that it had"
        );
        End::Deferred
    }

    async fn give_back(&self, task_id: &str) -> End {
        release(self.line, task_id).await;
        End::Released
    }
}

fn files(variables: &[Variable]) -> Vec<Variable> {
    let file = |variable: &&Variable| matches!(variable.value, Value::File(_));
    variables.iter().filter(file).cloned().collect()
}

const fn ended(settlement: &Settlement) -> End {
    match settlement {
        Settlement::Complete(_) => End::Completed,
        Settlement::Error(_) => End::BpmnError,
        Settlement::Failure(_) => End::Failed,
    }
}
