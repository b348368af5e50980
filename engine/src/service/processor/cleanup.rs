//! History that has had its time is removed: a few instances at a time, each step a transaction of its own after the
//! commands of a turn, so that nobody waits for long. The space goes back to the file system bit by bit.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use handoff_machine::Millis;

use super::Processor;
use crate::store::StoreError;

/// After a step the worker rests for so many times as long as the step took: it has a tenth of the writer at most.
const REST: u32 = 9;
/// The same where commands came meanwhile: then it has a twentieth. What it removes is old, so that its pages are read from the
/// disk, written to the log and folded by themselves: all of that costs the commands as much again.
const REST_BUSY: u32 = 19;
/// The shortest rest, in milliseconds.
const REST_MIN: Millis = 20;
/// Pages that are given back in one step.
const PAGES: u32 = 256;

impl Processor {
    /// When the next step is due: it can be set from outside.
    pub(in crate::service) fn cleanup_clock(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.next_cleanup)
    }

    pub(super) fn due_cleanup(&self) -> Option<Millis> {
        let wanted = self.history.cleanup && self.broken.is_none();
        wanted.then(|| self.next_cleanup.load(Ordering::Relaxed))
    }

    /// Does a step, if one is due. `busy`: commands came with this turn.
    pub(super) fn clean_up(&mut self, now: Millis, busy: bool) {
        if self.due_cleanup().is_none_or(|due| due > now) {
            return;
        }
        let begun = Instant::now();
        let rest = match self.clean_up_step(now) {
            Ok(true) => {
                let rest = (begun.elapsed() * if busy { REST_BUSY } else { REST }).as_millis();
                Millis::try_from(rest).unwrap_or(Millis::MAX).max(REST_MIN)
            }
            Ok(false) => Millis::try_from(self.history.cleanup_interval.as_millis()).unwrap_or(Millis::MAX),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "history that has had its time could not be removed"
                );
                if error.is_io() {
                    self.break_off(&error);
                }
                Millis::try_from(self.history.cleanup_interval.as_millis()).unwrap_or(Millis::MAX)
            }
        };
        self.next_cleanup.store(now.saturating_add(rest), Ordering::Relaxed);
    }

    /// Whether there may be more.
    fn clean_up_step(&mut self, now: Millis) -> Result<bool, StoreError> {
        self.store.begin()?;
        let outcome = self.store.remove_expired(now, self.history.cleanup_batch, PAGES);
        let (removed, more) = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                self.store.rollback()?;
                return Err(error);
            }
        };
        if let Err(error) = self.store.commit() {
            self.store.rollback()?;
            return Err(error);
        }
        if removed > 0 {
            metrics::counter!("handoff_engine_history_removed_total").increment(removed);
            tracing::debug!(instances = removed, "history has had its time and was removed");
        }
        Ok(more)
    }
}
