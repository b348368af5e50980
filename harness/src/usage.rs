//! What a process has used of the machine, by the kernel's own count.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};

/// The unit of processor time in `/proc`: fixed by the kernel's interface, whatever its own clock does.
const TICKS_PER_SECOND: u64 = 100;

/// What a process has used so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Processor time, in the process and in the kernel for it.
    pub cpu: Duration,
    /// Memory that is resident now, in bytes.
    pub resident_bytes: u64,
    /// The most memory that ever was resident, in bytes.
    pub peak_bytes: u64,
}

impl Usage {
    /// Of a process that runs, or of a child that has ended and was not waited for yet (whose memory is then 0).
    ///
    /// # Errors
    /// It is gone, or the system has no `/proc`.
    pub fn of(process_id: u32) -> Result<Self> {
        let read = |file: &str| {
            let path = format!("/proc/{process_id}/{file}");
            std::fs::read_to_string(&path).with_context(|| format!("read {path}"))
        };
        let (status, stat) = (read("status")?, read("stat")?);
        Ok(Self {
            cpu: cpu(&stat).ok_or_else(|| anyhow!("/proc/{process_id}/stat has no processor time: {stat}"))?,
            resident_bytes: bytes(&status, "VmRSS:"),
            peak_bytes: bytes(&status, "VmHWM:"),
        })
    }
}

/// Fields 14 and 15, counted from behind the program's name, which may have any character in it.
fn cpu(stat: &str) -> Option<Duration> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

fn bytes(status: &str, key: &str) -> u64 {
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix(key))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|number| number.trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_used_memory_and_time() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.resident_bytes > 0 && usage.peak_bytes >= usage.resident_bytes);
        assert!(Usage::of(u32::MAX).is_err());
    }

    #[test]
    fn a_name_with_spaces_and_parentheses_shifts_no_field() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 0 0 0 0 250 50 0 0 20 0 1 0 1 0 0";
        assert_eq!(cpu(stat), Some(Duration::from_secs(3)));
    }
}
