//! The store by itself: opening, closing, what a file may be, and rows that come back as they were.

mod checkpoints;
mod decisions;
mod details;
mod opening;
mod plans;
mod rows;

use handoff_machine::Millis;
use tempfile::TempDir;

use super::Store;
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
