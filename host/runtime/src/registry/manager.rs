//! The task that keeps the catalog equal to the folder.
//!
//! Invariant: only this task changes what runs, one worker at a time, by publishing a new catalog.

mod rollback;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    task::{self, JoinError, JoinSet},
    time::sleep_until,
};

use super::{
    RegistryConfig, RollbackError,
    catalog::{CandidateError, Catalog, WorkerPhase, WorkerState},
    claims,
    entry::{Entry, Plan, Source, TrialResult, Tried, try_candidate},
    files::{self, Stamp},
    kept::Store,
    load::Loader,
};
use rollback::{RolledBack, Wanted, look_up};

use crate::{
    engine::TRIAL_SLOTS,
    version::{Digest, WorkerVersion},
};

/// How often all files are read although their stamps are unchanged, for file systems whose stamps lie.
const REREAD: Duration = Duration::from_secs(60);

/// What the manager is asked for.
pub(super) enum Request {
    /// To read the folder now. It is answered when what was found has been tried.
    Rescan(oneshot::Sender<()>),
    /// To run what ran before, and hold the worker at it.
    Rollback(String, Reply),
    /// To run again what is in the folder.
    Unpin(String, Reply),
}

/// The worker as it is after a request.
pub(super) type Reply = oneshot::Sender<Result<WorkerState, RollbackError>>;

pub(super) struct Manager {
    loader: Arc<Loader>,
    config: RegistryConfig,
    catalog: watch::Sender<Arc<Catalog>>,
    generation: u64,
    entries: BTreeMap<String, Entry>,
    loads: JoinSet<Tried>,
    trials: HashMap<task::Id, (String, Stamp)>,
    load_slots: Arc<Semaphore>,
    rollbacks: JoinSet<RolledBack>,
    store: Arc<Mutex<Store>>,
    /// Versions that took over and are to be kept.
    to_keep: Vec<(Arc<WorkerVersion>, Source)>,
    waiting: Vec<oneshot::Sender<()>>,
    /// Answered when the worker's files have been tried.
    unpinning: Vec<(String, Reply)>,
    changed: bool,
    /// The folder has not been looked at before.
    initial: bool,
    folder_fault: Option<String>,
    reread_at: Instant,
}

impl Manager {
    pub(super) fn new(loader: Loader, store: Store, config: RegistryConfig) -> (Self, watch::Receiver<Arc<Catalog>>) {
        let (catalog, receiver) = watch::channel(Arc::new(Catalog::default()));
        let manager = Self {
            loader: Arc::new(loader),
            config,
            catalog,
            generation: 0,
            entries: BTreeMap::new(),
            loads: JoinSet::new(),
            trials: HashMap::new(),
            initial: true,
            load_slots: Arc::new(Semaphore::new(TRIAL_SLOTS as usize)),
            rollbacks: JoinSet::new(),
            store: Arc::new(Mutex::new(store)),
            to_keep: Vec::new(),
            waiting: Vec::new(),
            unpinning: Vec::new(),
            changed: false,
            folder_fault: None,
            reread_at: Instant::now() + REREAD,
        };
        (manager, receiver)
    }

    /// Runs until it is dropped.
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>, mut hints: mpsc::Receiver<()>) {
        self.scan().await;
        self.initial = false;
        loop {
            self.start_loads();
            self.publish();
            self.keep().await;
            self.answer();
            let next_look = self.next_look();
            tokio::select! {
                biased;
                Some(finished) = self.loads.join_next_with_id(), if !self.loads.is_empty() => self.tried(finished).await,
                Some(finished) = self.rollbacks.join_next(), if !self.rollbacks.is_empty() => self.rolled_back(finished).await,
                request = requests.recv() => match request {
                    Some(Request::Rescan(reply)) => {
                        self.waiting.push(reply);
                        self.reread();
                        self.scan().await;
                    }
                    Some(Request::Rollback(name, reply)) => self.rollback(Wanted { name, reply }).await,
                    Some(Request::Unpin(name, reply)) => self.unpin(name, reply).await,
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
                    let pin = look_up(&self.store, |store| store.pin(&name));
                    self.entries
                        .insert(name, Entry::new(files, stamp, settled_at, self.initial, pin));
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
            let pin = entry.pin;
            let plan = look_up(&self.store, |store| {
                let fallback = match pin {
                    Some(pin) => store.version(name, &pin.version),
                    None => store.versions(name).first(),
                };
                Plan {
                    current,
                    refused,
                    pin,
                    fallback: fallback.cloned(),
                    components: store.components(),
                }
            });
            let (loader, slots) = (self.loader.clone(), self.load_slots.clone());
            let (files, stamp) = (entry.files.clone(), entry.stamp.clone());
            let task = self.loads.spawn(async move {
                let _slot = slots.acquire_owned().await;
                try_candidate(&loader, files, &stamp, plan).await
            });
            self.trials.insert(task.id(), (name.clone(), entry.stamp.clone()));
        }
    }

    /// Takes the result of a trial, unless the files were removed or are being tried anew.
    async fn tried(&mut self, finished: Result<(task::Id, Tried), JoinError>) {
        let (id, Tried { folder, result }) = finished.unwrap_or_else(|error| {
            tracing::error!(%error, "loading a worker failed within the host");
            let result = TrialResult::Refused {
                digest: None,
                message: "the host failed while it loaded the worker; its log says more".to_owned(),
                fallback: None,
            };
            (error.id(), Tried { folder: None, result })
        });
        let Some((name, stamp)) = self.trials.remove(&id) else {
            return;
        };
        match self.entries.get_mut(&name) {
            Some(entry) if entry.loading.as_ref() == Some(&stamp) => {
                entry.loading = None;
                if !matches!(result, TrialResult::Moved) {
                    entry.folder = folder;
                }
            }
            _ => return,
        }
        match result {
            TrialResult::Moved => {
                if let Some(entry) = self.entries.get_mut(&name) {
                    entry.tried = None;
                }
            }
            TrialResult::StillRefused => self.settled(&name, WorkerPhase::Failed),
            TrialResult::Same => {
                self.release(&name).await;
                self.settled(&name, WorkerPhase::Ready);
            }
            TrialResult::Refused {
                digest,
                message,
                fallback,
            } => {
                if let Some(version) = fallback
                    && self.take_over(&name, version.clone()).is_ok()
                {
                    tracing::warn!(
                        worker = name,
                        version = version.digest().short(),
                        "the version that ran last runs instead of what is in the folder"
                    );
                }
                self.refuse(&name, digest, message);
            }
            TrialResult::Pinned(None) => self.settled(&name, WorkerPhase::Pinned),
            TrialResult::Pinned(Some(version)) => match self.take_over(&name, version) {
                Ok(()) => self.settled(&name, WorkerPhase::Pinned),
                Err(message) => self.refuse(&name, None, message),
            },
            TrialResult::Version(version, source) => match self.take_over(&name, version.clone()) {
                Ok(()) => {
                    self.release(&name).await;
                    self.to_keep.push((version, source));
                }
                Err(message) => {
                    if let Some(entry) = self.entries.get_mut(&name) {
                        entry.conflict = true;
                    }
                    self.refuse(&name, Some(version.digest()), message);
                }
            },
        }
    }

    /// Installs a version, unless another worker has what it claims.
    fn take_over(&mut self, name: &str, version: Arc<WorkerVersion>) -> Result<(), String> {
        for (other, message) in self.conflict(name, &version)? {
            self.displace(&other, message);
        }
        self.install(name, version);
        Ok(())
    }

    /// The files are what they were when they were tried before.
    fn settled(&mut self, name: &str, phase: WorkerPhase) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        if phase != WorkerPhase::Failed {
            self.changed |= entry.state.last_error.take().is_some();
            entry.conflict = false;
        }
        entry.set_phase(phase, &mut self.changed);
    }

    fn install(&mut self, name: &str, version: Arc<WorkerVersion>) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        tracing::info!(
            worker = name,
            version = version.digest().short(),
            replaces = entry.state.current.as_ref().map(|old| old.digest().short()),
            "worker ready"
        );
        metrics::counter!("handoff_worker_swaps_total", "worker" => name.to_owned()).increment(1);
        metrics::gauge!("handoff_worker_ready", "worker" => name.to_owned()).set(1);
        entry.initial &= entry.state.current.is_none();
        entry.state = WorkerState {
            name: name.to_owned(),
            current: Some(version),
            last_error: None,
            phase: WorkerPhase::Ready,
            since: Some(SystemTime::now()),
            pinned: entry.state.pinned,
        };
        entry.conflict = false;
        self.changed = true;
        self.retry_conflicts();
    }

    fn refuse(&mut self, name: &str, digest: Option<Digest>, message: String) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        entry.set_phase(WorkerPhase::Failed, &mut self.changed);
        let known = |error: &CandidateError| error.message == message && error.digest == digest;
        if entry.state.last_error.as_ref().is_some_and(known) {
            return;
        }
        let still = entry.state.current.as_ref().map(|version| version.digest().short());
        tracing::error!(worker = name, reason = message, still_runs = still, "worker refused");
        metrics::counter!("handoff_worker_candidates_refused_total", "worker" => name.to_owned()).increment(1);
        if still.is_none() {
            metrics::gauge!("handoff_worker_ready", "worker" => name.to_owned()).set(0);
        }
        let at = SystemTime::now();
        entry.state.last_error = Some(CandidateError { digest, message, at });
        self.changed = true;
    }

    /// What a version claims that other workers have: why it is refused, unless it comes before all of them.
    ///
    /// Whoever has a topic keeps it. Only among the workers that lay in the folder when it was opened the first name wins,
    /// so that the same folder always gives the same workers, however long each takes to compile.
    fn conflict(&self, name: &str, version: &WorkerVersion) -> Result<Vec<(String, String)>, String> {
        let initial = self.entries.get(name).is_some_and(Entry::is_in_first_trial);
        let mut displaced = Vec::new();
        for (other_name, other) in self.entries.iter().filter(|(other, _)| *other != name) {
            let Some(other_version) = &other.state.current else {
                continue;
            };
            let Some(claim) = claims::shared(version, other_version) else {
                continue;
            };
            if !(initial && other.initial && name < other_name.as_str()) {
                return Err(claims::refusal(&claim, other_name));
            }
            displaced.push((other_name.clone(), claims::refusal(&claim, name)));
        }
        Ok(displaced)
    }

    fn displace(&mut self, name: &str, message: String) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        let digest = entry.state.current.take().map(|version| version.digest());
        entry.conflict = true;
        entry.state.since = None;
        self.refuse(name, digest, message);
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
        let is_busy = |entry: &Entry| entry.loading.is_some() || entry.wants_trial() || entry.missing_since.is_some();
        if !self.entries.values().any(is_busy) {
            for waiting in self.waiting.drain(..) {
                let _ = waiting.send(());
            }
        }
        for (name, reply) in std::mem::take(&mut self.unpinning) {
            match self.entries.get(&name) {
                Some(entry) if is_busy(entry) => self.unpinning.push((name, reply)),
                Some(entry) => drop(reply.send(Ok(entry.state.clone()))),
                None => drop(reply.send(Err(self.unknown(&name)))),
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
