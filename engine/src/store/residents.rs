//! The rows of instances that were started lately, all of them, in memory: what commands read most is not asked of SQLite.
//!
//! Contract: an instance enters with the transaction that starts it, so that nothing of it is unknown, and follows each
//! change that is applied. It leaves when it has ended, when it has become too large, when others that were changed later
//! need its room, and with all others when a transaction comes to nothing. Who is not here is read from the database.
//!
//! Invariant: what is here is what the open transaction sees. So all that changes a running row goes through
//! [`super::Store`], which tells it here; the simulation compares both again and again.

mod rows;
#[cfg(test)]
mod tests;
mod weight;

use std::collections::HashMap;

use handoff_machine::Id;
use handoff_machine::delta::Change;
use handoff_machine::row::{EventSubscription, Execution, ExternalTask, Incident, Instance, Job, UserTask, Variable};
use hashlink::LruCache;

pub(super) use self::rows::{Kept, Owned, Resident};

/// What one instance may take, in bytes: with many rows, to look through them is slower than an index.
const INSTANCE_MAX: usize = 64 * 1024;

/// The instances, the one changed longest ago first to leave.
#[derive(Debug)]
pub(super) struct Residents {
    instances: LruCache<Id, Resident>,
    /// Of each row of theirs.
    owners: HashMap<Id, Id>,
    /// What all of them take, about.
    bytes: usize,
    limit: usize,
    /// Those that have ended within the changes that are being applied.
    leaving: Vec<Id>,
    /// Those whose removal time others have begun to follow within the changes that are being applied: a key is written
    /// before its instance.
    followed: Vec<Id>,
}

impl Residents {
    /// `limit`: bytes for all of them; with 0 none is kept.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            instances: LruCache::new_unbounded(),
            owners: HashMap::new(),
            bytes: 0,
            limit,
            leaving: Vec::new(),
            followed: Vec::new(),
        }
    }

    /// An instance, if it is here.
    pub(super) fn get(&self, id: Id) -> Option<&Resident> {
        self.instances.peek(&id)
    }

    /// The instance that a row belongs to, or a scope is in, if it is here.
    pub(super) fn of(&self, row: Id) -> Option<&Resident> {
        match self.owners.get(&row) {
            Some(owner) => self.get(*owner),
            None => self.get(row),
        }
    }

    /// Whether it is known of an instance that no other row follows its removal time.
    pub(super) fn is_alone(&self, id: Id) -> bool {
        !self.followed.contains(&id) && self.get(id).is_some_and(|resident| !resident.followed)
    }

    /// Follows a change that was applied.
    pub(super) fn follow(&mut self, change: &Change) {
        match change {
            Change::InsertInstance(row) => self.enter(row),
            Change::UpdateInstance(row) | Change::MigrateInstance(row) => {
                self.change(row.id, |resident| resident.instance = row.clone());
            }
            Change::DeleteInstance(id) => self.leaving.push(*id),
            Change::InsertExecution(row) | Change::UpdateExecution(row) | Change::MigrateExecution(row) => {
                self.put(row);
            }
            Change::DeleteExecution(id) => self.delete::<Execution>(*id),
            Change::InsertVariable(row) | Change::UpdateVariable(row) | Change::MigrateVariable(row) => self.put(row),
            Change::DeleteVariable(id) => self.delete::<Variable>(*id),
            Change::InsertExternalTask(row) | Change::UpdateExternalTask(row) | Change::MigrateExternalTask(row) => {
                self.put(row);
            }
            Change::DeleteExternalTask(id) => self.delete::<ExternalTask>(*id),
            Change::InsertJob(row) | Change::UpdateJob(row) | Change::MigrateJob(row) => self.put(row),
            Change::DeleteJob(id) => self.delete::<Job>(*id),
            Change::InsertSubscription(row) | Change::MigrateSubscription(row) => self.put(row),
            Change::DeleteSubscription(id) => self.delete::<EventSubscription>(*id),
            Change::InsertTask(row) | Change::UpdateTask(row) | Change::MigrateTask(row) => self.put(row),
            Change::DeleteTask(id) => self.delete::<UserTask>(*id),
            Change::InsertIncident(row) | Change::UpdateIncident(row) | Change::MigrateIncident(row) => self.put(row),
            Change::DeleteIncident(id) => self.delete::<Incident>(*id),
            Change::InsertDedupeKey(row) => self.followed.push(row.instance),
            Change::HistoryInstanceStart(row) if row.root != row.id => self.followed.push(row.root),
            _ => {}
        }
    }

    /// The changes of a command are all applied: who has ended leaves, and others that there is no room for.
    pub(super) fn applied(&mut self) {
        for id in std::mem::take(&mut self.followed) {
            self.change(id, |resident| resident.followed = true);
        }
        for id in std::mem::take(&mut self.leaving) {
            self.leave(id);
        }
        self.make_room();
    }

    /// A task is locked as it is.
    pub(super) fn lock(&mut self, task: &ExternalTask) {
        self.put(task);
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.bytes > self.limit
            && let Some((_, resident)) = self.instances.remove_lru()
        {
            self.left(&resident);
        }
    }

    /// A row is as it is from now on.
    fn put<R: Kept>(&mut self, row: &R) {
        let Some(owner) = row.owner() else { return };
        if row.weight() > INSTANCE_MAX {
            return self.leave(owner);
        }
        let new = self.change(owner, |resident| R::rows_mut(resident).put(row.clone()));
        if new == Some(true) {
            self.owners.insert(row.id(), owner);
        }
    }

    /// A task is nobody's any more.
    pub(super) fn unlock(&mut self, task: &ExternalTask) {
        self.change(task.instance, |resident| {
            if let Some(known) = resident.row::<ExternalTask>(task.id) {
                let free = ExternalTask {
                    worker: None,
                    lock_expiration: None,
                    ..known.clone()
                };
                ExternalTask::rows_mut(resident).put(free);
            }
        });
    }

    /// Nothing is known any more: the transaction that changed what is here came to nothing.
    pub(super) fn forget(&mut self) {
        *self = Self::new(self.limit);
    }

    fn enter(&mut self, row: &Instance) {
        if self.limit == 0 {
            return;
        }
        let resident = Resident::new(row.clone());
        self.bytes += resident.bytes();
        self.instances.insert(row.id, resident);
    }

    fn delete<R: Kept>(&mut self, id: Id) {
        if let Some(owner) = self.owners.remove(&id) {
            self.change(owner, |resident| R::rows_mut(resident).remove(id));
        }
    }

    /// Changes an instance, if it is here; with what makes it too large it leaves.
    fn change<T>(&mut self, id: Id, change: impl FnOnce(&mut Resident) -> T) -> Option<T> {
        let resident = self.instances.get_mut(&id)?;
        let before = resident.bytes();
        let changed = change(resident);
        let after = resident.bytes();
        self.bytes = self.bytes - before + after;
        if after > INSTANCE_MAX {
            self.leave(id);
            return None;
        }
        Some(changed)
    }

    fn leave(&mut self, id: Id) {
        if let Some(resident) = self.instances.remove(&id) {
            self.left(&resident);
        }
    }

    fn left(&mut self, resident: &Resident) {
        self.bytes -= resident.bytes();
        for row in resident.ids() {
            self.owners.remove(&row);
        }
    }
}
