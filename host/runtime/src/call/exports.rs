//! The two exports that a component may have, and how each is called.

use std::sync::Arc;

use tokio::sync::Semaphore;
use wasmtime::Store;

use super::size;
use crate::{
    error::{CallError, CallErrorKind},
    logs::Redact,
    runtime::Runtime,
    state::RunState,
    version::WorkerVersion,
    wit::{
        delegate::{DelegateError, Delegation, Execution},
        types::{FileReference, Outcome, Task, TaskRef},
    },
};

/// The input of an export, which knows how to call it.
pub(crate) trait Export: Send + 'static {
    /// What the export returns.
    type Output: Redact + Send + 'static;

    /// What the log calls this call.
    fn id(&self) -> String;
    fn task(&self) -> Option<TaskRef>;
    fn invocation(&self) -> Option<String>;
    /// File variables that came with the input.
    fn files(&self) -> Vec<FileReference>;
    /// The slots that calls of this export share.
    fn slots(runtime: &Runtime) -> &Arc<Semaphore>;
    /// Whether the version has the export and the input fits its limits.
    fn check(&self, version: &WorkerVersion) -> Result<(), CallError>;
    /// Instantiates the component and calls the export.
    fn invoke(
        self,
        store: &mut Store<RunState>,
        version: &WorkerVersion,
    ) -> impl Future<Output = wasmtime::Result<Self::Output>> + Send;
}

impl Export for Task {
    type Output = Outcome;

    fn id(&self) -> String {
        self.id.id.clone()
    }

    fn task(&self) -> Option<TaskRef> {
        Some(self.id.clone())
    }

    fn invocation(&self) -> Option<String> {
        None
    }

    fn files(&self) -> Vec<FileReference> {
        size::files(&self.variables)
    }

    fn slots(runtime: &Runtime) -> &Arc<Semaphore> {
        &runtime.tasks
    }

    fn check(&self, version: &WorkerVersion) -> Result<(), CallError> {
        if version.handler.is_none() {
            return Err(not_exported(version, "a handler"));
        }
        fits("task", size::task(self), version)
    }

    async fn invoke(self, store: &mut Store<RunState>, version: &WorkerVersion) -> wasmtime::Result<Outcome> {
        let instance = version.pre.instantiate_async(&mut *store).await?;
        let Some(handler) = &version.handler else {
            wasmtime::bail!("the component exports no handler");
        };
        handler.load(&mut *store, &instance)?.call_handle(store, &self).await
    }
}

impl Export for Execution {
    type Output = Result<Delegation, DelegateError>;

    fn id(&self) -> String {
        self.invocation_id.clone()
    }

    fn task(&self) -> Option<TaskRef> {
        None
    }

    fn invocation(&self) -> Option<String> {
        Some(self.invocation_id.clone())
    }

    fn files(&self) -> Vec<FileReference> {
        size::files(&self.variables)
    }

    fn slots(runtime: &Runtime) -> &Arc<Semaphore> {
        &runtime.delegates
    }

    fn check(&self, version: &WorkerVersion) -> Result<(), CallError> {
        if version.delegate.is_none() {
            return Err(not_exported(version, "a delegate"));
        }
        fits("execution", size::execution(self), version)
    }

    async fn invoke(self, store: &mut Store<RunState>, version: &WorkerVersion) -> wasmtime::Result<Self::Output> {
        let instance = version.pre.instantiate_async(&mut *store).await?;
        let Some(delegate) = &version.delegate else {
            wasmtime::bail!("the component exports no delegate");
        };
        delegate.load(&mut *store, &instance)?.call_execute(store, &self).await
    }
}

/// A call of nothing: the component is instantiated, as a candidate has to be before it replaces anything.
pub(super) struct Trial;

impl Export for Trial {
    type Output = ();

    fn id(&self) -> String {
        "trial".to_owned()
    }

    fn task(&self) -> Option<TaskRef> {
        None
    }

    fn invocation(&self) -> Option<String> {
        None
    }

    fn files(&self) -> Vec<FileReference> {
        Vec::new()
    }

    fn slots(runtime: &Runtime) -> &Arc<Semaphore> {
        &runtime.trials
    }

    fn check(&self, _: &WorkerVersion) -> Result<(), CallError> {
        Ok(())
    }

    async fn invoke(self, store: &mut Store<RunState>, version: &WorkerVersion) -> wasmtime::Result<()> {
        version.pre.instantiate_async(store).await.map(drop)
    }
}

fn not_exported(version: &WorkerVersion, what: &str) -> CallError {
    CallError::new(
        CallErrorKind::NotExported,
        format!("worker `{}` does not export {what}", version.name),
    )
}

fn fits(what: &str, bytes: usize, version: &WorkerVersion) -> Result<(), CallError> {
    let limit = version.limits.payload_bytes;
    if bytes <= limit {
        return Ok(());
    }
    Err(CallError::new(
        CallErrorKind::PayloadTooLarge,
        format!(
            "the {what} has {} KiB; the payload limit of worker `{}` is {} KiB. Fetch fewer variables, or raise payload-kb \
             under [limits] in its manifest",
            bytes.div_ceil(1 << 10),
            version.name,
            limit >> 10
        ),
    ))
}
