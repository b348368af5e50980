//! The `[limits]` of a manifest.

use std::time::Duration;

use serde::Deserialize;

use super::Complaint;
use crate::config::WorkerLimits;

/// The limits that a manifest asks for, in the units of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ManifestLimits {
    /// Linear memory of a call, in MiB.
    pub memory_mb: Option<u32>,
    /// The longest a call may run, in milliseconds.
    pub time_ms: Option<u32>,
    /// Calls of this worker at once.
    pub concurrency: Option<u32>,
    /// Log lines of a call.
    pub log_lines: Option<u32>,
    /// The largest payload of a call, in KiB.
    pub payload_kb: Option<u32>,
}

impl ManifestLimits {
    pub(super) fn check(&self) -> Result<(), Complaint> {
        match self.zero() {
            Some(key) => Err(Complaint::new(
                key,
                format!("{key} has to be 1 at least; leave it out for the default"),
            )),
            None => Ok(()),
        }
    }

    /// These limits, and those of `base` where one is left out.
    pub fn over(&self, base: &WorkerLimits) -> WorkerLimits {
        WorkerLimits {
            memory_bytes: self.memory_mb.map_or(base.memory_bytes, |mb| (mb as usize) << 20),
            time: self.time_ms.map_or(base.time, |ms| Duration::from_millis(ms.into())),
            concurrency: self.concurrency.unwrap_or(base.concurrency),
            log_lines: self.log_lines.unwrap_or(base.log_lines),
            payload_bytes: self.payload_kb.map_or(base.payload_bytes, |kb| (kb as usize) << 10),
        }
    }

    /// The first key that is zero, which would let nothing run.
    pub fn zero(&self) -> Option<&'static str> {
        [
            ("memory-mb", self.memory_mb),
            ("time-ms", self.time_ms),
            ("concurrency", self.concurrency),
            ("payload-kb", self.payload_kb),
        ]
        .into_iter()
        .find(|(_, value)| *value == Some(0))
        .map(|(key, _)| key)
    }

    /// The limits that hold: what is asked for, else the default.
    ///
    /// Asking for more than the operator allows is refused rather than cut: a worker that needs the memory would only
    /// fail later.
    pub fn resolve(&self, default: &WorkerLimits, max: &WorkerLimits) -> Result<WorkerLimits, String> {
        let limits = self.over(&default.capped(max));
        let checks = [
            (
                "memory-mb",
                limits.memory_bytes > max.memory_bytes,
                max.memory_bytes >> 20,
            ),
            ("time-ms", limits.time > max.time, max.time.as_millis() as usize),
            (
                "concurrency",
                limits.concurrency > max.concurrency,
                max.concurrency as usize,
            ),
            ("log-lines", limits.log_lines > max.log_lines, max.log_lines as usize),
            (
                "payload-kb",
                limits.payload_bytes > max.payload_bytes,
                max.payload_bytes >> 10,
            ),
        ];
        match checks.into_iter().find(|(_, exceeded, _)| *exceeded) {
            Some((key, _, most)) => Err(format!(
                "[limits] {key} exceeds what the operator allows, which is {most}; lower it, or raise the host's limit"
            )),
            None => Ok(limits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_fill_in_and_the_operators_maximum_holds() {
        let (default, max) = (WorkerLimits::default(), WorkerLimits::ceiling());
        let asked = ManifestLimits {
            memory_mb: Some(16),
            ..ManifestLimits::default()
        };
        let limits = asked.resolve(&default, &max).unwrap();
        assert_eq!(limits.memory_bytes, 16 << 20);
        assert_eq!(limits.time, default.time);

        let greedy = ManifestLimits {
            memory_mb: Some(1 << 20),
            ..ManifestLimits::default()
        };
        let error = greedy.resolve(&default, &max).unwrap_err();
        assert!(error.contains("memory-mb") && error.contains("1024"), "{error}");
    }
}
