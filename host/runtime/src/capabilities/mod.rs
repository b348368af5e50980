//! What a worker may do beyond computing, and who decides.
//!
//! [`Capabilities`] is the embedder's side: it talks to engines. Grants are checked here, before it is called: a call
//! that reaches it is one that both the manifest and the operator allow.

mod files;
pub(crate) mod grants;
pub(crate) mod http;
mod logging;
mod processes;
mod run;
pub(crate) mod secrets;
mod tasks;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    deadline::Deadline,
    wit::{
        processes::{Message, Receiver, StartRequest, Started},
        tasks::Ending,
        types::{BpmnError, Completion, EngineError, Failure, FileReference, TaskRef, Variable},
    },
};

/// Who makes a call, and until when it is waited for.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The worker's name.
    pub worker: Arc<str>,
    /// The digest of the worker's version, in hex.
    pub version: Arc<str>,
    /// The task that the worker handles; none in a delegate.
    pub task: Option<TaskRef>,
    /// The invocation that the delegate serves; none in a handler.
    pub invocation: Option<String>,
    /// When the run ends: no answer is waited for longer.
    pub deadline: Deadline,
    /// The run's W3C `traceparent`.
    pub traceparent: Option<String>,
}

/// The engines' side of a worker's capabilities. A call may be dropped at any await: the run was stopped.
///
/// An error of kind `unavailable` or `timeout` means that the call may have had its effect.
#[async_trait]
pub trait Capabilities: Send + Sync + 'static {
    /// Starts a process instance, once per dedupe key.
    async fn start(&self, caller: &Caller, request: StartRequest) -> Result<Started, EngineError>;

    /// Correlates a message.
    async fn correlate(&self, caller: &Caller, message: Message) -> Result<Vec<Receiver>, EngineError>;

    /// Sets variables of a process instance.
    async fn set_variables(
        &self,
        caller: &Caller,
        engine: String,
        process_instance_id: String,
        variables: Vec<Variable>,
    ) -> Result<(), EngineError>;

    /// Completes a task on behalf of whoever holds its lock.
    async fn complete(&self, caller: &Caller, task: TaskRef, completion: Completion) -> Result<Ending, EngineError>;

    /// Ends a task with a BPMN error on behalf of whoever holds its lock.
    async fn throw_error(&self, caller: &Caller, task: TaskRef, error: BpmnError) -> Result<Ending, EngineError>;

    /// Reports a failure of a task on behalf of whoever holds its lock.
    async fn fail(&self, caller: &Caller, task: TaskRef, failure: Failure) -> Result<Ending, EngineError>;

    /// Lets the lock of a task run for this many milliseconds from now.
    async fn extend_lock(&self, caller: &Caller, task: TaskRef, duration_ms: u32) -> Result<Ending, EngineError>;

    /// Gives a task back.
    async fn unlock(&self, caller: &Caller, task: TaskRef) -> Result<Ending, EngineError>;

    /// Reads the content of a file variable. `max_bytes` is the largest content that the worker may be given; more is
    /// [`EngineError::LimitExceeded`], found out without reading it all.
    async fn read_file(
        &self,
        caller: &Caller,
        reference: FileReference,
        max_bytes: u64,
    ) -> Result<Vec<u8>, EngineError>;
}
