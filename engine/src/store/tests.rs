//! The store by itself: opening, closing, what a file may be, and rows that come back as they were.

mod checkpoints;
mod decisions;
mod details;
mod opening;
mod plans;
mod rows;

use handoff_machine::Millis;
use handoff_machine::delta::Change;
use tempfile::TempDir;

use super::Store;
use super::row::Table;
use crate::config::Config;

/// A time in 2026.
const NOW: Millis = 1_780_000_000_000;

pub(super) fn directory() -> (TempDir, Config) {
    let directory = TempDir::new().unwrap();
    let config = Config::new(directory.path().join("data"));
    (directory, config)
}

pub(super) fn open(config: &Config) -> Store {
    Store::open(config, NOW).unwrap()
}

/// Applies the changes of one command and commits them.
pub(super) fn apply(store: &mut Store, changes: &[Change]) {
    store.begin().unwrap();
    store.apply(changes).unwrap();
    store.commit().unwrap();
}

/// All rows of `from`: a table, with an order.
fn all<T: Table>(store: &Store, from: &str) -> Vec<T> {
    let sql = format!("SELECT {} FROM {from}", T::COLUMNS);
    let mut statement = store.connection().prepare(&sql).unwrap();
    let rows = statement.query_map([], T::from_row).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}
