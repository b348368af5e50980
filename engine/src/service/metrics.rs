//! What is counted. Names are given in full where they are counted, so that they can be searched for.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of an engine since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Message correlations that matched nothing, or more than they may.
    pub mismatched_messages: u64,
    /// Commits.
    pub commits: u64,
    /// Commands that were decided, well or not.
    pub commands: u64,
    /// Jobs that were run, well or not.
    pub jobs: u64,
}

/// The counters, shared between the writer and who asks.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) mismatched_messages: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) commands: AtomicU64,
    pub(super) jobs: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self) -> Stats {
        Stats {
            mismatched_messages: self.mismatched_messages.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            commands: self.commands.load(Ordering::Relaxed),
            jobs: self.jobs.load(Ordering::Relaxed),
        }
    }
}

/// Counts one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
