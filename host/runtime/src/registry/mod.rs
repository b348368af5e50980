//! The workers' folder: what is in it is what runs.
//!
//! A rescan is the truth; file events only make it happen sooner. A version is the digest of a component *and* its
//! manifest. A candidate is compiled, type-checked and instantiated before it replaces anything, and one that fails
//! leaves what runs alone and says why. Replacing is the swap of one `Arc`: calls finish on the version they started on.

mod catalog;
mod claims;
mod entry;
mod files;
mod kept;
mod load;
mod manager;
mod state_dir;
mod world;

use std::{path::PathBuf, sync::Arc, time::Duration};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::AbortOnDropHandle;

pub use catalog::{CandidateError, Catalog, Pinned, WorkerPhase, WorkerState};
pub use state_dir::check_state_dir;

use crate::{
    cache::Cache, capabilities::secrets::Secrets, config::OperatorPolicy, error::RuntimeError, runtime::Runtime,
    version::Digest,
};
use kept::Store;
use load::Loader;
use manager::{Manager, Reply, Request};
use state_dir::StateDir;

/// Why a worker was not rolled back or unpinned. What runs goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RollbackError {
    /// The folder has no such worker.
    #[error("there is no worker `{worker}` (there are: {known})")]
    UnknownWorker {
        /// The name.
        worker: String,
        /// Those that there are.
        known: String,
    },
    /// No version that ran before the one in the folder is kept.
    #[error("no version of worker `{0}` that ran before is kept")]
    NothingKept(String),
    /// The version that ran before cannot be loaded.
    #[error("version {} of worker `{worker}` cannot be loaded: {reason}", version.short())]
    Refused {
        /// The worker.
        worker: String,
        /// What it would be rolled back to.
        version: Digest,
        /// Why not.
        reason: String,
    },
    /// A rollback of this worker runs already.
    #[error("worker `{0}` is being rolled back already")]
    Busy(String),
    /// Its files were replaced meanwhile.
    #[error(
        "the files of worker `{0}` were replaced meanwhile; look at its status, and roll back again if it has to be"
    )]
    Overtaken(String),
    /// The state directory cannot be written to.
    #[error("the state directory cannot be written to: {0}")]
    Storage(String),
    /// The host is stopping.
    #[error("the host is stopping")]
    Stopping,
}

/// How a folder of workers is watched.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// The folder, with `NAME.wasm` and `NAME.toml` for each worker.
    pub dir: PathBuf,
    /// A private directory for compiled components; none compiles at every start.
    pub cache_dir: Option<PathBuf>,
    /// A private directory for the versions that ran before and for pins, which no other registry may have open; none
    /// keeps them until the registry is dropped.
    pub state_dir: Option<PathBuf>,
    /// How often the folder is read although nothing was reported.
    pub rescan: Duration,
    /// Whether file events are listened to. Without them, as on mounts that report none, the folder is only read regularly.
    pub events: bool,
    /// How long files have to be unchanged before they are taken.
    pub settle: Duration,
    /// How long [`Registry::open`] waits for workers that are being compiled; none waits for all. The others follow when
    /// they are ready, so that one that takes long keeps none from starting.
    pub patience: Option<Duration>,
    /// What the operator decides about workers.
    pub policy: OperatorPolicy,
}

impl RegistryConfig {
    /// The folder with everything else at its default.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            cache_dir: None,
            state_dir: None,
            rescan: Duration::from_secs(1),
            events: true,
            settle: Duration::from_millis(150),
            patience: None,
            policy: OperatorPolicy::default(),
        }
    }
}

/// The workers of a folder, kept up to date until it is dropped.
pub struct Registry {
    catalog: watch::Receiver<Arc<Catalog>>,
    requests: mpsc::Sender<Request>,
    _watcher: Option<RecommendedWatcher>,
    _manager: AbortOnDropHandle<()>,
    _state_dir: StateDir,
}

impl Registry {
    /// Opens a folder. It returns when every worker that is in it was tried (loaded, or refused with a reason that its
    /// [`WorkerState`] has), or when its patience ends.
    pub async fn open(runtime: Arc<Runtime>, config: RegistryConfig) -> Result<Self, RuntimeError> {
        let folder_failed = |reason: String| RuntimeError::Folder {
            path: config.dir.clone(),
            reason,
        };
        if !config.dir.is_dir() {
            return Err(folder_failed(
                "it is no folder; create it, or name another one".to_owned(),
            ));
        }
        let loader = Loader {
            cache: Cache::open(config.cache_dir.as_deref(), &runtime.engine)?,
            policy: config.policy.clone(),
            secrets: Arc::new(Secrets::new(config.policy.secrets.clone())),
            runtime,
        };
        let state_dir = StateDir::open(config.state_dir.as_deref())?;
        let store = Store::open(&state_dir)?;
        let (hint, hints) = mpsc::channel(1);
        let watcher = watch_folder(&config, hint);
        let (requests, received) = mpsc::channel(16);
        let patience = config.patience;
        let (manager, catalog) = Manager::new(loader, store, config);
        let manager = AbortOnDropHandle::new(tokio::spawn(manager.run(received, hints)));
        let registry = Self {
            catalog,
            requests,
            _watcher: watcher,
            _manager: manager,
            _state_dir: state_dir,
        };
        match patience {
            None => drop(registry.rescan().await),
            // Still loading when it ends: the catalog says so, and the next ones have the rest.
            Some(patience) => drop(tokio::time::timeout(patience, registry.rescan()).await),
        }
        Ok(registry)
    }

    /// What runs now.
    pub fn current(&self) -> Arc<Catalog> {
        self.catalog.borrow().clone()
    }

    /// Every catalog from now on; intermediate ones may be skipped.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Catalog>> {
        self.catalog.clone()
    }

    /// Reads the folder now, every file of it, and returns when what was found has been tried.
    pub async fn rescan(&self) -> Arc<Catalog> {
        let (request, answer) = oneshot::channel();
        if self.requests.send(Request::Rescan(request)).await.is_ok() {
            // An error means that the manager has ended, with the process.
            let _ = answer.await;
        }
        self.current()
    }

    /// Runs the version of a worker that ran before the one in the folder, and holds the worker at it until it is
    /// unpinned or a newer version is put into the folder. A worker that is held already stays as it is.
    ///
    /// # Errors
    /// There is no such worker, nothing that ran before is kept, or it cannot be loaded: what runs goes on.
    pub async fn rollback(&self, worker: &str) -> Result<WorkerState, RollbackError> {
        self.ask(|reply| Request::Rollback(worker.to_owned(), reply)).await
    }

    /// Lets a worker run what is in the folder again, and returns when that has been tried.
    ///
    /// # Errors
    /// There is no such worker, or the pin cannot be removed.
    pub async fn unpin(&self, worker: &str) -> Result<WorkerState, RollbackError> {
        self.ask(|reply| Request::Unpin(worker.to_owned(), reply)).await
    }

    async fn ask(&self, request: impl FnOnce(Reply) -> Request) -> Result<WorkerState, RollbackError> {
        let (reply, answer) = oneshot::channel();
        self.requests
            .send(request(reply))
            .await
            .map_err(|_| RollbackError::Stopping)?;
        answer.await.map_err(|_| RollbackError::Stopping)?
    }
}

/// File events, which make a rescan happen sooner. Where there are none (network file systems, some mounts), the rescans
/// alone do.
fn watch_folder(config: &RegistryConfig, hint: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    if !config.events {
        return None;
    }
    let handler = move |event: notify::Result<notify::Event>| {
        // Reading the files is an event too, which would make every rescan cause the next one.
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // A full channel: a rescan is due anyway.
            let _ = hint.try_send(());
        }
    };
    let watching = notify::recommended_watcher(handler).and_then(|mut watcher| {
        watcher.watch(&config.dir, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watching
        .inspect_err(
            |error| tracing::warn!(%error, "no file events for the workers' folder; it is rescanned regularly"),
        )
        .ok()
}
