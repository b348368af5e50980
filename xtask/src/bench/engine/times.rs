//! Many times of the same thing.

use std::time::Duration;

/// Times, in no particular order until they are asked about.
#[derive(Debug, Default)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    /// Notes one.
    pub(super) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that half of them do not exceed, in milliseconds; none is not a number.
    pub(super) fn p50(&mut self) -> f64 {
        self.percentile(50)
    }

    /// The time that 99 of 100 do not exceed, in milliseconds; none is not a number.
    pub(super) fn p99(&mut self) -> f64 {
        self.percentile(99)
    }

    fn percentile(&mut self, percent: usize) -> f64 {
        self.0.sort_unstable();
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).map_or(f64::NAN, |time| millis(*time))
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        Self(times.into_iter().collect())
    }
}

/// In milliseconds.
pub(super) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let mut times: Times = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!((times.len(), times.p50(), times.p99()), (200, 100.0, 198.0));
        assert!(Times::default().p50().is_nan());
    }
}
