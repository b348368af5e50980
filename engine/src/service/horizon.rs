//! The jobs that are due next, in memory. The index in the database is the truth: what lies beyond the horizon is
//! read from it when time comes near.

use std::collections::{BTreeSet, HashMap, HashSet};

use handoff_machine::row::Job;
use handoff_machine::{Id, Millis};
use rusqlite::{Connection, params};

/// When a job is due, and which: the order in which jobs run.
type Slot = (Millis, Id);

/// Beyond this, everything is in the database alone.
const EVERYTHING: Slot = (Millis::MAX, Id(i64::MAX));

/// The near future.
pub(super) struct Horizon {
    near: BTreeSet<Slot>,
    due: HashMap<Id, Millis>,
    running: HashSet<Id>,
    /// In `near` for another time than the database says: whoever forgets them would never find them again.
    put_off: HashSet<Id>,
    /// All jobs that come before are in `near` (or run).
    covered: Slot,
    capacity: usize,
}

impl Horizon {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            near: BTreeSet::new(),
            due: HashMap::new(),
            running: HashSet::new(),
            put_off: HashSet::new(),
            covered: (Millis::MIN, Id(0)),
            capacity: capacity.max(1),
        }
    }

    /// Reads on, if there is little left in memory and more in the database.
    pub(super) fn refill(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        // A postponed job may lie beyond the horizon; what is in the database before it comes first.
        let enough = self.near.first().is_some_and(|slot| *slot <= self.covered);
        if enough || self.covered == EVERYTHING {
            return Ok(());
        }
        let mut statement = connection.prepare_cached(
            "SELECT ifnull(due, 0), id FROM job WHERE retries > 0 AND suspended = 0 \
             AND ifnull(due, 0) >= ?1 AND (ifnull(due, 0), id) > (?1, ?2) ORDER BY ifnull(due, 0), id LIMIT ?3",
        )?;
        let limit = i64::try_from(self.capacity).unwrap_or(i64::MAX);
        let slots = statement
            .query_map(params![self.covered.0, self.covered.1.0, limit], |row| {
                Ok((row.get(0)?, Id(row.get(1)?)))
            })?
            .collect::<rusqlite::Result<Vec<Slot>>>()?;
        self.covered = match slots.last() {
            Some(last) if slots.len() >= self.capacity => *last,
            _ => EVERYTHING,
        };
        for slot in slots {
            if !self.running.contains(&slot.1) && !self.due.contains_key(&slot.1) {
                self.insert(slot);
            }
        }
        Ok(())
    }

    /// Forgets what is not running, and reads it anew: what was put off lies beyond a clock that was set back.
    pub(super) fn start_over(&mut self) {
        self.near.clear();
        self.due.clear();
        self.put_off.clear();
        self.covered = (Millis::MIN, Id(0));
    }

    /// A job was committed.
    pub(super) fn put(&mut self, job: &Job) {
        self.remove(job.id);
        let slot = (job.due.unwrap_or(0), job.id);
        if job.retries > 0 && !job.suspended && slot <= self.covered {
            self.insert(slot);
            if self.near.len() > self.capacity.saturating_mul(2) {
                self.shrink();
            }
        }
    }

    /// A job's deletion was committed.
    pub(super) fn remove(&mut self, id: Id) {
        self.put_off.remove(&id);
        if let Some(due) = self.due.remove(&id) {
            self.near.remove(&(due, id));
        }
    }

    /// Takes jobs that are due, at most `max`. They run until [`Horizon::finished`].
    pub(super) fn take_due(&mut self, now: Millis, max: usize) -> Vec<Id> {
        let max = max.saturating_sub(self.running.len());
        let due = self.near.range(..=(now, Id(i64::MAX)));
        let taken: Vec<Slot> = due
            .filter(|(_, id)| !self.running.contains(id))
            .take(max)
            .copied()
            .collect();
        for slot in &taken {
            self.near.remove(slot);
            self.due.remove(&slot.1);
            self.put_off.remove(&slot.1);
            self.running.insert(slot.1);
        }
        taken.into_iter().map(|(_, id)| id).collect()
    }

    /// A job has been run, well or not.
    pub(super) fn finished(&mut self, id: Id) {
        self.running.remove(&id);
    }

    /// A job could not be run, and nothing of it was stored: it is tried again at `at`.
    pub(super) fn postpone(&mut self, id: Id, at: Millis) {
        self.running.remove(&id);
        self.remove(id);
        self.put_off.insert(id);
        self.insert((at, id));
    }

    /// When there is something to do.
    pub(super) fn next(&self) -> Option<Millis> {
        let near = self
            .near
            .iter()
            .find(|(_, id)| !self.running.contains(id))
            .map(|(due, _)| *due);
        let far = (self.covered != EVERYTHING).then_some(self.covered.0);
        near.into_iter().chain(far).min()
    }

    /// How many run.
    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// All that is in memory, running or not.
    #[cfg(test)]
    pub(super) fn known(&self) -> impl Iterator<Item = Id> + '_ {
        self.due.keys().chain(&self.running).copied()
    }

    fn insert(&mut self, slot: Slot) {
        self.near.insert(slot);
        self.due.insert(slot.1, slot.0);
    }

    /// Forgets the far half: it is in the database.
    fn shrink(&mut self) {
        let far = self.near.iter().rev().filter(|(_, id)| !self.put_off.contains(id));
        let forgotten: Vec<Slot> = far.take(self.near.len() - self.capacity).copied().collect();
        for slot in &forgotten {
            self.near.remove(slot);
            self.due.remove(&slot.1);
        }
        if let Some((due, id)) = forgotten.last() {
            self.covered = (*due, Id(id.0 - 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_off_is_kept_and_what_is_forgotten_is_read_again() {
        let mut horizon = Horizon::new(2);
        horizon.covered = EVERYTHING;
        horizon.postpone(Id(100), 9_000);
        for id in 1..=6 {
            horizon.insert((id, Id(id)));
        }
        horizon.shrink();
        let mut known: Vec<Id> = horizon.known().collect();
        known.sort_unstable();
        assert_eq!(known, [Id(1), Id(100)]);
        assert_eq!(horizon.covered, (2, Id(1)), "the second is the first to be read again");
    }
}
