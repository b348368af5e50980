//! A whole host: from its configuration to its stop.
//!
//! Stopping: polls are aborted at once, running tasks have until the deadline, what is left then is given back, and a
//! last look finds what an aborted poll may have locked. Deferred tasks stay locked: somebody else will complete them.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use handoff_runtime::{Catalog, Registry, RegistryConfig, Runtime, RuntimeConfig, RuntimeError, WorkerLimits};
use metrics_exporter_prometheus::PrometheusHandle;
use rand::Rng;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    admin::Status,
    capabilities::EngineCapabilities,
    config::{AdminConfig, Config, Dialect},
    delegates::Delegates,
    dispatch::{Dispatcher, Line},
    engines::{Engine, camunda7::Camunda7},
    metric,
    poll::Poller,
    server::{Gate, Server},
    slots::Slots,
    sweep::Sweeper,
    worker::Workforce,
};

/// How often what is recorded is summed up. Until then, or until somebody reads the metrics, it takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// How long a last look for forgotten locks may take when a host stops.
const LAST_SWEEP: Duration = Duration::from_secs(2);

/// Why a host could not start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// An engine's configuration cannot be used.
    #[error("[engines.{engine}] {message}")]
    Engine {
        /// The engine.
        engine: String,
        /// What is wrong with it.
        message: String,
    },
    /// The workers' runtime or folder cannot be used.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A listener could not be bound.
    #[error("[{table}] listen = \"{address}\": {error}")]
    Listen {
        /// `admin` or `delegates`.
        table: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: std::io::Error,
    },
}

/// A host that runs.
pub struct Host {
    engines: Vec<Running>,
    dispatcher: Arc<Dispatcher>,
    registry: Option<Arc<Registry>>,
    admin: Option<Server>,
    delegates: Option<Server>,
    status: Arc<Status>,
    stop: CancellationToken,
    stop_servers: CancellationToken,
    /// A host that is dropped without a shutdown ends at once.
    _ends_with_it: [DropGuard; 2],
}

/// One engine's background work.
struct Running {
    sweeper: Arc<Sweeper>,
    poller: JoinHandle<bool>,
}

impl Host {
    /// Starts a host: loads the workers, then polls. The engines need not be there yet.
    pub async fn start(config: Config, runtime: RuntimeConfig) -> Result<Self, HostError> {
        // First: what loads workers looks its metrics up, and nothing is recorded before there is a recorder.
        prometheus();
        let runtime = Runtime::new(runtime)?;
        let registry = Arc::new(open_folder(&config, runtime).await?);
        let (workforce, catalog) = (follow(registry.subscribe()), registry.subscribe());
        Self::assemble(config, workforce, catalog, Some(registry)).await
    }

    /// Starts a host with workers that are no components: native code, in tests or in an embedding program. The
    /// configured folder is not read.
    pub async fn start_with(config: Config, workforce: watch::Receiver<Arc<Workforce>>) -> Result<Self, HostError> {
        let (nothing, catalog) = watch::channel(Arc::new(Catalog::default()));
        drop(nothing);
        Self::assemble(config, workforce, catalog, None).await
    }

    async fn assemble(
        config: Config,
        workforce: watch::Receiver<Arc<Workforce>>,
        catalog: watch::Receiver<Arc<Catalog>>,
        registry: Option<Arc<Registry>>,
    ) -> Result<Self, HostError> {
        let metrics = prometheus();
        let worker_id = worker_id();
        let lines = connect(&config, &worker_id)?;
        let stop = CancellationToken::new();
        let capabilities = EngineCapabilities::new(lines.iter().cloned());
        let slots = Slots::new(config.limits.concurrency);
        let dispatcher = Dispatcher::new(
            workforce.clone(),
            capabilities.clone(),
            slots.clone(),
            config.limits.lost_locks,
        );
        tokio::spawn(keep_up(metrics.clone(), stop.clone()));
        let status = Arc::new(Status {
            engines: lines.iter().map(|line| (line.clone(), line.health.clone())).collect(),
            catalog,
            slots: slots.clone(),
            tallies: dispatcher.tallies.clone(),
            registry: registry.clone(),
            may_change: config.admin.as_ref().is_some_and(AdminConfig::may_change),
            metrics,
            stopping: stop.clone(),
        });
        let stop_servers = CancellationToken::new();
        let ends_with_it = [stop.clone().drop_guard(), stop_servers.clone().drop_guard()];
        let mut host = Self {
            engines: Vec::new(),
            dispatcher: dispatcher.clone(),
            registry,
            admin: None,
            delegates: None,
            status: status.clone(),
            stop,
            stop_servers,
            _ends_with_it: ends_with_it,
        };
        if let Some(admin) = &config.admin {
            let gate = Gate::new(admin.token_file.clone(), &["/healthz", "/readyz"], admin.listen);
            host.admin = Some(host.serve("admin", admin.listen, status.router(), gate).await?);
        }
        if let Some(delegates) = &config.delegates {
            let gate = Gate::new(delegates.token_file.clone(), &[], delegates.listen);
            let limit = config.limits.delegate_concurrency;
            let router = Delegates::new(workforce.clone(), capabilities, limit).router();
            host.delegates = Some(host.serve("delegates", delegates.listen, router, gate).await?);
        }
        // Last: a host that cannot start must not have locked anything.
        for line in lines {
            let Some(settings) = config.engines.get(line.engine.name()).cloned() else {
                continue;
            };
            metric::begin_engine(line.engine.name());
            let (health, stop) = (line.health.clone(), host.stop.clone());
            let sweeper = Arc::new(Sweeper::new(line.clone(), health.clone()));
            let poller = Poller {
                line: line.clone(),
                health: health.clone(),
                sweeper: sweeper.clone(),
                dispatcher: dispatcher.clone(),
                slots: slots.clone(),
                workforce: workforce.clone(),
                config: settings,
            };
            let poller = tokio::spawn(poller.keep_running(stop.clone()));
            tokio::spawn({
                let (sweeper, stop) = (sweeper.clone(), stop.clone());
                async move { sweeper.run(stop).await }
            });
            tokio::spawn(async move { health.watch(&*line.engine, stop).await });
            host.engines.push(Running { sweeper, poller });
        }
        tracing::info!(worker_id, engines = host.engines.len(), admin = ?host.admin_address(), delegates = ?host.delegates_address(), "the host runs");
        Ok(host)
    }

    async fn serve(
        &self,
        table: &'static str,
        address: SocketAddr,
        router: axum::Router,
        gate: Gate,
    ) -> Result<Server, HostError> {
        Server::start(address, router, gate, self.stop_servers.clone())
            .await
            .map_err(|error| HostError::Listen { table, address, error })
    }

    /// Where health, metrics and status are served.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|server| server.address)
    }

    /// Where delegates are served.
    pub fn delegates_address(&self) -> Option<SocketAddr> {
        self.delegates.as_ref().map(|server| server.address)
    }

    /// The workers' folder, where there is one.
    pub const fn registry(&self) -> Option<&Arc<Registry>> {
        self.registry.as_ref()
    }

    /// What the admin server shows.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// Stops: nothing is fetched any more, and running tasks and the polls of engines that would go on to serve them end
    /// by `patience` from now. To end at once, drop the future.
    pub async fn shutdown(self, patience: Duration) {
        let deadline = Instant::now() + patience;
        tracing::info!(
            running = self.dispatcher.running(),
            patience_ms = patience.as_millis(),
            "the host stops"
        );
        self.stop.cancel();
        let pollers = futures::future::join_all(self.engines.into_iter().map(
            |Running { sweeper, mut poller }| async move {
                let ended = tokio::time::timeout(patience, &mut poller).await;
                if ended.is_err() {
                    poller.abort();
                }
                // A poller that panicked, or had no time, may have left polls behind too.
                let abandoned = !matches!(ended, Ok(Ok(false)));
                abandoned.then_some(sweeper)
            },
        ));
        let (abandoned, ()) = tokio::join!(pollers, self.dispatcher.drain(deadline));
        let abandoned: Vec<_> = abandoned.into_iter().flatten().collect();
        let sweeps = abandoned
            .iter()
            .map(|sweeper| tokio::time::timeout(LAST_SWEEP, sweeper.sweep()));
        for swept in futures::future::join_all(sweeps).await {
            if !matches!(swept, Ok(Ok(_))) {
                tracing::warn!("an engine could not be asked for forgotten locks; they run out by themselves");
            }
        }
        // Last: engines may need delegates for what the tasks above set off.
        self.stop_servers.cancel();
        for server in [self.admin, self.delegates].into_iter().flatten() {
            server
                .stopped(deadline.max(Instant::now() + Duration::from_millis(200)))
                .await;
        }
        tracing::info!("the host has stopped");
    }
}

/// Opens the workers' folder. Earlier versions and pins are kept where the configuration says, else beside it; where that
/// cannot be used, until the host stops.
async fn open_folder(config: &Config, runtime: Arc<Runtime>) -> Result<Registry, RuntimeError> {
    let mut folder = RegistryConfig::new(&config.workers.dir);
    folder.cache_dir.clone_from(&config.workers.cache_dir);
    folder.policy = config.policy();
    folder.state_dir = config.workers.state_dir.clone().or_else(|| config.default_state_dir());
    match Registry::open(runtime.clone(), folder.clone()).await {
        Err(error @ RuntimeError::State { .. }) if config.workers.state_dir.is_none() => {
            tracing::warn!(%error, "rollbacks hold until the host stops; set state-dir under [workers]");
            folder.state_dir = None;
            Registry::open(runtime, folder).await
        }
        opened => opened,
    }
}

/// The runtime's configuration as the host's file has it.
pub fn runtime_config(config: &Config) -> RuntimeConfig {
    let max_limits = config.limits.worker_max.over(&WorkerLimits::ceiling());
    RuntimeConfig {
        task_slots: config.limits.concurrency,
        delegate_slots: config.limits.delegate_concurrency,
        threads: config.limits.threads,
        allocator: config.limits.allocator,
        default_limits: config
            .limits
            .worker_default
            .over(&WorkerLimits::default())
            .capped(&max_limits),
        max_limits,
        memory_bytes: (config.limits.memory_mb as usize) << 20,
        log_lines_per_second: config.limits.log_lines_per_second,
        compile_timeout: Duration::from_millis(config.limits.compile_ms),
        compile_memory_bytes: u64::from(config.limits.compile_memory_mb) << 20,
        ..RuntimeConfig::default()
    }
}

/// Connections to the configured engines; nothing is sent yet.
pub(crate) fn connect(config: &Config, worker_id: &str) -> Result<Vec<Line>, HostError> {
    let mut lines = Vec::new();
    for (name, settings) in &config.engines {
        let engine: Arc<dyn Engine> = match settings.dialect {
            Dialect::Camunda7 => {
                Arc::new(
                    Camunda7::new(name, worker_id, settings).map_err(|message| HostError::Engine {
                        engine: name.clone(),
                        message,
                    })?,
                )
            }
        };
        lines.push(Line {
            engine,
            hand: Arc::default(),
            health: Arc::default(),
        });
    }
    Ok(lines)
}

/// Unique per process: machine, process, and a random part, because process ids come back in containers.
pub(crate) fn worker_id() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "handoff".to_owned());
    format!("{host}-{}-{:08x}", std::process::id(), rand::rng().random::<u32>())
}

/// The workforce of each catalog.
fn follow(mut catalogs: watch::Receiver<Arc<Catalog>>) -> watch::Receiver<Arc<Workforce>> {
    let first = Workforce::from(&**catalogs.borrow_and_update());
    show_topics(&first);
    let (workforce, follower) = watch::channel(Arc::new(first));
    tokio::spawn(async move {
        while catalogs.changed().await.is_ok() {
            let next = Workforce::from(&**catalogs.borrow_and_update());
            show_topics(&next);
            workforce.send_replace(Arc::new(next));
        }
        // Kept until nobody asks any more: a registry that was closed is no reason to forget the workers.
        workforce.closed().await;
    });
    follower
}

fn show_topics(workforce: &Workforce) {
    for (engine, assignment) in workforce.all_assignments() {
        metric::begin_topic(engine, assignment.worker.profile());
    }
}

/// Keeps metrics that nobody reads from growing.
async fn keep_up(metrics: PrometheusHandle, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(UPKEEP)).await.is_some() {
        metrics.run_upkeep();
    }
}

/// The process's metrics; one recorder for all hosts of a process.
fn prometheus() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(metric::record).clone()
}
