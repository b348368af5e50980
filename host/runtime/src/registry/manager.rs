//! The task that keeps the catalog equal to the folder.
//!
//! Invariant: only this task changes what runs, one worker at a time, by publishing a new catalog.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    task::JoinSet,
    time::sleep_until,
};

use super::{
    RegistryConfig,
    catalog::{CandidateError, Catalog, WorkerPhase, WorkerState},
    files::{self, Stamp, WorkerFiles},
    load::{Candidate, LoadError, Loader},
};
use crate::version::{Digest, WorkerVersion};

/// How often all files are read although their stamps are unchanged, for file systems whose stamps lie.
const REREAD: Duration = Duration::from_secs(60);
/// Candidates that are loaded at once.
const LOADS: usize = 8;

/// A request to read the folder now. It is answered when what was found has been tried.
pub(super) type Rescan = oneshot::Sender<()>;

pub(super) struct Manager {
    loader: Arc<Loader>,
    config: RegistryConfig,
    catalog: watch::Sender<Arc<Catalog>>,
    generation: u64,
    entries: BTreeMap<String, Entry>,
    loads: JoinSet<Tried>,
    load_slots: Arc<Semaphore>,
    waiting: Vec<Rescan>,
    changed: bool,
    folder_fault: Option<String>,
    reread_at: Instant,
}

/// One worker of the folder.
struct Entry {
    files: WorkerFiles,
    /// The files as they were last seen, and when they count as settled.
    stamp: Stamp,
    settled_at: Instant,
    /// The files that were tried last.
    tried: Option<Stamp>,
    loading: Option<Stamp>,
    missing_since: Option<Instant>,
    /// Refused because another worker has its topics or delegates: tried again when that one changes.
    conflict: bool,
    state: WorkerState,
}

/// How trying a candidate ended.
struct Tried {
    name: String,
    stamp: Stamp,
    result: TrialResult,
}

enum TrialResult {
    /// The files changed while they were read.
    Moved,
    /// They are what runs.
    Same,
    /// They are what was refused before.
    StillRefused,
    Refused {
        digest: Option<Digest>,
        message: String,
    },
    Version(Arc<WorkerVersion>),
}

impl Manager {
    pub(super) fn new(loader: Loader, config: RegistryConfig) -> (Self, watch::Receiver<Arc<Catalog>>) {
        let (catalog, receiver) = watch::channel(Arc::new(Catalog::default()));
        let manager = Self {
            loader: Arc::new(loader),
            config,
            catalog,
            generation: 0,
            entries: BTreeMap::new(),
            loads: JoinSet::new(),
            load_slots: Arc::new(Semaphore::new(LOADS)),
            waiting: Vec::new(),
            changed: false,
            folder_fault: None,
            reread_at: Instant::now() + REREAD,
        };
        (manager, receiver)
    }

    /// Runs until it is dropped.
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Rescan>, mut hints: mpsc::Receiver<()>) {
        self.scan().await;
        self.first_round().await;
        loop {
            self.start_loads();
            self.publish();
            self.answer();
            let next_look = self.next_look();
            tokio::select! {
                biased;
                Some(tried) = self.loads.join_next(), if !self.loads.is_empty() => self.tried(tried.ok()),
                request = requests.recv() => match request {
                    Some(request) => {
                        self.waiting.push(request);
                        self.reread();
                        self.scan().await;
                    }
                    None => return,
                },
                Some(()) = hints.recv() => self.scan().await,
                () = sleep_until(next_look.into()) => {
                    if self.reread_at <= Instant::now() {
                        self.reread();
                    }
                    self.scan().await;
                }
            }
        }
    }

    /// What lies in the folder at the start is installed in the order of names, so that the same folder always gives the
    /// same workers, also where two claim one topic.
    async fn first_round(&mut self) {
        self.start_loads();
        let mut all = Vec::new();
        while let Some(tried) = self.loads.join_next().await {
            all.extend(tried.ok());
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        for tried in all {
            self.tried(Some(tried));
        }
    }

    async fn scan(&mut self) {
        let dir = self.config.dir.clone();
        let found = match tokio::task::spawn_blocking(move || files::scan(&dir)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return self.folder_failed(error.to_string()),
            Err(error) => return self.folder_failed(error.to_string()),
        };
        if self.folder_fault.take().is_some() {
            tracing::info!(dir = %self.config.dir.display(), "the workers' folder can be read again");
        }
        let now = Instant::now();
        for (name, entry) in &mut self.entries {
            if !found.contains_key(name) {
                entry.missing_since.get_or_insert(now);
            }
        }
        for (name, (files, stamp)) in found {
            let settled_at = now + stamp.unsettled(SystemTime::now(), self.config.settle);
            match self.entries.get_mut(&name) {
                None => {
                    self.entries.insert(name, Entry::new(files, stamp, settled_at));
                }
                Some(entry) => {
                    entry.missing_since = None;
                    entry.files = files;
                    if entry.stamp != stamp {
                        entry.stamp = stamp;
                        entry.settled_at = settled_at;
                    }
                }
            }
        }
        self.drain_missing(now);
    }

    /// A folder that cannot be read says nothing about its workers: they go on.
    fn folder_failed(&mut self, reason: String) {
        if self.folder_fault.as_ref() != Some(&reason) {
            tracing::error!(dir = %self.config.dir.display(), reason, "the workers' folder cannot be read; what runs goes on");
            self.folder_fault = Some(reason);
        }
    }

    /// Workers whose files have been gone for a while take no new calls. What runs ends on the version it has.
    fn drain_missing(&mut self, now: Instant) {
        let settle = self.config.settle;
        let gone: Vec<String> = self
            .entries
            .iter()
            .filter(|(_, entry)| {
                entry
                    .missing_since
                    .is_some_and(|since| now.duration_since(since) >= settle)
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            if let Some(entry) = self.entries.remove(&name) {
                tracing::info!(
                    worker = name,
                    running = entry.running(),
                    "worker removed; its calls finish"
                );
                metrics::gauge!("handoff_worker_ready", "worker" => name).set(0);
                self.changed = true;
                self.retry_conflicts();
            }
        }
    }

    /// Has all files read again, whatever their stamps say.
    fn reread(&mut self) {
        self.reread_at = Instant::now() + REREAD;
        for entry in self.entries.values_mut() {
            entry.tried = None;
        }
    }

    fn start_loads(&mut self) {
        let now = Instant::now();
        for (name, entry) in &mut self.entries {
            if !entry.wants_trial() || entry.settled_at > now {
                continue;
            }
            entry.tried = Some(entry.stamp.clone());
            entry.loading = Some(entry.stamp.clone());
            let current = entry.state.current.as_ref().map(|version| version.digest());
            let refused = entry
                .state
                .last_error
                .as_ref()
                .filter(|_| !entry.conflict)
                .and_then(|error| error.digest);
            if current.is_none() && entry.state.last_error.is_none() {
                entry.state.phase = WorkerPhase::Loading;
                self.changed = true;
            }
            let (loader, slots) = (self.loader.clone(), self.load_slots.clone());
            let (name, files, stamp) = (name.clone(), entry.files.clone(), entry.stamp.clone());
            self.loads.spawn(async move {
                let _slot = slots.acquire_owned().await;
                let result = try_candidate(&loader, files, &stamp, current, refused).await;
                Tried { name, stamp, result }
            });
        }
    }

    fn tried(&mut self, tried: Option<Tried>) {
        // None: a load panicked. Its worker is stuck as loading otherwise, so all that load are tried again.
        let Some(Tried { name, stamp, result }) = tried else {
            tracing::error!("loading a worker failed within the host");
            for entry in self.entries.values_mut() {
                entry.loading = None;
            }
            return;
        };
        let result = match result {
            TrialResult::Version(version) => match self.conflict(&version) {
                None => TrialResult::Version(version),
                Some(message) => return self.refused(&name, &stamp, Some(version.digest()), message, true),
            },
            TrialResult::Refused { digest, message } => return self.refused(&name, &stamp, digest, message, false),
            other => other,
        };
        let Some(entry) = self
            .entries
            .get_mut(&name)
            .filter(|entry| entry.loading.as_ref() == Some(&stamp))
        else {
            return;
        };
        entry.loading = None;
        match result {
            TrialResult::Moved => entry.tried = None,
            TrialResult::StillRefused | TrialResult::Refused { .. } => {
                entry.set_phase(WorkerPhase::Failed, &mut self.changed)
            }
            TrialResult::Same => {
                self.changed |= entry.state.last_error.take().is_some();
                entry.conflict = false;
                entry.set_phase(WorkerPhase::Ready, &mut self.changed);
            }
            TrialResult::Version(version) => {
                tracing::info!(
                    worker = name,
                    version = version.digest().short(),
                    replaces = entry.state.current.as_ref().map(|old| old.digest().short()),
                    "worker ready"
                );
                metrics::counter!("handoff_worker_swaps_total", "worker" => name.clone()).increment(1);
                metrics::gauge!("handoff_worker_ready", "worker" => name).set(1);
                entry.state = WorkerState {
                    name: version.name().to_owned(),
                    current: Some(version),
                    last_error: None,
                    phase: WorkerPhase::Ready,
                    since: Some(SystemTime::now()),
                };
                entry.conflict = false;
                self.changed = true;
                self.retry_conflicts();
            }
        }
    }

    fn refused(&mut self, name: &str, stamp: &Stamp, digest: Option<Digest>, message: String, conflict: bool) {
        let Some(entry) = self
            .entries
            .get_mut(name)
            .filter(|entry| entry.loading.as_ref() == Some(stamp))
        else {
            return;
        };
        entry.loading = None;
        entry.conflict = conflict;
        entry.state.phase = WorkerPhase::Failed;
        if entry
            .state
            .last_error
            .as_ref()
            .is_some_and(|error| error.message == message && error.digest == digest)
        {
            return;
        }
        let still = entry.state.current.as_ref().map(|version| version.digest().short());
        tracing::error!(worker = name, reason = message, still_runs = still, "worker refused");
        metrics::counter!("handoff_worker_candidates_refused_total", "worker" => name.to_owned()).increment(1);
        if still.is_none() {
            metrics::gauge!("handoff_worker_ready", "worker" => name.to_owned()).set(0);
        }
        entry.state.last_error = Some(CandidateError {
            digest,
            message,
            at: SystemTime::now(),
        });
        self.changed = true;
    }

    /// Whether another worker has a topic or a delegate that a version claims.
    fn conflict(&self, version: &WorkerVersion) -> Option<String> {
        let others = self
            .entries
            .values()
            .filter_map(|entry| entry.state.current.as_ref())
            .filter(|v| v.name() != version.name());
        for other in others {
            for topic in &version.manifest().topics {
                let engine = version.manifest().engine_of(topic);
                let same =
                    |t: &&crate::TopicSubscription| t.name == topic.name && other.manifest().engine_of(t) == engine;
                if other.manifest().topics.iter().any(|t| same(&t)) {
                    return Some(format!(
                        "topic `{}` of engine `{}` is worker `{}`'s already; remove it from one of the two manifests",
                        topic.name,
                        engine.unwrap_or_default(),
                        other.name()
                    ));
                }
            }
            if let Some(delegate) = version
                .manifest()
                .delegates
                .iter()
                .find(|d| other.manifest().delegates.contains(d))
            {
                return Some(format!(
                    "delegate `{delegate}` is worker `{}`'s already; remove it from one of the two manifests",
                    other.name()
                ));
            }
        }
        None
    }

    fn retry_conflicts(&mut self) {
        for entry in self.entries.values_mut().filter(|entry| entry.conflict) {
            entry.tried = None;
        }
    }

    fn publish(&mut self) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        self.generation += 1;
        let workers = self
            .entries
            .iter()
            .map(|(name, entry)| (name.clone(), entry.state.clone()))
            .collect();
        self.catalog
            .send_replace(Arc::new(Catalog::new(self.generation, workers)));
    }

    /// Answers requests when everything that was found has been tried.
    fn answer(&mut self) {
        let busy = self
            .entries
            .values()
            .any(|entry| entry.loading.is_some() || entry.wants_trial() || entry.missing_since.is_some());
        if !busy {
            for waiting in self.waiting.drain(..) {
                let _ = waiting.send(());
            }
        }
    }

    /// When to look at the folder again: when files settle, at the latest after the interval.
    fn next_look(&self) -> Instant {
        let settle = self.config.settle;
        let of_entry = |entry: &Entry| {
            let missing = entry.missing_since.map(|since| since + settle);
            let settles = (entry.wants_trial()).then_some(entry.settled_at);
            missing.into_iter().chain(settles).min()
        };
        let settles = self.entries.values().filter_map(of_entry).min();
        let regular = Instant::now() + self.config.rescan;
        settles.map_or(regular, |at| at.min(regular))
    }
}

impl Entry {
    fn new(files: WorkerFiles, stamp: Stamp, settled_at: Instant) -> Self {
        let state = WorkerState {
            name: files.name.clone(),
            current: None,
            last_error: None,
            phase: WorkerPhase::Loading,
            since: None,
        };
        Self {
            files,
            stamp,
            settled_at,
            tried: None,
            loading: None,
            missing_since: None,
            conflict: false,
            state,
        }
    }

    /// Whether its files are other than those that were tried, and nothing is being tried.
    fn wants_trial(&self) -> bool {
        self.loading.is_none() && self.missing_since.is_none() && self.tried.as_ref() != Some(&self.stamp)
    }

    fn running(&self) -> u32 {
        self.state.current.as_ref().map_or(0, |version| version.running())
    }

    fn set_phase(&mut self, phase: WorkerPhase, changed: &mut bool) {
        *changed |= self.state.phase != phase;
        self.state.phase = phase;
    }
}

async fn try_candidate(
    loader: &Loader,
    files: WorkerFiles,
    stamp: &Stamp,
    current: Option<Digest>,
    refused: Option<Digest>,
) -> TrialResult {
    let reading = files.clone();
    let (candidate, after) =
        match tokio::task::spawn_blocking(move || (Candidate::read(&reading), reading.stamp())).await {
            Ok(read) => read,
            Err(error) => {
                return TrialResult::Refused {
                    digest: None,
                    message: error.to_string(),
                };
            }
        };
    if after.as_ref() != Some(stamp) {
        return TrialResult::Moved;
    }
    match candidate {
        Err(message) => TrialResult::Refused { digest: None, message },
        Ok(candidate) if Some(candidate.digest) == current => TrialResult::Same,
        Ok(candidate) if Some(candidate.digest) == refused => TrialResult::StillRefused,
        Ok(candidate) => {
            let digest = candidate.digest;
            match loader.load(&files, candidate).await {
                Ok(version) => TrialResult::Version(version),
                // Without a digest it is tried again with the next reading of all files.
                Err(LoadError { message, passing }) => TrialResult::Refused {
                    digest: (!passing).then_some(digest),
                    message,
                },
            }
        }
    }
}
