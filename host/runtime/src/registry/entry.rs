//! One worker of the folder: what was seen of its files, what was tried, what runs.

use std::{sync::Arc, time::Instant};

use super::{
    catalog::{WorkerPhase, WorkerState},
    files::{Stamp, WorkerFiles},
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
    pub(super) state: WorkerState,
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
    },
    Version(Arc<WorkerVersion>),
}

impl Entry {
    pub(super) fn new(files: WorkerFiles, stamp: Stamp, settled_at: Instant, initial: bool) -> Self {
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
            initial,
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
}

/// Reads a worker's files, and loads them if they are neither what runs nor what was refused before.
pub(super) async fn try_candidate(
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
