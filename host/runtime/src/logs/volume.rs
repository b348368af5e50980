//! How much all workers together may log.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// Lines of all workers in one second. What exceeds them is not logged, so that no number of workers fills a disk.
#[derive(Debug)]
pub(crate) struct LogVolume {
    per_second: u32,
    started: Instant,
    /// The second that is counted, and the lines in it.
    window: AtomicU64,
}

impl LogVolume {
    pub(crate) fn new(per_second: u32) -> Self {
        Self {
            per_second,
            started: Instant::now(),
            window: AtomicU64::new(0),
        }
    }

    /// Whether one more line may be logged now.
    pub(super) fn admit(&self) -> bool {
        self.admit_at(self.started.elapsed().as_secs())
    }

    fn admit_at(&self, second: u64) -> bool {
        const COUNT: u64 = u32::MAX as u64;
        let next = |window: u64| {
            let count = if window >> 32 == second & COUNT {
                window & COUNT
            } else {
                0
            };
            Some((second & COUNT) << 32 | (count + 1).min(COUNT))
        };
        let before = self
            .window
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
            .ok()
            .and_then(next)
            .unwrap_or(0);
        let count = before & COUNT;
        if count == u64::from(self.per_second) + 1 {
            tracing::warn!(
                target: "handoff::worker", per_second = self.per_second,
                "workers log more than all of them may; the rest of this second is dropped. Raise log-lines-per-second under [limits] in \
                 the host's configuration"
            );
        }
        count <= u64::from(self.per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_its_lines() {
        let volume = LogVolume::new(2);
        let admitted = |second| (0..5).filter(|_| volume.admit_at(second)).count();
        assert_eq!((admitted(0), admitted(1), admitted(1), admitted(7)), (2, 2, 0, 2));
    }
}
