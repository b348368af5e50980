//! What the rows need of the operating system: processors to themselves, and many connections.

use std::{process::Command, thread};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// This process and what it starts keep to one processor, until this is dropped.
#[derive(Debug)]
pub(super) struct Pinned {
    all: String,
}

/// Two processors that this process may use.
pub(super) fn two_processors() -> Result<(usize, usize)> {
    let list = allowed()?;
    match processors(&list)?[..] {
        [first, second, ..] => Ok((first, second)),
        _ => bail!("there is one processor only ({list}): an engine and its load cannot be kept apart"),
    }
}

impl Pinned {
    /// Keeps to a processor from now on.
    pub(super) fn to(processor: usize) -> Result<Self> {
        let all = allowed()?;
        pin(&processor.to_string())?;
        Ok(Self { all })
    }

    /// Changes to another processor; what was started stays where it is.
    pub(super) fn move_to(&self, processor: usize) -> Result<()> {
        pin(&processor.to_string())
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Err(error) = pin(&self.all) {
            eprintln!("  this process keeps to one processor from now on: {error:#}");
        }
    }
}

/// `util-linux` has the command wherever there is a Linux.
fn pin(list: &str) -> Result<()> {
    let output = Command::new("taskset")
        .args([
            "--all-tasks",
            "--cpu-list",
            "--pid",
            list,
            &std::process::id().to_string(),
        ])
        .output()
        .context("run taskset (package util-linux)")?;
    ensure!(
        output.status.success(),
        "taskset: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

/// The processors that this process may use, such as `0-1,4`.
fn allowed() -> Result<String> {
    let of = format!("/proc/{}/task/{}/status", std::process::id(), std::process::id());
    let status = std::fs::read_to_string(&of).with_context(|| format!("read {of}"))?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    Ok(list
        .context("Linux does not say which processors there are")?
        .trim()
        .to_owned())
}

fn processors(list: &str) -> Result<Vec<usize>> {
    let mut all = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        all.extend(first.parse::<usize>()?..=last.parse::<usize>()?);
    }
    Ok(all)
}

/// Lets this process, and each that it starts, have so many files and connections open.
pub(super) fn allow_files(count: u64) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= count) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < count) {
        // A user with the right to may go beyond.
        let raised = Rlimit {
            current: Some(count),
            maximum: Some(count),
        };
        return setrlimit(Resource::Nofile, raised)
            .with_context(|| format!("{count} open files are needed (ulimit -Hn {count})"));
    }
    let raised = Rlimit {
        current: Some(count),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).with_context(|| format!("allow {count} open files"))
}

/// Waits, a moment longer each time it is asked, while something changes.
pub(super) fn settle(mut value: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut last = value()?;
    for _ in 0..60 {
        thread::sleep(std::time::Duration::from_millis(500));
        let now = value()?;
        if (now - last).abs() <= last * 0.002 {
            return Ok(now);
        }
        last = now;
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors_are_read() {
        assert_eq!(processors("0-1,4").unwrap(), [0, 1, 4]);
        assert_eq!(processors("3").unwrap(), [3]);
        assert!(processors("").is_err());
    }
}
