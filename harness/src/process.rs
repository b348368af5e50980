//! A child process: its log in a file, its signals, its memory.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::usage::Usage;

/// Lines of its log that a process shows when a test failed while it ran.
const LOG_TAIL_LINES: usize = 40;

/// A running child. It is killed when it is dropped, unless it was left running.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    ended: bool,
}

impl Process {
    /// Starts `command` with both outputs appended to the file `log`.
    ///
    /// # Errors
    /// The file cannot be opened, or the program cannot be run.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("open {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("run {}", command.get_program().to_string_lossy()))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
            ended: false,
        })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that it has logged, over its restarts too.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&std::fs::read(&self.log)?).into_owned())
    }

    /// An error if it has ended by itself.
    ///
    /// # Errors
    /// It has; the error has the end of its log.
    pub fn check_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => {
                self.ended = true;
                bail!("{} has ended ({status}):\n{}", self.name, self.log_tail())
            }
        }
    }

    /// SIGKILL: it has no chance to do anything more.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        if !self.ended {
            self.child.kill().with_context(|| format!("kill {}", self.name))?;
            self.child.wait()?;
            self.ended = true;
        }
        Ok(())
    }

    /// SIGTERM, without waiting for what comes of it.
    ///
    /// # Errors
    /// It is gone.
    pub fn request_stop(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// SIGTERM, and waits for its end.
    ///
    /// # Errors
    /// It runs on past `limit`; it is then killed.
    pub fn terminate(&mut self, limit: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        let ended = self.wait_end(limit);
        if ended.is_err() {
            self.kill()?;
        }
        ended.with_context(|| format!("{} did not stop after SIGTERM", self.name))
    }

    /// SIGSTOP: it stands still, with its connections open.
    ///
    /// # Errors
    /// It is gone.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// It is gone.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Leaves it to itself: it runs on after this process has ended.
    pub fn leave_running(mut self) {
        self.ended = true;
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        send(self.child.id(), signal).with_context(|| format!("signal {}", self.name))
    }

    /// What it has used so far.
    ///
    /// # Errors
    /// It is gone, or the system has no `/proc`.
    pub fn usage(&self) -> Result<Usage> {
        Usage::of(self.child.id()).with_context(|| self.name.clone())
    }

    /// Its resident memory in bytes.
    ///
    /// # Errors
    /// It is gone, or the system has no `/proc`.
    pub fn resident_bytes(&self) -> Result<u64> {
        Ok(self.usage()?.resident_bytes)
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// It runs on past `limit`.
    pub fn wait_end(&mut self, limit: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.ended = true;
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("{} has not ended within {limit:?}:\n{}", self.name, self.log_tail());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The processor's time that it has used so far, in its own code and in the system's, to a hundredth of a second.
    ///
    /// # Errors
    /// It is gone, or the system has no `/proc`.
    pub fn processor_time(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // After the name, which is in parentheses, the 12th and 13th fields; Linux tells user space 100 ticks a second.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks: Vec<u64> = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse().ok())
            .collect();
        match ticks[..] {
            [own, system] => Ok(Duration::from_millis((own + system) * 10)),
            _ => bail!("/proc says nothing about the processor's time of {}", self.name),
        }
    }

    fn log_tail(&self) -> String {
        let log = self.log().unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
    }
}

/// SIGKILL by process id, for a place that cannot own the [`Process`]: a proxy that has just seen an answer.
///
/// # Errors
/// There is no such process.
pub fn kill_by_id(id: u32) -> Result<()> {
    send(id, Signal::KILL)
}

fn send(id: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    Ok(kill_process(
        pid.ok_or_else(|| anyhow!("{id} is no process id"))?,
        signal,
    )?)
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---- the end of the log of {}:\n{}\n----", self.name, self.log_tail());
        }
        // Nothing can be done about an error here, and the process is a child: it cannot be somebody else's.
        let _ = self.kill();
    }
}
