//! The runtime: one wasmtime engine, the threads that guests run on, and the slots that bound how many run.

use std::sync::Arc;

use tokio::{runtime::Handle, sync::Semaphore};
use wasmtime::{
    Engine,
    component::{HasSelf, Linker},
};

use crate::{
    bindings::imports,
    capabilities::http::HttpClient,
    compile::Compiler,
    config::{Allocator, RuntimeConfig},
    engine,
    error::RuntimeError,
    limits::HostMemory,
    logs::LogVolume,
    state::RunState,
};

/// Everything that all workers share. Cheap to share, expensive to make: one per process.
pub struct Runtime {
    pub(crate) config: RuntimeConfig,
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<RunState>,
    pub(crate) compiler: Compiler,
    pub(crate) http: Arc<HttpClient>,
    /// What all calls together have.
    pub(crate) memory: Arc<HostMemory>,
    pub(crate) log_volume: Arc<LogVolume>,
    /// The embedder's runtime, on which capabilities are called.
    pub(crate) host: Handle,
    pub(crate) tasks: Arc<Semaphore>,
    pub(crate) delegates: Arc<Semaphore>,
    /// The slots of candidates.
    pub(crate) trials: Arc<Semaphore>,
    allocator: Allocator,
    guests: GuestThreads,
}

impl Runtime {
    /// Sets the runtime up. It has to be called within a tokio runtime: that is where capabilities are called.
    pub fn new(config: RuntimeConfig) -> Result<Arc<Self>, RuntimeError> {
        let host = Handle::try_current().map_err(|_| RuntimeError::NoTokioRuntime)?;
        let (engine, allocator) = engine::create(&config)?;
        let linker = link(&engine).map_err(|error| RuntimeError::Engine(format!("{error:#}")))?;
        engine::start_ticker(&engine).map_err(RuntimeError::Threads)?;
        let guests = GuestThreads::start(config.threads)?;
        let slots = |n: u32| Arc::new(Semaphore::new(n as usize));
        tracing::info!(
            ?allocator,
            task_slots = config.task_slots,
            delegate_slots = config.delegate_slots,
            "runtime ready"
        );
        Ok(Arc::new(Self {
            compiler: Compiler::new(&engine, &config),
            http: Arc::default(),
            memory: HostMemory::new(config.memory_bytes),
            log_volume: Arc::new(LogVolume::new(config.log_lines_per_second)),
            host,
            tasks: slots(config.task_slots),
            delegates: slots(config.delegate_slots),
            trials: slots(engine::TRIAL_SLOTS),
            config,
            engine,
            linker,
            allocator,
            guests,
        }))
    }

    /// Its configuration.
    pub fn config(&self) -> &RuntimeConfig {
        &self.config
    }

    /// The allocator that was chosen: [`Allocator::Pooling`] or [`Allocator::OnDemand`].
    pub fn allocator(&self) -> Allocator {
        self.allocator
    }

    /// Task slots that are free now.
    pub fn free_task_slots(&self) -> u32 {
        u32::try_from(self.tasks.available_permits()).unwrap_or(u32::MAX)
    }

    /// Delegate slots that are free now.
    pub fn free_delegate_slots(&self) -> u32 {
        u32::try_from(self.delegates.available_permits()).unwrap_or(u32::MAX)
    }

    /// Linear memory that all instances together have now, in bytes.
    pub fn memory_used(&self) -> usize {
        self.memory.used()
    }

    /// The threads that guests run on.
    pub(crate) fn guests(&self) -> &Handle {
        &self.guests.handle
    }
}

/// Links the contract and WASI 0.2. Everything is linked for every component, because toolchains import WASI whether
/// it is used or not; what a worker may not do is denied when it is called.
fn link(engine: &Engine) -> wasmtime::Result<Linker<RunState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    let l = &mut linker;
    imports::types::add_to_linker::<_, HasSelf<_>>(l, |state: &mut RunState| state)?;
    imports::processes::add_to_linker::<_, HasSelf<_>>(l, |state: &mut RunState| state)?;
    imports::tasks::add_to_linker::<_, HasSelf<_>>(l, |state: &mut RunState| state)?;
    imports::run::add_to_linker::<_, HasSelf<_>>(l, |state: &mut RunState| state)?;
    imports::config::add_to_linker::<_, HasSelf<_>>(l, |state: &mut RunState| state)?;
    imports::logging::add_to_linker::<_, HasSelf<_>>(l, |state: &mut RunState| state)?;
    imports::secrets::add_to_linker::<_, HasSelf<_>>(l, |state: &mut RunState| state)?;
    Ok(linker)
}

/// Threads of their own for guests, so that spinning guests cannot starve the embedder's polling, locks and timers: the
/// operating system shares the processors between the two pools, and a thread that wakes up for a moment goes first.
struct GuestThreads {
    handle: Handle,
    runtime: Option<tokio::runtime::Runtime>,
}

impl GuestThreads {
    fn start(threads: Option<usize>) -> Result<Self, RuntimeError> {
        let threads = threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from))
            .max(1);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("handoff-guest")
            .worker_threads(threads)
            // A new call comes in by the global queue: it waits for one turn of a guest that computes, not for several.
            .global_queue_interval(1)
            .enable_all()
            .build()
            .map_err(RuntimeError::Threads)?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }
}

impl Drop for GuestThreads {
    fn drop(&mut self) {
        // Within an async context a runtime must not be dropped by waiting for its threads.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
