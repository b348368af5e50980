//! What runs: an immutable picture of all workers, replaced as a whole.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
    time::SystemTime,
};

use crate::version::{Digest, WorkerVersion};

/// All workers of a folder at one moment.
#[derive(Debug, Default)]
pub struct Catalog {
    generation: u64,
    workers: BTreeMap<String, WorkerState>,
    topics: HashMap<String, HashMap<String, Arc<WorkerVersion>>>,
    delegates: HashMap<String, Arc<WorkerVersion>>,
}

/// One worker: the version that runs, and what is wrong with what is in the folder.
#[derive(Debug, Clone)]
pub struct WorkerState {
    /// The worker's name: that of its files.
    pub name: String,
    /// The version that takes new calls.
    pub current: Option<Arc<WorkerVersion>>,
    /// Why the files in the folder are not what runs.
    pub last_error: Option<CandidateError>,
    /// What is going on with it.
    pub phase: WorkerPhase,
    /// When `current` took over.
    pub since: Option<SystemTime>,
    /// It was rolled back: `current` runs although the folder has something else.
    pub pinned: Option<Pinned>,
}

/// A rollback that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pinned {
    /// The version that is held.
    pub version: Digest,
    /// What lay in the folder then and is not run; none where it could not be read.
    pub displaced: Option<Digest>,
    /// Since when.
    pub since: SystemTime,
}

/// What is going on with a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkerPhase {
    /// The files in the folder are what runs.
    Ready,
    /// Nothing runs yet: its first version is being compiled and checked.
    Loading,
    /// The files in the folder were refused; what ran before goes on.
    Failed,
    /// It was rolled back from what is in the folder.
    Pinned,
}

/// Why a candidate was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateError {
    /// The identity of the refused version, where both files could be read.
    pub digest: Option<Digest>,
    /// What is wrong and, where there is one, what to change.
    pub message: String,
    /// When it was refused.
    pub at: SystemTime,
}

impl fmt::Display for CandidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl WorkerPhase {
    /// A short name in lower case.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Loading => "loading",
            Self::Failed => "failed",
            Self::Pinned => "pinned",
        }
    }
}

impl Catalog {
    pub(crate) fn new(generation: u64, workers: BTreeMap<String, WorkerState>) -> Self {
        let mut topics: HashMap<String, HashMap<String, Arc<WorkerVersion>>> = HashMap::new();
        let mut delegates = HashMap::new();
        for version in workers.values().filter_map(|worker| worker.current.as_ref()) {
            let manifest = version.manifest();
            for topic in &manifest.topics {
                if let Some(engine) = manifest.engine_of(topic) {
                    topics
                        .entry(engine.to_owned())
                        .or_default()
                        .insert(topic.name.clone(), version.clone());
                }
            }
            for delegate in &manifest.delegates {
                delegates.insert(delegate.clone(), version.clone());
            }
        }
        Self {
            generation,
            workers,
            topics,
            delegates,
        }
    }

    /// Counts up with every change.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// All workers, by name.
    pub fn workers(&self) -> impl Iterator<Item = &WorkerState> {
        self.workers.values()
    }

    /// A worker by its name.
    pub fn worker(&self, name: &str) -> Option<&WorkerState> {
        self.workers.get(name)
    }

    /// The version that handles a topic of an engine.
    pub fn topic(&self, engine: &str, topic: &str) -> Option<&Arc<WorkerVersion>> {
        self.topics.get(engine)?.get(topic)
    }

    /// All topics as (engine, topic, version).
    pub fn topics(&self) -> impl Iterator<Item = (&str, &str, &Arc<WorkerVersion>)> {
        self.topics.iter().flat_map(|(engine, topics)| {
            topics
                .iter()
                .map(move |(topic, version)| (engine.as_str(), topic.as_str(), version))
        })
    }

    /// The version that serves a delegate.
    pub fn delegate(&self, name: &str) -> Option<&Arc<WorkerVersion>> {
        self.delegates.get(name)
    }

    /// All delegates as (name, version).
    pub fn delegates(&self) -> impl Iterator<Item = (&str, &Arc<WorkerVersion>)> {
        self.delegates.iter().map(|(name, version)| (name.as_str(), version))
    }
}
