//! The writer's connection, with the statements that it runs for every instance: compiled once, and found by where their
//! text is instead of by the text.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;
use rusqlite::{Connection, Params, PrepFlags, Result, Statement};
use self_cell::self_cell;

use super::field::Binder;

/// Compiled statements, by address and length of their text: a constant stays where it is. There are as many as the program
/// has constants that are given to [`Prepared::with`].
type Statements<'c> = RefCell<HashMap<(usize, usize), Statement<'c>, RandomState>>;

self_cell!(
    struct Cell {
        owner: Connection,
        #[not_covariant]
        dependent: Statements,
    }
);

/// A connection with compiled statements.
pub(super) struct Prepared(Cell);

// SAFETY: a statement can be used from any thread that its connection can be used from, one at a time. Both are in the cell,
// move with it, and are reached through a borrow of it, which no other thread can have: it is not `Sync`.
#[allow(unsafe_code, reason = "a reviewed place: see SAFETY")]
unsafe impl Send for Prepared {}

impl Prepared {
    pub(super) fn new(connection: Connection) -> Self {
        Self(Cell::new(connection, |_| Statements::default()))
    }

    pub(super) fn connection(&self) -> &Connection {
        self.0.borrow_owner()
    }

    /// Runs a statement, and returns how many rows it has changed.
    pub(super) fn execute(&self, sql: &'static str, params: impl Params) -> Result<usize> {
        self.with(sql, |statement| {
            let changed = statement.execute(params);
            statement.clear_bindings();
            changed
        })
    }

    /// Runs a statement with what `bind` binds, which is all of its parameters, and returns how many rows it has changed.
    pub(super) fn execute_bound(
        &self,
        sql: &'static str,
        bind: impl FnOnce(&mut Binder<'_, '_>) -> Result<()>,
    ) -> Result<usize> {
        self.with(sql, |statement| {
            let mut binder = Binder::new(statement);
            let bound = bind(&mut binder);
            let is_large = binder.is_large();
            let changed = bound.and_then(|()| statement.raw_execute());
            // What is bound stays until something else is: small values' room is used again.
            if is_large {
                statement.clear_bindings();
            }
            changed
        })
    }

    /// Does something with a compiled statement, within which no other one is used.
    fn with<T>(&self, sql: &'static str, act: impl FnOnce(&mut Statement<'_>) -> Result<T>) -> Result<T> {
        self.0.with_dependent(|connection, statements| {
            let mut statements = statements.borrow_mut();
            let statement = match statements.entry((sql.as_ptr() as usize, sql.len())) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    // It must not take what SQLite keeps at hand for its statements' runs.
                    new.insert(connection.prepare_with_flags(sql, PrepFlags::SQLITE_PREPARE_PERSISTENT)?)
                }
            };
            act(statement)
        })
    }
}
