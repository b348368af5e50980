//! What each worker has done since the host started, for people who look at it; Prometheus has the history.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;

/// Tasks whose times are kept.
const TIMES: usize = 512;
/// The longest message that is kept, in bytes.
const MAX_MESSAGE: usize = 1 << 10;

/// The tallies of all workers, by name, across their versions.
#[derive(Debug, Default)]
pub struct Tallies(Mutex<HashMap<String, Tally>>);

#[derive(Debug, Default)]
struct Tally {
    ended: u64,
    failed: u64,
    last_end: Option<SystemTime>,
    last_failure: Option<Failure>,
    times: VecDeque<Duration>,
}

/// How a task failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the engine was told.
    pub message: String,
    /// When.
    pub at: SystemTime,
}

/// What one worker has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Tasks that ended as the worker said.
    pub ended: u64,
    /// Tasks that were reported as failed.
    pub failed: u64,
    /// When a task ended last, in whatever way.
    pub last_end: Option<SystemTime>,
    /// The last failure.
    pub last_failure: Option<Failure>,
    /// How long half of the last tasks took at most, from their arrival to their report.
    pub p50: Option<Duration>,
    /// How long 99 of 100 of the last tasks took at most.
    pub p99: Option<Duration>,
}

impl Tallies {
    /// A task ended as its worker said.
    pub(crate) fn ended(&self, worker: &str, time: Duration) {
        self.change(worker, |tally| {
            tally.ended += 1;
            tally.took(time);
        });
    }

    /// A task was reported as failed.
    pub(crate) fn failed(&self, worker: &str, message: &str, time: Duration) {
        let failure = Failure {
            message: message[..message.floor_char_boundary(MAX_MESSAGE)].to_owned(),
            at: SystemTime::now(),
        };
        self.change(worker, |tally| {
            tally.failed += 1;
            tally.last_failure = Some(failure);
            tally.took(time);
        });
    }

    fn change(&self, worker: &str, change: impl FnOnce(&mut Tally)) {
        let mut tallies = self.0.lock();
        match tallies.get_mut(worker) {
            Some(tally) => change(tally),
            None => change(tallies.entry(worker.to_owned()).or_default()),
        }
    }

    /// What a worker has done.
    pub fn of(&self, worker: &str) -> Done {
        let tallies = self.0.lock();
        let Some(tally) = tallies.get(worker) else {
            return Done::default();
        };
        let mut times: Vec<_> = tally.times.iter().copied().collect();
        times.sort_unstable();
        let at = |percent: usize| {
            times
                .get((times.len() * percent).div_ceil(100).saturating_sub(1))
                .copied()
        };
        Done {
            ended: tally.ended,
            failed: tally.failed,
            last_end: tally.last_end,
            last_failure: tally.last_failure.clone(),
            p50: at(50),
            p99: at(99),
        }
    }
}

impl Tally {
    fn took(&mut self, time: Duration) {
        self.last_end = Some(SystemTime::now());
        if self.times.len() == TIMES {
            self.times.pop_front();
        }
        self.times.push_back(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tasks_are_counted_and_timed() {
        let tallies = Tallies::default();
        for ms in 1..=TIMES as u64 + 100 {
            tallies.ended("w", Duration::from_millis(ms));
        }
        tallies.failed("w", &"é".repeat(MAX_MESSAGE), Duration::from_millis(1));
        let done = tallies.of("w");
        assert_eq!((done.ended, done.failed), (TIMES as u64 + 100, 1));
        assert_eq!(done.p50, Some(Duration::from_millis(356)));
        assert_eq!(done.p99, Some(Duration::from_millis(607)));
        assert!(done.last_failure.unwrap().message.len() <= MAX_MESSAGE);
        assert_eq!(tallies.of("another"), Done::default());
    }
}
