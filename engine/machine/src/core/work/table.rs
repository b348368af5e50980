//! The rows of one kind that a command has seen or made, and what became of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::delta::Change;
use crate::id::Id;

/// A row of a table that a command can change.
pub(in crate::core) trait Row: Clone + Sized {
    /// Its key.
    fn id(&self) -> Id;
    /// The execution, instance or other row that it is listed under.
    fn owner(&self) -> Option<Id>;
    fn insert(self) -> Change;
    /// None where rows of this kind never change.
    fn update(self) -> Option<Change>;
    fn delete(id: Id) -> Change;
    /// The whole row anew; none where rows of this kind never migrate.
    fn migrate(self) -> Option<Change>;
}

struct Entry<R> {
    /// None: removed.
    row: Option<R>,
    /// The store has it.
    stored: bool,
    changed: bool,
    /// All of it is written.
    migrated: bool,
}

/// What a list of an owner's rows holds.
#[derive(Default)]
struct Owned {
    ids: Vec<Id>,
    /// The store's rows are in it.
    loaded: bool,
}

pub(in crate::core) struct Table<R> {
    entries: BTreeMap<Id, Entry<R>>,
    /// Looked for in the store, and not found.
    absent: BTreeSet<Id>,
    owned: BTreeMap<Id, Owned>,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            absent: BTreeSet::new(),
            owned: BTreeMap::new(),
        }
    }
}

impl<R: Row> Table<R> {
    /// Whether the row has been looked for before, found or not.
    pub(in crate::core) fn knows(&self, id: Id) -> bool {
        self.entries.contains_key(&id) || self.absent.contains(&id)
    }

    /// The store has no such row.
    pub(in crate::core) fn note_absent(&mut self, id: Id) {
        self.absent.insert(id);
    }

    /// The row made in this very command: nothing in the store can hang on it.
    pub(in crate::core) fn is_fresh(&self, id: Id) -> bool {
        self.entries.get(&id).is_some_and(|entry| !entry.stored)
    }

    /// Takes a row of the store, unless it is known.
    pub(in crate::core) fn load(&mut self, row: R) {
        let (id, owner) = (row.id(), row.owner());
        if self.entries.contains_key(&id) {
            return;
        }
        self.entries.insert(
            id,
            Entry {
                row: Some(row),
                stored: true,
                changed: false,
                migrated: false,
            },
        );
        if let Some(owner) = owner {
            self.list(owner, id);
        }
    }

    fn list(&mut self, owner: Id, id: Id) {
        let ids = &mut self.owned.entry(owner).or_default().ids;
        if let Err(position) = ids.binary_search(&id) {
            ids.insert(position, id);
        }
    }

    pub(in crate::core) fn get(&self, id: Id) -> Option<&R> {
        self.entries.get(&id)?.row.as_ref()
    }

    pub(in crate::core) fn insert(&mut self, row: R) {
        let (id, owner) = (row.id(), row.owner());
        self.entries.insert(
            id,
            Entry {
                row: Some(row),
                stored: false,
                changed: true,
                migrated: false,
            },
        );
        if let Some(owner) = owner {
            self.list(owner, id);
        }
    }

    /// The row to be changed, and whether this is its first change.
    pub(in crate::core) fn change(&mut self, id: Id) -> Option<(&mut R, bool)> {
        let entry = self.entries.get_mut(&id)?;
        let first = !entry.changed;
        let row = entry.row.as_mut()?;
        entry.changed = true;
        Some((row, first))
    }

    /// The row goes to another definition: it is to be written as a whole.
    pub(in crate::core) fn set_migrated(&mut self, id: Id) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.migrated = true;
        }
    }

    /// Lists a row under its new owner.
    pub(in crate::core) fn relist(&mut self, id: Id, before: Option<Id>) {
        let owner = self.get(id).and_then(Row::owner);
        if before == owner {
            return;
        }
        if let Some(owned) = before.and_then(|before| self.owned.get_mut(&before)) {
            owned.ids.retain(|other| *other != id);
        }
        if let Some(owner) = owner {
            self.list(owner, id);
        }
    }

    /// Removes a row; also whether this is its first change.
    pub(in crate::core) fn remove(&mut self, id: Id) -> Option<(R, bool)> {
        let entry = self.entries.get_mut(&id)?;
        let row = entry.row.take()?;
        let first = !std::mem::replace(&mut entry.changed, true);
        if let Some(owner) = row.owner()
            && let Some(owned) = self.owned.get_mut(&owner)
        {
            owned.ids.retain(|other| *other != id);
        }
        Some((row, first))
    }

    pub(in crate::core) fn is_loaded(&self, owner: Id) -> bool {
        self.owned.get(&owner).is_some_and(|owned| owned.loaded)
    }

    pub(in crate::core) fn set_loaded(&mut self, owner: Id) {
        self.owned.entry(owner).or_default().loaded = true;
    }

    /// The ids of an owner's rows, in their order.
    pub(in crate::core) fn owned(&self, owner: Id) -> &[Id] {
        self.owned.get(&owner).map_or(&[], |owned| &owned.ids)
    }

    /// Whether the row was changed or made, and lives.
    pub(in crate::core) fn is_changed(&self, id: Id) -> bool {
        self.entries
            .get(&id)
            .is_some_and(|entry| entry.changed && entry.row.is_some())
    }

    /// Whether the store has the row, or had it when the command began.
    pub(in crate::core) fn is_stored(&self, id: Id) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.stored)
    }

    /// All rows that live, known to this command.
    pub(in crate::core) fn rows(&self) -> impl Iterator<Item = &R> {
        self.entries.values().filter_map(|entry| entry.row.as_ref())
    }

    /// What became of a row, as one change; none where it came and went within the command.
    pub(in crate::core) fn outcome(&mut self, id: Id) -> Option<Change> {
        let entry = self.entries.get_mut(&id)?;
        match (entry.row.take(), entry.stored) {
            (Some(row), false) => Some(row.insert()),
            (Some(row), true) if entry.migrated => row.migrate(),
            (Some(row), true) => row.update(),
            (None, true) => Some(R::delete(id)),
            (None, false) => None,
        }
    }
}
