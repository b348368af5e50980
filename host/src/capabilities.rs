//! What workers may ask of engines: `processes` and `tasks` of the WIT, over the configured engines.
//!
//! Grants were checked before a call arrives here. A call ends with its run: its time is what the run has left.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use handoff_runtime::{
    Caller, Capabilities,
    wit::{
        processes::{Message, Receiver, StartRequest, Started},
        tasks::Ending,
        types::{BpmnError, Completion, EngineError, Failure, FileReference, TaskRef, Variable},
    },
};

use crate::{
    dispatch::Line,
    engines::{FailureReport, Fault, Settlement},
};

/// The wait before the next try where whoever fails a task does not say.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// How long a task may be locked in this host's name while it is ended for somebody else.
const DETACHED_LOCK: Duration = Duration::from_secs(30);

/// The capabilities over a set of engines.
pub struct EngineCapabilities {
    lines: BTreeMap<String, Line>,
}

impl EngineCapabilities {
    /// Over these engines, by their names.
    pub fn new(lines: impl IntoIterator<Item = Line>) -> Arc<Self> {
        Arc::new(Self {
            lines: lines
                .into_iter()
                .map(|line| (line.engine.name().to_owned(), line))
                .collect(),
        })
    }

    fn line(&self, name: &str) -> Result<&Line, EngineError> {
        self.lines.get(name).ok_or_else(|| {
            let known: Vec<_> = self.lines.keys().map(String::as_str).collect();
            EngineError::UnknownEngine(format!("`{name}`; configured are: {}", known.join(", ")))
        })
    }

    async fn settle(&self, caller: &Caller, task: TaskRef, settlement: Settlement) -> Result<Ending, EngineError> {
        let line = self.line(&task.engine)?;
        // It may have to be locked in this host's name for a moment.
        if !line.hand.accounts_for(&task.id) {
            line.hand.park(&task.id, Instant::now() + DETACHED_LOCK);
        }
        within(
            caller,
            "settle",
            &task.engine,
            line.engine.settle_detached(&task.id, &settlement),
        )
        .await
    }
}

/// Awaits an engine's answer for as long as the run lasts.
async fn within<T>(
    caller: &Caller,
    call: &'static str,
    engine: &str,
    answer: impl Future<Output = Result<T, Fault>>,
) -> Result<T, EngineError> {
    let mut deadline = caller.deadline.clone();
    let result = tokio::select! {
        biased;
        answer = answer => answer,
        () = deadline.passed() => return Err(EngineError::Timeout("the run ended before the engine's answer".to_owned())),
    };
    let outcome = result.as_ref().map_or_else(Fault::label, |_| "ok");
    metrics::counter!("handoff_capability_calls_total", "call" => call, "engine" => engine.to_owned(), "result" => outcome).increment(1);
    result.map_err(|fault| {
        tracing::debug!(worker = &*caller.worker, call, engine, %fault, "a worker's call of an engine failed");
        fault.into()
    })
}

#[async_trait]
impl Capabilities for EngineCapabilities {
    async fn start(&self, caller: &Caller, request: StartRequest) -> Result<Started, EngineError> {
        let line = self.line(&request.engine)?;
        within(caller, "start", &request.engine, line.engine.start(&request)).await
    }

    async fn correlate(&self, caller: &Caller, message: Message) -> Result<Vec<Receiver>, EngineError> {
        let line = self.line(&message.engine)?;
        within(caller, "correlate", &message.engine, line.engine.correlate(&message)).await
    }

    async fn set_variables(
        &self,
        caller: &Caller,
        engine: String,
        process_instance_id: String,
        variables: Vec<Variable>,
    ) -> Result<(), EngineError> {
        let line = self.line(&engine)?;
        within(
            caller,
            "set_variables",
            &engine,
            line.engine.set_variables(&process_instance_id, &variables),
        )
        .await
    }

    async fn complete(&self, caller: &Caller, task: TaskRef, completion: Completion) -> Result<Ending, EngineError> {
        self.settle(caller, task, Settlement::Complete(completion)).await
    }

    async fn throw_error(&self, caller: &Caller, task: TaskRef, error: BpmnError) -> Result<Ending, EngineError> {
        self.settle(caller, task, Settlement::Error(error)).await
    }

    async fn fail(&self, caller: &Caller, task: TaskRef, failure: Failure) -> Result<Ending, EngineError> {
        let report = FailureReport {
            message: failure.message,
            details: failure.details,
            retries: failure.retries,
            retry_after: failure
                .retry_after_ms
                .map_or(RETRY_AFTER, |ms| Duration::from_millis(ms.into())),
            variables: failure.variables,
            local_variables: failure.local_variables,
        };
        // Where this host is the holder, its name stays on the task until the next try.
        self.line(&task.engine)?
            .hand
            .park(&task.id, Instant::now() + report.retry_after.max(DETACHED_LOCK));
        self.settle(caller, task, Settlement::Failure(report)).await
    }

    async fn extend_lock(&self, caller: &Caller, task: TaskRef, duration_ms: u32) -> Result<Ending, EngineError> {
        let line = self.line(&task.engine)?;
        let duration = Duration::from_millis(duration_ms.into());
        line.hand.park(&task.id, Instant::now() + duration);
        within(
            caller,
            "extend_lock",
            &task.engine,
            line.engine.extend_detached(&task.id, duration),
        )
        .await
    }

    async fn unlock(&self, caller: &Caller, task: TaskRef) -> Result<Ending, EngineError> {
        let line = self.line(&task.engine)?;
        within(caller, "unlock", &task.engine, line.engine.unlock_detached(&task.id)).await
    }

    async fn read_file(
        &self,
        caller: &Caller,
        reference: FileReference,
        max_bytes: u64,
    ) -> Result<Vec<u8>, EngineError> {
        let line = self.line(&reference.engine)?;
        within(
            caller,
            "read_file",
            &reference.engine,
            line.engine.read_file(&reference, max_bytes),
        )
        .await
    }
}
