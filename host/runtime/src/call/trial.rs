//! Trying a candidate: it is instantiated once before it replaces anything.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{CallContext, exports::Trial, failure, run};
use crate::{
    capabilities::{Caller, Capabilities},
    deadline::Deadline,
    error::CallError,
    logs::RunLog,
    version::WorkerVersion,
    wit::{
        processes::{Message, Receiver, StartRequest, Started},
        tasks::Ending,
        types::{BpmnError, Completion, EngineError, Failure, FileReference, TaskRef, Variable},
    },
};

/// How long the code may take that a component runs when it is instantiated.
const PATIENCE: Duration = Duration::from_secs(10);

/// Instantiates a version.
pub(crate) async fn try_out(version: &Arc<WorkerVersion>) -> Result<(), CallError> {
    let context = CallContext {
        deadline: Deadline::after(PATIENCE),
        capabilities: Arc::new(NoEngines),
        cancel: CancellationToken::new(),
        traceparent: None,
    };
    let log = RunLog::new(
        version.shared_name.clone(),
        "trial".to_owned(),
        version.limits.log_lines,
        version.runtime.log_volume.clone(),
    );
    let result = run(version, Trial, context, &log).await;
    let (tail, _) = log.finish();
    result.map_err(|error| failure::with_log(error, &log, tail))
}

/// The capabilities of a worker that reaches no engine: one that is only tried, or measured.
#[derive(Debug, Clone, Copy)]
pub struct NoEngines;

fn refused<T>() -> Result<T, EngineError> {
    Err(EngineError::Unavailable("no engine is reached from here".to_owned()))
}

#[async_trait]
impl Capabilities for NoEngines {
    async fn start(&self, _: &Caller, _: StartRequest) -> Result<Started, EngineError> {
        refused()
    }

    async fn correlate(&self, _: &Caller, _: Message) -> Result<Vec<Receiver>, EngineError> {
        refused()
    }

    async fn set_variables(&self, _: &Caller, _: String, _: String, _: Vec<Variable>) -> Result<(), EngineError> {
        refused()
    }

    async fn complete(&self, _: &Caller, _: TaskRef, _: Completion) -> Result<Ending, EngineError> {
        refused()
    }

    async fn throw_error(&self, _: &Caller, _: TaskRef, _: BpmnError) -> Result<Ending, EngineError> {
        refused()
    }

    async fn fail(&self, _: &Caller, _: TaskRef, _: Failure) -> Result<Ending, EngineError> {
        refused()
    }

    async fn extend_lock(&self, _: &Caller, _: TaskRef, _: u32) -> Result<Ending, EngineError> {
        refused()
    }

    async fn unlock(&self, _: &Caller, _: TaskRef) -> Result<Ending, EngineError> {
        refused()
    }

    async fn read_file(&self, _: &Caller, _: FileReference, _: u64) -> Result<Vec<u8>, EngineError> {
        refused()
    }
}
