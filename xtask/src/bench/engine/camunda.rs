//! Camunda's column: a Camunda 7.24 under the same load, warm, on this machine.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use handoff_harness::{Camunda, Process, Rest, camunda, free_port, wait_until};

use super::{
    Bench,
    load::{Load, Report},
    table::Table,
    times::millis,
};
use crate::{camunda as build, cargo};

/// A cold start takes ten seconds of an idle machine.
const START_LIMIT: Duration = Duration::from_secs(300);

/// Measures it, and holds `ours` to it; says why not, where there is none.
pub(super) fn run(bench: &Bench<'_>, table: &mut Table, ours: &Report) -> Result<()> {
    let jar = match jar(bench) {
        Ok(jar) => jar,
        Err(error) => {
            table.left_out(format!("Camunda's column: {error:#}"));
            return Ok(());
        }
    };
    let port = free_port()?;
    let mut command = Command::new("java");
    command.arg("-Xmx1g").arg("-jar").arg(jar);
    command.args([
        format!("--server.port={port}"),
        "--server.address=127.0.0.1".to_owned(),
        "--spring.datasource.url=jdbc:h2:mem:bench".to_owned(),
    ]);
    let began = Instant::now();
    let mut process = Process::start("camunda", command, &bench.dir.path().join("camunda.log"))?;
    let rest = Rest::new(&format!("http://127.0.0.1:{port}/engine-rest"));
    wait_until("Camunda to answer", START_LIMIT, || {
        process.check_alive()?;
        Ok(rest.try_get("/version")?.status == 200)
    })?;
    let ready = began.elapsed();

    // All of the load: the more tasks are open, the slower it fetches them.
    let theirs = Load::of(bench).run(bench, rest.base())?;
    let resident = process.resident_bytes()? as f64 / f64::from(1 << 20);
    table.value("Camunda: ready after start", millis(ready), "ms");
    table.value("Camunda: starts", theirs.starts_per_s, "/s");
    table.value("Camunda: completions", theirs.completes_per_s, "/s");
    table.value("Camunda: end to end at 100/s, p50", theirs.end_to_end.ms.p50, "ms");
    table.value("Camunda: end to end at 100/s, p99", theirs.end_to_end.ms.p99, "ms");
    table.value("Camunda: resident in the end", resident, "MB");
    let starts = ours.starts_per_s / theirs.starts_per_s;
    let completions = ours.completes_per_s / theirs.completes_per_s;
    table.at_least("starts, as a multiple of Camunda's", starts, "×", 17.0);
    table.at_least("completions, as a multiple of Camunda's", completions, "×", 40.0);
    Ok(())
}

fn jar(bench: &Bench<'_>) -> Result<PathBuf> {
    Camunda::check_java()?;
    if let Some(jar) = &bench.args.camunda_jar {
        if !jar.is_file() {
            bail!("{} is not there", jar.display());
        }
        return Ok(jar.clone());
    }
    build::run(&build::Args::default())?;
    let jar = cargo::root().join(camunda::PROJECT).join(camunda::JAR);
    if !jar.is_file() {
        bail!("`cargo xtask camunda` has built none");
    }
    Ok(jar)
}
