//! The engines that cases share. A Camunda takes long to start and much memory: there are two, one that runs the worker
//! matrix and has the orders, and one that has Inventory's processes and may be killed.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use anyhow::{Result, anyhow};
use handoff_harness::{Camunda, CamundaOptions, camunda, free_port, pattern::Places};
use tempfile::TempDir;

use crate::matrix::Bench;

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Ours,
    Camunda,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Ours, Self::Camunda];

    /// In the names of cases.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Ours => "handoff",
            Self::Camunda => "camunda",
        }
    }

    /// In the table.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Ours => "`handoff engine`",
            Self::Camunda => "Camunda 7.24",
        }
    }
}

/// Why there can be no Camunda here; nothing if there can.
pub(crate) fn camunda_is_missing() -> Option<String> {
    static REASON: OnceLock<Option<String>> = OnceLock::new();
    let reason = REASON.get_or_init(|| {
        if let Err(error) = Camunda::check_java() {
            return Some(format!("no Java: {error:#}"));
        }
        let jar = jar();
        (!jar.is_file()).then(|| format!("no {}: `cargo xtask camunda` builds it with Maven", jar.display()))
    });
    reason.clone()
}

fn jar() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(camunda::PROJECT)
        .join(camunda::JAR)
}

type Started<T> = OnceLock<Result<T, String>>;

/// What all cases stand on. Everything is started by the first case that needs it.
pub(crate) struct Stage {
    benches: [Started<Bench>; 2],
    orders: Started<Camunda>,
    inventory: Started<Mutex<Camunda>>,
    /// Who has the orders of Camunda.
    placing: Mutex<()>,
    scratch: TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self {
            benches: Default::default(),
            orders: OnceLock::new(),
            inventory: OnceLock::new(),
            placing: Mutex::default(),
            scratch: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
        }
    }

    /// Where everything is, with a folder of one's own.
    pub(crate) fn places(&self, name: &str) -> Places {
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        Places {
            program: PathBuf::from(env!("CARGO_BIN_EXE_handoff")),
            workers: scratch.parent().unwrap().join("workers"),
            cache: scratch.join("worker-cache"),
            dir: self.scratch.path().join(name),
        }
    }

    /// The worker matrix's engine and host.
    pub(crate) fn bench(&self, kind: Kind) -> Result<&Bench> {
        started(&self.benches[kind as usize], || Bench::start(self, kind))
    }

    /// The Camunda of the matrix and the orders.
    pub(crate) fn camunda(&self) -> Result<&Camunda> {
        started(&self.orders, || {
            let mut camunda = self.spawn("camunda-order")?;
            camunda.wait_ready()?;
            Ok(camunda)
        })
    }

    /// The same, for a case that places orders there: one at a time.
    pub(crate) fn camunda_for_orders(&self) -> Result<(&Camunda, MutexGuard<'_, ()>)> {
        let turn = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((self.camunda()?, turn))
    }

    /// The Camunda that has Inventory's processes, for one case at a time.
    pub(crate) fn camunda_for_inventory(&self) -> Result<MutexGuard<'_, Camunda>> {
        let camunda = started(&self.inventory, || {
            let mut camunda = self.spawn("inventory")?;
            camunda.wait_ready()?;
            Ok(Mutex::new(camunda))
        })?;
        Ok(camunda.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Its name is what it tells delegates, and that must be what the host calls it.
    fn spawn(&self, name: &str) -> Result<Camunda> {
        let places = self.places("camunda");
        Camunda::spawn(CamundaOptions {
            jar: jar(),
            name: name.to_owned(),
            delegates: (free_port()?, places.token_file()?),
            dir: places.dir,
        })
    }
}

fn started<T>(cell: &Started<T>, start: impl FnOnce() -> Result<T>) -> Result<&T> {
    let started = cell.get_or_init(|| start().map_err(|error| format!("{error:?}")));
    started.as_ref().map_err(|error| anyhow!("{error}"))
}
