//! Rolling a worker back, and letting it go again.
//!
//! What a rollback runs is what ran before the version that is in the folder. It holds until it is unpinned, or until a
//! version that is neither that one nor the one it displaced is put into the folder and can be loaded.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::task::JoinError;

use super::{super::entry::load_kept, Manager, Reply};
use crate::{
    registry::{
        RollbackError,
        catalog::WorkerPhase,
        kept::{Pin, Store},
    },
    version::{Digest, WorkerVersion},
};

/// A worker that is to be rolled back, and who asked for it.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) reply: Reply,
}

/// A version to roll back to that was loaded.
pub(super) struct RolledBack {
    wanted: Wanted,
    pin: Pin,
    loaded: Result<Arc<WorkerVersion>, String>,
}

/// Looks something up in what is kept.
pub(super) fn look_up<T>(store: &Mutex<Store>, look: impl FnOnce(&Store) -> T) -> T {
    look(&store.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Manager {
    /// Changes what is kept, where blocking is allowed.
    async fn store(&self, change: impl FnOnce(&mut Store) -> io::Result<()> + Send + 'static) -> Result<(), String> {
        let store = self.store.clone();
        let changed =
            tokio::task::spawn_blocking(move || change(&mut store.lock().unwrap_or_else(PoisonError::into_inner)));
        match changed.await {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Keeps what has taken over. A version that cannot be kept runs all the same.
    pub(super) async fn keep(&mut self) {
        for (version, source) in std::mem::take(&mut self.to_keep) {
            let name = version.name().to_owned();
            let kept = self
                .store(move |store| store.keep(&version, &source.component, &source.manifest))
                .await;
            if let Err(error) = kept {
                tracing::warn!(
                    worker = name,
                    error,
                    "the version cannot be kept: there is no rolling back to it"
                );
            }
        }
    }

    /// A newer version, or the pinned one itself, is in the folder: nothing holds the worker any more.
    pub(super) async fn release(&mut self, name: &str) {
        let Some(entry) = self.entries.get_mut(name).filter(|entry| entry.pin.is_some()) else {
            return;
        };
        entry.set_pin(None);
        self.changed = true;
        tracing::info!(worker = name, "no longer pinned");
        let worker = name.to_owned();
        if let Err(error) = self.store(move |store| store.release(&worker)).await {
            tracing::error!(
                worker = name,
                error,
                "the pin cannot be removed from the state directory: it is back after a restart"
            );
        }
    }

    /// Runs what ran before what is in the folder, and holds the worker at it.
    pub(super) async fn rollback(&mut self, wanted: Wanted) {
        let name = &wanted.name;
        let Some(entry) = self.entries.get_mut(name) else {
            let error = self.unknown(name);
            return drop(wanted.reply.send(Err(error)));
        };
        if entry.pin.is_some() {
            return drop(wanted.reply.send(Ok(entry.state.clone())));
        }
        if entry.rolling_back {
            return drop(wanted.reply.send(Err(RollbackError::Busy(wanted.name))));
        }
        let folder = entry.folder;
        let current = entry.state.current.as_ref().map(|version| version.digest());
        // Where the folder's version was refused, the one that runs is the last good one already.
        let runs_another = current.filter(|current| Some(*current) != folder);
        let (target, components) = look_up(&self.store, |store| {
            let target = match runs_another {
                Some(current) => store.version(name, &current),
                None => store.versions(name).iter().find(|kept| Some(kept.version) != folder),
            };
            (target.cloned(), store.components())
        });
        let Some(kept) = target else {
            return drop(wanted.reply.send(Err(RollbackError::NothingKept(wanted.name))));
        };
        let pin = Pin::now(kept.version, folder);
        if runs_another.is_some() {
            return self.hold(wanted, pin, None).await;
        }
        entry.rolling_back = true;
        let (loader, files) = (self.loader.clone(), entry.files.clone());
        self.rollbacks.spawn(async move {
            let loaded = load_kept(&loader, &files, &kept, &components).await;
            RolledBack { wanted, pin, loaded }
        });
    }

    pub(super) async fn rolled_back(&mut self, finished: Result<RolledBack, JoinError>) {
        let RolledBack { wanted, pin, loaded } = match finished {
            Ok(rolled_back) => rolled_back,
            Err(error) => {
                tracing::error!(%error, "a rollback failed within the host");
                self.entries.values_mut().for_each(|entry| entry.rolling_back = false);
                return;
            }
        };
        let Some(entry) = self.entries.get_mut(&wanted.name) else {
            let error = self.unknown(&wanted.name);
            return drop(wanted.reply.send(Err(error)));
        };
        entry.rolling_back = false;
        let overtaken = entry.folder != pin.displaced;
        match loaded {
            Ok(_) if overtaken => drop(wanted.reply.send(Err(RollbackError::Overtaken(wanted.name)))),
            Ok(version) => self.hold(wanted, pin, Some(version)).await,
            Err(reason) => {
                let error = RollbackError::Refused {
                    worker: wanted.name,
                    version: pin.version,
                    reason,
                };
                drop(wanted.reply.send(Err(error)));
            }
        }
    }

    /// Holds a worker: first on disk, then in what runs, so that what was confirmed is true after a crash too.
    async fn hold(&mut self, wanted: Wanted, pin: Pin, version: Option<Arc<WorkerVersion>>) {
        let Wanted { name, reply } = wanted;
        let worker = name.clone();
        if let Err(error) = self.store(move |store| store.set_pin(&worker, pin)).await {
            return drop(reply.send(Err(RollbackError::Storage(error))));
        }
        if let Some(version) = version
            && let Err(reason) = self.take_over(&name, version)
        {
            let worker = name.clone();
            let _ = self.store(move |store| store.release(&worker)).await;
            let version = pin.version;
            return drop(reply.send(Err(RollbackError::Refused {
                worker: name,
                version,
                reason,
            })));
        }
        let Some(entry) = self.entries.get_mut(&name) else {
            return;
        };
        entry.set_pin(Some(pin));
        entry.state.last_error = None;
        entry.set_phase(WorkerPhase::Pinned, &mut self.changed);
        self.changed = true;
        tracing::info!(
            worker = name,
            version = pin.version.short(),
            displaces = pin.displaced.as_ref().map(Digest::short),
            "worker rolled back and pinned"
        );
        let state = entry.state.clone();
        self.publish();
        drop(reply.send(Ok(state)));
    }

    /// Lets a worker go, so that what is in the folder runs; answered when that has been tried.
    pub(super) async fn unpin(&mut self, name: String, reply: Reply) {
        if !self.entries.contains_key(&name) {
            let error = self.unknown(&name);
            return drop(reply.send(Err(error)));
        }
        let worker = name.clone();
        if let Err(error) = self.store(move |store| store.release(&worker)).await {
            return drop(reply.send(Err(RollbackError::Storage(error))));
        }
        if let Some(entry) = self.entries.get_mut(&name)
            && entry.pin.is_some()
        {
            tracing::info!(worker = name, "unpinned");
            entry.set_pin(None);
            entry.tried = None;
            self.changed = true;
        }
        self.unpinning.push((name, reply));
        self.scan().await;
    }

    pub(super) fn unknown(&self, name: &str) -> RollbackError {
        RollbackError::UnknownWorker {
            worker: name.to_owned(),
            known: self.entries.keys().take(50).cloned().collect::<Vec<_>>().join(", "),
        }
    }
}
