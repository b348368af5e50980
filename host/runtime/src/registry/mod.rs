//! The workers' folder: what is in it is what runs.
//!
//! A rescan is the truth; file events only make it happen sooner. A version is the digest of a component *and* its
//! manifest. A candidate is compiled, type-checked and instantiated before it replaces anything, and one that fails
//! leaves what runs alone and says why. Replacing is the swap of one `Arc`: calls finish on the version they started on.

mod catalog;

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::sync::watch;

pub use catalog::{CandidateError, Catalog, WorkerPhase, WorkerState};

use crate::{config::OperatorPolicy, error::RuntimeError, runtime::Runtime};

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
            policy: OperatorPolicy::default(),
        }
    }
}

/// The workers of a folder, kept up to date until it is dropped.
pub struct Registry {
    catalog: watch::Receiver<Arc<Catalog>>,
}

impl Registry {
    /// Opens a folder. It returns when every worker that is in it was tried: loaded, or refused with a reason.
    pub async fn open(runtime: Arc<Runtime>, config: RegistryConfig) -> Result<Self, RuntimeError> {
        let _ = (runtime, config);
        unimplemented!()
    }

    /// What runs now.
    pub fn current(&self) -> Arc<Catalog> {
        self.catalog.borrow().clone()
    }

    /// Every catalog from now on; intermediate ones may be skipped.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Catalog>> {
        self.catalog.clone()
    }

    /// Reads the folder now and returns when what was found in it has been tried.
    pub async fn rescan(&self) -> Arc<Catalog> {
        unimplemented!()
    }
}
