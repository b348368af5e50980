//! One worker of the folder: what was seen of its files, what was tried, what runs.

use std::{sync::Arc, time::Instant};

use super::{
    catalog::{WorkerPhase, WorkerState},
    files::{Stamp, WorkerFiles},
    kept::{Components, Kept, Pin},
    load::{Candidate, LoadError, Loader},
};
use crate::version::{Digest, WorkerVersion};

/// One worker of the folder.
pub(super) struct Entry {
    pub(super) files: WorkerFiles,
    /// The files as they were last seen, and when they count as settled.
    pub(super) stamp: Stamp,
    pub(super) settled_at: Instant,
    /// The files that were tried last.
    pub(super) tried: Option<Stamp>,
    pub(super) loading: Option<Stamp>,
    pub(super) missing_since: Option<Instant>,
    /// Refused because another worker has its topics or delegates: tried again when that one changes.
    pub(super) conflict: bool,
    /// What runs, or is tried first, lay in the folder when that was opened: its rank among claimants is its name's.
    pub(super) initial: bool,
    /// What the folder had when it was last read; none where it could not be read.
    pub(super) folder: Option<Digest>,
    /// What holds it at a version.
    pub(super) pin: Option<Pin>,
    /// A rollback is being loaded.
    pub(super) rolling_back: bool,
    pub(super) state: WorkerState,
}

/// What a trial has to know.
pub(super) struct Plan {
    pub(super) current: Option<Digest>,
    pub(super) refused: Option<Digest>,
    pub(super) pin: Option<Pin>,
    /// What runs where the folder's version must not or cannot: the pinned version, else the one that ran last.
    pub(super) fallback: Option<Kept>,
    pub(super) components: Components,
}

/// What was found in the folder, and what came of it.
pub(super) struct Tried {
    pub(super) folder: Option<Digest>,
    pub(super) result: TrialResult,
}

/// How trying a candidate ended.
pub(super) enum TrialResult {
    /// The files changed while they were read.
    Moved,
    /// They are what runs.
    Same,
    /// They are what was refused before.
    StillRefused,
    Refused {
        digest: Option<Digest>,
        message: String,
        /// What runs instead, where nothing ran.
        fallback: Option<Arc<WorkerVersion>>,
    },
    /// They are what the worker was rolled back from; with the pinned version, where that did not run yet.
    Pinned(Option<Arc<WorkerVersion>>),
    Version(Arc<WorkerVersion>, Source),
}

/// What a version was made from.
pub(super) struct Source {
    pub(super) component: Arc<[u8]>,
    pub(super) manifest: String,
}

impl Entry {
    pub(super) fn new(files: WorkerFiles, stamp: Stamp, settled_at: Instant, initial: bool, pin: Option<Pin>) -> Self {
        let state = WorkerState {
            name: files.name.clone(),
            current: None,
            last_error: None,
            phase: WorkerPhase::Loading,
            since: None,
            pinned: pin.map(|pin| pin.shown()),
        };
        Self {
            files,
            stamp,
            settled_at,
            tried: None,
            loading: None,
            missing_since: None,
            conflict: false,
            initial,
            folder: None,
            pin,
            rolling_back: false,
            state,
        }
    }

    /// Whether its files are other than those that were tried, and nothing is being tried.
    pub(super) fn wants_trial(&self) -> bool {
        self.loading.is_none() && self.missing_since.is_none() && self.tried.as_ref() != Some(&self.stamp)
    }

    /// Whether what is being tried is what lay in the folder when that was opened.
    pub(super) fn is_in_first_trial(&self) -> bool {
        self.initial && self.state.current.is_none() && self.state.last_error.is_none()
    }

    pub(super) fn running(&self) -> u32 {
        self.state.current.as_ref().map_or(0, |version| version.running())
    }

    pub(super) fn set_phase(&mut self, phase: WorkerPhase, changed: &mut bool) {
        *changed |= self.state.phase != phase;
        self.state.phase = phase;
    }

    pub(super) fn set_pin(&mut self, pin: Option<Pin>) {
        self.pin = pin;
        self.state.pinned = pin.map(|pin| pin.shown());
    }
}

/// Reads a worker's files, and loads them if they are neither what runs nor what was refused or rolled back before.
pub(super) async fn try_candidate(loader: &Loader, files: WorkerFiles, stamp: &Stamp, plan: Plan) -> Tried {
    let reading = files.clone();
    let (candidate, after) =
        match tokio::task::spawn_blocking(move || (Candidate::read(&reading), reading.stamp())).await {
            Ok(read) => read,
            Err(error) => (Err(error.to_string()), Some(stamp.clone())),
        };
    if after.as_ref() != Some(stamp) {
        return Tried {
            folder: None,
            result: TrialResult::Moved,
        };
    }
    let folder = candidate.as_ref().ok().map(|candidate| candidate.digest);
    let result = match candidate {
        Err(message) => refused(loader, &files, &plan, None, message).await,
        Ok(candidate) if Some(candidate.digest) == plan.current => TrialResult::Same,
        Ok(candidate) if plan.pin.is_some_and(|pin| pin.displaced == Some(candidate.digest)) => {
            pinned(loader, &files, &plan).await
        }
        Ok(candidate) if Some(candidate.digest) == plan.refused => TrialResult::StillRefused,
        Ok(candidate) => {
            let digest = candidate.digest;
            let source = candidate.source();
            match loader.load(&files, candidate).await {
                Ok(version) => TrialResult::Version(version, source),
                // Without a digest it is tried again with the next reading of all files.
                Err(LoadError { message, passing }) => {
                    refused(loader, &files, &plan, (!passing).then_some(digest), message).await
                }
            }
        }
    };
    Tried { folder, result }
}

/// A refusal; where nothing runs yet (the host has just started), what ran last does.
async fn refused(
    loader: &Loader,
    files: &WorkerFiles,
    plan: &Plan,
    digest: Option<Digest>,
    message: String,
) -> TrialResult {
    let mut refusal = (digest, message, None);
    if plan.current.is_none()
        && let Some(kept) = &plan.fallback
        && Some(kept.version) != digest
    {
        match load_kept(loader, files, kept, &plan.components).await {
            Ok(version) => refusal.2 = Some(version),
            Err(error) => {
                refusal.1 += &format!("; the version that ran last cannot be loaded either: {error}");
            }
        }
    }
    let (digest, message, fallback) = refusal;
    TrialResult::Refused {
        digest,
        message,
        fallback,
    }
}

async fn pinned(loader: &Loader, files: &WorkerFiles, plan: &Plan) -> TrialResult {
    if plan.current.is_some() && plan.current == plan.pin.map(|pin| pin.version) {
        return TrialResult::Pinned(None);
    }
    let loaded = match &plan.fallback {
        Some(kept) => load_kept(loader, files, kept, &plan.components).await,
        None => Err("it is not kept any more".to_owned()),
    };
    match loaded {
        Ok(version) => TrialResult::Pinned(Some(version)),
        Err(error) => TrialResult::Refused {
            digest: None,
            message: format!(
                "it is pinned to a version that cannot be loaded: {error}. Put a newer version into the folder, or unpin it to \
                 run what is there"
            ),
            fallback: None,
        },
    }
}

/// Loads a version that was kept.
pub(super) async fn load_kept(
    loader: &Loader,
    files: &WorkerFiles,
    kept: &Kept,
    components: &Components,
) -> Result<Arc<WorkerVersion>, String> {
    let (components, digest) = (components.clone(), kept.component);
    let component = tokio::task::spawn_blocking(move || components.read(&digest))
        .await
        .map_err(|error| error.to_string())??;
    let candidate = Candidate::kept(kept, component);
    loader.load(files, candidate).await.map_err(|error| error.message)
}
