//! What was answered, kept outside of the engine.

use std::collections::{HashMap, HashSet};

use handoff_machine::{Id, Millis};

use crate::service::fetch::LockedTask;

/// A lock that was given.
#[derive(Clone, Debug)]
#[allow(dead_code, reason = "the worker is told when two have a task")]
pub(super) struct Lock {
    worker: String,
    until: Millis,
}

/// All that was acknowledged.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Instances that were started.
    pub(super) started: HashSet<Id>,
    /// The instance of each dedupe key.
    pub(super) once: HashMap<String, Id>,
    /// External tasks that were completed.
    pub(super) completed: HashSet<Id>,
    /// Who holds which external task.
    pub(super) locks: HashMap<Id, Lock>,
    /// The last value of the variable `n` of an instance.
    pub(super) values: HashMap<Id, i32>,
}

impl Ledger {
    /// Tasks were handed out. `freed` were unlocked or reported in the same step, before or after.
    pub(super) fn fetched(&mut self, tasks: &[LockedTask], now: Millis, freed: &HashSet<Id>) {
        for LockedTask { task, .. } in tasks {
            if freed.contains(&task.id) {
                continue;
            }
            assert!(
                !self.completed.contains(&task.id),
                "{:?} was completed and is handed out again",
                task.id
            );
            let lock = Lock {
                worker: task.worker.clone().expect("a fetched task has a worker"),
                until: task.lock_expiration.expect("a fetched task is locked"),
            };
            let before = self.locks.insert(task.id, lock);
            assert!(
                before.as_ref().is_none_or(|lock| lock.until <= now),
                "{:?} is handed out while it is locked: {before:?}",
                task.id
            );
        }
    }
}
