//! Waiting times that grow, with jitter, so that hosts that failed together do not come back together.

use std::time::Duration;

use rand::Rng;

/// A sequence of growing waits. Each lies between half and the whole of a step that doubles up to a maximum.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// Begins at `first` and never exceeds `max`.
    pub(crate) const fn new(first: Duration, max: Duration) -> Self {
        Self {
            first,
            max,
            failures: 0,
        }
    }

    /// The next wait.
    pub(crate) fn next_wait(&mut self) -> Duration {
        let step = grown(self.first, self.failures, self.max);
        self.failures = self.failures.saturating_add(1);
        jittered(step)
    }

    /// The next wait, but at least what the engine asked for. What it asks is bounded: a wrong `Retry-After` must not
    /// stop a host for a day.
    pub(crate) fn next_wait_at_least(&mut self, asked: Option<Duration>) -> Duration {
        self.next_wait()
            .max(asked.unwrap_or_default().min(self.max.max(Duration::from_secs(60))))
    }

    /// Begins anew after a success.
    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }
}

/// `first` doubled `times` times, at most `max`.
pub(crate) fn grown(first: Duration, times: u32, max: Duration) -> Duration {
    first.saturating_mul(2u32.saturating_pow(times)).min(max)
}

/// Between half of `step` and `step`.
pub(crate) fn jittered(step: Duration) -> Duration {
    step.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_maximum_and_begin_anew() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let waits: Vec<_> = (0..40).map(|_| backoff.next_wait()).collect();
        assert!(waits[0] <= Duration::from_millis(100) && waits[0] >= Duration::from_millis(50));
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(1)));
        assert!(waits[39] >= Duration::from_millis(500));
        backoff.reset();
        assert!(backoff.next_wait() <= Duration::from_millis(100));
    }

    #[test]
    fn what_the_engine_asks_for_is_kept_within_reason() {
        let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_secs(1));
        assert_eq!(
            backoff.next_wait_at_least(Some(Duration::from_secs(7))),
            Duration::from_secs(7)
        );
        assert_eq!(
            backoff.next_wait_at_least(Some(Duration::from_secs(86_400))),
            Duration::from_secs(60)
        );
    }
}
