//! The workers' folder: what is in it is what runs.
//!
//! A rescan is the truth; file events only make it happen sooner. A version is the digest of a component *and* its
//! manifest. A candidate is compiled, type-checked and instantiated before it replaces anything, and one that fails
//! leaves what runs alone and says why. Replacing is the swap of one `Arc`: calls finish on the version they started on.

mod catalog;
mod claims;
mod entry;
mod files;
mod load;
mod manager;
mod world;

use std::{path::PathBuf, sync::Arc, time::Duration};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::AbortOnDropHandle;

pub use catalog::{CandidateError, Catalog, WorkerPhase, WorkerState};

use crate::{
    cache::Cache, capabilities::secrets::Secrets, config::OperatorPolicy, error::RuntimeError, runtime::Runtime,
};
use load::Loader;
use manager::{Manager, Rescan};

/// How a folder of workers is watched.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// The folder, with `NAME.wasm` and `NAME.toml` for each worker.
    pub dir: PathBuf,
    /// A private directory for compiled components; none compiles at every start.
    pub cache_dir: Option<PathBuf>,
    /// How often the folder is read although nothing was reported.
    pub rescan: Duration,
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
            rescan: Duration::from_secs(1),
            settle: Duration::from_millis(150),
            patience: None,
            policy: OperatorPolicy::default(),
        }
    }
}

/// The workers of a folder, kept up to date until it is dropped.
pub struct Registry {
    catalog: watch::Receiver<Arc<Catalog>>,
    rescans: mpsc::Sender<Rescan>,
    _watcher: Option<RecommendedWatcher>,
    _manager: AbortOnDropHandle<()>,
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
        let (hint, hints) = mpsc::channel(1);
        let watcher = watch_folder(&config, hint);
        let (rescans, requests) = mpsc::channel(16);
        let patience = config.patience;
        let (manager, catalog) = Manager::new(loader, config);
        let manager = AbortOnDropHandle::new(tokio::spawn(manager.run(requests, hints)));
        let registry = Self {
            catalog,
            rescans,
            _watcher: watcher,
            _manager: manager,
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
        if self.rescans.send(request).await.is_ok() {
            // An error means that the manager has ended, with the process.
            let _ = answer.await;
        }
        self.current()
    }
}

/// File events, which make a rescan happen sooner. Where there are none (network file systems, some mounts), the rescans
/// alone do.
fn watch_folder(config: &RegistryConfig, hint: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
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
