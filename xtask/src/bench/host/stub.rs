//! The load generator: an engine that hands out tasks, takes their ends and says how it went.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use handoff_harness::{Process, Usage, free_port, wait_until};
use serde::Deserialize;

use crate::{cargo, cargo::target_dir, setup::output};

/// Beyond this a run hangs.
const RUN_LIMIT: Duration = Duration::from_secs(300);

/// The built `c7bench`.
pub(in crate::bench) struct Generator {
    pub(in crate::bench) program: PathBuf,
}

/// What the load generator says in the end.
#[derive(Debug, Deserialize)]
struct Report {
    tasks: usize,
    completed: usize,
    failed: usize,
    completed_twice: usize,
    wrong_answers: usize,
    tasks_per_s: f64,
    held_ms: Held,
}

/// For how long a task was with the client, in milliseconds.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(in crate::bench) struct Held {
    pub(in crate::bench) p50: f64,
    pub(in crate::bench) p99: f64,
}

/// A run of one contender.
#[derive(Debug)]
pub(in crate::bench) struct Run {
    pub(in crate::bench) tasks_per_second: f64,
    pub(in crate::bench) held: Held,
    /// Processor time of the contender for one task, its start included, in microseconds.
    pub(in crate::bench) cpu_micros: f64,
    pub(in crate::bench) peak_bytes: u64,
}

/// Tasks that wait for a client.
pub(in crate::bench) struct Load {
    process: Process,
    port: u16,
    tasks: usize,
}

impl Generator {
    /// Builds it from its sources.
    ///
    /// # Errors
    /// The sources or Go are missing.
    pub(in crate::bench) fn build(sources: &Path) -> Result<Self> {
        if !sources.join("go.mod").is_file() {
            bail!(
                "the load generator's sources are not in {}: name their folder with --c7bench DIR or C7BENCH_DIR",
                sources.display()
            );
        }
        let version = output(Command::new("go").arg("version"))
            .context("the load generator is built with Go, which is not installed (https://go.dev/dl)")?;
        println!("building c7bench by {version}");
        let program = target_dir().join("bench/c7bench");
        cargo::run(
            Command::new("go")
                .args(["build", "-o"])
                .arg(&program)
                .arg(".")
                .current_dir(sources),
        )?;
        Ok(Self { program })
    }

    /// Starts it with `tasks` tasks: all at once, or `rate` a second.
    pub(in crate::bench) fn start(&self, dir: &Path, tasks: usize, rate: usize, check: bool) -> Result<Load> {
        let port = free_port()?;
        let mut command = Command::new(&self.program);
        command.args(["stub", "-addr", &format!("127.0.0.1:{port}")]).args([
            "-n",
            &tasks.to_string(),
            "-rate",
            &rate.to_string(),
        ]);
        if check {
            command.arg("-check");
        }
        let log = dir.join("c7bench.log");
        // Its log is that of one run: the last line is the report.
        let _ = std::fs::remove_file(&log);
        let process = Process::start("c7bench stub", command, &log)?;
        wait_until("c7bench to listen", Duration::from_secs(10), || {
            Ok(TcpStream::connect(("127.0.0.1", port)).is_ok())
        })?;
        Ok(Load { process, port, tasks })
    }
}

impl Load {
    pub(in crate::bench) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/engine-rest", self.port)
    }

    /// Waits until all tasks are done by `client`.
    ///
    /// # Errors
    /// They are not done in time, or not all rightly.
    pub(in crate::bench) fn run(mut self, client: &Process) -> Result<Run> {
        let ended = self.process.wait_end(RUN_LIMIT);
        let usage: Usage = client.usage()?;
        if ended.is_err() {
            bail!("tasks were left undone; the log of the client:\n{}", client.log()?);
        }
        let log = self.process.log()?;
        let report: Report = serde_json::from_str(log.lines().last().unwrap_or_default())
            .with_context(|| format!("c7bench said:\n{log}"))?;
        ensure!(
            report.completed == self.tasks && report.failed + report.completed_twice + report.wrong_answers == 0,
            "not every task was done once and rightly: {report:?}"
        );
        Ok(Run {
            tasks_per_second: report.tasks_per_s,
            held: report.held_ms,
            cpu_micros: usage.cpu.as_secs_f64() * 1e6 / report.tasks as f64,
            peak_bytes: usage.peak_bytes,
        })
    }
}
