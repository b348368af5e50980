//! The load generator `c7bench`, against the engine, against Camunda 7, and its own client against its own stub: the
//! ceiling of what can be measured with it on this machine.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, anyhow, ensure};
use handoff_harness::Process;
use serde::Deserialize;

use super::{Bench, camunda, megabytes, rest, table::Table, times::Times};

/// Beyond this a run hangs.
const RUN_LIMIT: Duration = Duration::from_secs(1800);
/// Tasks of the run against the stub.
const DRAINED: usize = 50_000;
/// Starts of an engine over nothing.
const EMPTY_STARTS: usize = 5;

/// What the load generator says in the end.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Report {
    pub(super) starts_per_s: f64,
    pub(super) completes_per_s: f64,
    pub(super) end_to_end: EndToEnd,
}

/// From a start's request to its completion's answer, at a steady rate.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct EndToEnd {
    done: usize,
    of: usize,
    pub(super) ms: Percentiles,
}

impl EndToEnd {
    /// Of 100 instances, how many were completed within half a minute after the last start.
    fn share_done(&self) -> f64 {
        100.0 * self.done as f64 / self.of as f64
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Percentiles {
    pub(super) p50: f64,
    pub(super) p99: f64,
}

/// How much the load generator does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) instances: u32,
    pub(super) warm: u32,
    /// Starts per second of the last phase.
    pub(super) rate: u32,
    /// How long it lasts, in seconds.
    pub(super) seconds: u32,
}

impl Load {
    /// What the arguments say, with 100 starts per second in the end.
    pub(super) fn of(bench: &Bench<'_>) -> Self {
        Self {
            instances: bench.args.instances,
            warm: bench.args.warm,
            rate: 100,
            seconds: 10,
        }
    }

    /// Puts it on an engine.
    pub(super) fn run(self, bench: &Bench<'_>, url: &str) -> Result<Report> {
        let mut command = Command::new(c7bench(bench)?);
        command.args(["load", "-c", "32", "-url", url]);
        for (flag, value) in [
            ("-n", self.instances),
            ("-warm", self.warm),
            ("-rate", self.rate),
            ("-secs", self.seconds),
        ] {
            command.arg(flag).arg(value.to_string());
        }
        let log = bench.dir.path().join("load.log");
        report(command, &log)
    }
}

fn c7bench<'a>(bench: &'a Bench<'_>) -> Result<&'a Path> {
    let built = bench.c7bench.as_ref().map_err(|error| anyhow!("{error}"))?;
    Ok(&built.program)
}

/// Runs the load generator to its end, for the last line that it prints.
fn report<T: serde::de::DeserializeOwned>(command: Command, log: &Path) -> Result<T> {
    let _ = std::fs::remove_file(log);
    let mut process = Process::start("c7bench", command, log)?;
    let status = process.wait_end(RUN_LIMIT)?;
    let log = process.log()?;
    ensure!(status.success(), "c7bench ends with {status}:\n{log}");
    serde_json::from_str(log.lines().last().unwrap_or_default()).with_context(|| format!("c7bench said:\n{log}"))
}

pub(super) fn run(bench: &Bench<'_>, table: &mut Table) -> Result<()> {
    empty(bench, table)?;
    let generator = bench.c7bench.as_ref().map_err(|error| anyhow!("{error}"))?;
    let load = Load::of(bench);

    let engine = bench.engine("load")?;
    let ours = load.run(bench, engine.rest().base())?;
    rest();
    let (after, instances) = (megabytes(&engine)?, bench.args.instances);
    bench.discard(engine)?;

    let stub = generator.start(bench.dir.path(), DRAINED, 0, false)?;
    let mut command = Command::new(&generator.program);
    command.args(["drain", "-url", &stub.url()]);
    let client = Process::start("c7bench drain", command, &bench.dir.path().join("drain.log"))?;
    let ceiling = stub.run(&client)?.tasks_per_second;
    drop(client);

    table.value("c7bench drain on its stub: the ceiling", ceiling, "/s");
    table.at_least("starts", ours.starts_per_s, "/s", 0.55 * ceiling);
    table.value("completions", ours.completes_per_s, "/s");
    table.at_most("end to end at 100/s, p50", ours.end_to_end.ms.p50, "ms", 2.0);
    table.at_most("end to end at 100/s, p99", ours.end_to_end.ms.p99, "ms", 10.0);
    table.at_least(
        "end to end at 100/s, completed",
        ours.end_to_end.share_done(),
        "%",
        100.0,
    );
    table.at_most(format!("resident after {instances} instances"), after, "MB", 80.0);
    fast(bench, table)?;
    camunda::run(bench, table, &ours)
}

/// How soon an engine without data is ready, and what it needs then.
fn empty(bench: &Bench<'_>, table: &mut Table) -> Result<()> {
    let mut engine = bench.engine("empty")?;
    let mut ready = Times::default();
    for _ in 0..EMPTY_STARTS {
        engine.stop()?;
        engine.restart()?;
        ready.push(engine.ready_after());
    }
    table.at_most("ready after start, empty", ready.p50(), "ms", 100.0);
    rest();
    table.at_most("resident, idle", megabytes(&engine)?, "MB", 25.0);
    bench.discard(engine)
}

/// End to end at a high rate.
fn fast(bench: &Bench<'_>, table: &mut Table) -> Result<()> {
    let load = Load {
        instances: 1_000,
        rate: 2_000,
        ..Load::of(bench)
    };
    let engine = bench.engine("fast")?;
    let report = load.run(bench, engine.rest().base())?;
    table.at_most("end to end at 2,000/s, p99", report.end_to_end.ms.p99, "ms", 25.0);
    table.at_least(
        "end to end at 2,000/s, completed",
        report.end_to_end.share_done(),
        "%",
        100.0,
    );
    bench.discard(engine)
}
