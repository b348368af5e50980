//! One version of a worker: a component and its manifest, prepared to be called.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use tokio::sync::Semaphore;
use wasmtime::component::InstancePre;

use crate::{
    bindings::{delegate_export, handler_export},
    call::{self, CallContext},
    capabilities::{grants::WorkerGrants, secrets::Secrets},
    config::WorkerLimits,
    error::CallError,
    manifest::Manifest,
    meter::WorkerMeter,
    runtime::Runtime,
    state::RunState,
    wit::{
        delegate::{DelegateError, Delegation, Execution},
        types::{Outcome, Task},
    },
};

/// The identity of a version: the SHA-256 of its component's digest and its manifest's text, so that a change of either
/// is another version.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The identity of a component with its manifest.
    pub fn of_version(component: &Digest, manifest: &[u8]) -> Self {
        Self(
            Sha256::new()
                .chain_update(component.0)
                .chain_update(manifest)
                .finalize()
                .into(),
        )
    }

    /// The first twelve hex digits, for people.
    pub fn short(&self) -> String {
        let mut hex = self.to_string();
        hex.truncate(12);
        hex
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

impl FromStr for Digest {
    type Err = &'static str;

    fn from_str(hex: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        if hex.len() != 64 || !hex.is_ascii() {
            return Err("a digest has 64 hex digits");
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).map_err(|_| "a digest has 64 hex digits")?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(hex: String) -> Result<Self, Self::Error> {
        hex.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// One version of a worker. It stays usable for as long as somebody holds it, also when a newer one took over.
pub struct WorkerVersion {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) name: String,
    pub(crate) shared_name: Arc<str>,
    pub(crate) digest: Digest,
    pub(crate) shared_digest: Arc<str>,
    pub(crate) component_digest: Digest,
    pub(crate) compiled_in: Option<Duration>,
    pub(crate) manifest: Manifest,
    pub(crate) limits: WorkerLimits,
    pub(crate) grants: Arc<WorkerGrants>,
    pub(crate) config: Arc<BTreeMap<String, String>>,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) pre: InstancePre<RunState>,
    pub(crate) handler: Option<handler_export::GuestIndices>,
    pub(crate) delegate: Option<delegate_export::GuestIndices>,
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) metrics: WorkerMeter,
}

impl WorkerVersion {
    /// The worker's name: that of its files.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version's identity.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The digest of the component alone.
    pub fn component_digest(&self) -> Digest {
        self.component_digest
    }

    /// How long compiling it took; none where the cache had it.
    pub fn compiled_in(&self) -> Option<Duration> {
        self.compiled_in
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The limits that hold for each call.
    pub fn limits(&self) -> &WorkerLimits {
        &self.limits
    }

    /// Handles a task in a fresh instance.
    ///
    /// It waits for a free slot until the deadline; [`CallErrorKind::NoCapacity`](crate::CallErrorKind::NoCapacity)
    /// means that there was none and the worker was not called.
    pub async fn handle(self: &Arc<Self>, task: Task, context: CallContext) -> Result<Outcome, CallError> {
        call::call(self, task, context).await
    }

    /// Serves an engine's call of a delegate in a fresh instance, in a slot apart from those of tasks.
    ///
    /// The outer error is the call's, the inner one the worker's own answer.
    pub async fn execute(
        self: &Arc<Self>,
        execution: Execution,
        context: CallContext,
    ) -> Result<Result<Delegation, DelegateError>, CallError> {
        call::call(self, execution, context).await
    }

    /// Whether the component exports a handler of tasks.
    pub fn has_handler(&self) -> bool {
        self.handler.is_some()
    }

    /// Whether the component exports a delegate.
    pub fn has_delegate(&self) -> bool {
        self.delegate.is_some()
    }

    /// Instances of this version that live now.
    pub fn running(&self) -> u32 {
        self.metrics.now_running()
    }

    /// Tasks that could start now: what the worker's concurrency and the host's task slots leave.
    pub fn free_slots(&self) -> u32 {
        u32::try_from(self.slots.available_permits())
            .unwrap_or(u32::MAX)
            .min(self.runtime.free_task_slots())
    }
}

impl fmt::Debug for WorkerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerVersion")
            .field("name", &self.name)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}
