//! What belongs to one call: the data of its store.

use std::{collections::BTreeMap, sync::Arc};

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::{
    bindings::imports,
    capabilities::{
        Caller, Capabilities,
        grants::WorkerGrants,
        http::{HttpClient, HttpHooks},
        secrets::Secrets,
    },
    limits::{HostMemory, MemoryLimiter},
    logs::{RunLog, StdStream},
    wit::types::{EngineError, FileReference},
};

/// Resources (streams, requests, pollables) that a call may hold at once.
const MAX_RESOURCES: usize = 1_000;
/// Random bytes that a guest may ask for at once.
const MAX_RANDOM_BYTES: u64 = 1 << 20;

/// The data of a call's store.
pub(crate) struct RunState {
    /// Made when the guest first calls a WASI function: many never do.
    wasi: Option<WasiCtx>,
    table: ResourceTable,
    http: WasiHttpCtx,
    hooks: HttpHooks,
    pub(crate) limiter: MemoryLimiter,
    pub(crate) run: Run,
}

/// What the capabilities of a call work with.
pub(crate) struct Run {
    pub(crate) caller: Arc<Caller>,
    pub(crate) capabilities: Arc<dyn Capabilities>,
    pub(crate) grants: Arc<WorkerGrants>,
    pub(crate) config: Arc<BTreeMap<String, String>>,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) http: Arc<HttpClient>,
    pub(crate) log: RunLog,
    /// Files that came with the task, which may be read without a grant.
    pub(crate) own_files: Vec<FileReference>,
    pub(crate) payload_bytes: usize,
    /// The embedder's runtime, on which capabilities are called.
    pub(crate) host: Handle,
}

impl RunState {
    pub(crate) fn new(run: Run, memory_bytes: usize, host_memory: Arc<HostMemory>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let hooks = HttpHooks::new(&run);
        Self {
            wasi: None,
            table,
            http: WasiHttpCtx::new(),
            hooks,
            limiter: MemoryLimiter::new(memory_bytes, host_memory),
            run,
        }
    }
}

impl imports::types::Host for RunState {}

impl WasiView for RunState {
    /// An empty context: clocks and randomness; no files, no environment, no sockets; output is logged.
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let log = &self.run.log;
        let ctx = self.wasi.get_or_insert_with(|| {
            WasiCtxBuilder::new()
                .stdout(log.stream(StdStream::Out))
                .stderr(log.stream(StdStream::Err))
                .max_random_size(MAX_RANDOM_BYTES)
                .build()
        });
        WasiCtxView {
            ctx,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for RunState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

impl Run {
    /// Calls the embedder on its own runtime, so that its connections live there and no guest can starve them. When the
    /// run is dropped, the call is aborted.
    pub(crate) async fn on_host<T, F>(
        &self,
        call: impl FnOnce(Arc<dyn Capabilities>, Arc<Caller>) -> F,
    ) -> Result<T, EngineError>
    where
        F: Future<Output = Result<T, EngineError>> + Send + 'static,
        T: Send + 'static,
    {
        let future = call(self.capabilities.clone(), self.caller.clone());
        match AbortOnDropHandle::new(self.host.spawn(future)).await {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(%error, worker = &*self.caller.worker, "a capability's implementation panicked");
                Err(EngineError::Other(
                    "the host failed while it made the call; its log says more".to_owned(),
                ))
            }
        }
    }
}
