//! The host beside the official clients: how many tasks they get done, for how much of the machine, and how long each
//! holds a task. All of them work for the same load generator, `c7bench stub`, which hands out tasks and checks answers.
//!
//! What shares the machine distorts such figures, so contenders take turns: one round is one run of each. Rates are the
//! medians of the rounds; the processor time of a task hardly depends on what else runs.

mod clients;
mod contender;
mod fleet;
mod stub;
mod table;

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

pub(super) use self::stub::Generator;
use self::{
    contender::{Contender, Kind},
    table::Row,
};
use super::machine;
use crate::{
    cargo::{self, build_handoff, target_dir, workers_dir},
    setup, workers,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The sources of the load generator c7bench, in Go
    #[arg(long, env = "C7BENCH_DIR", value_name = "DIR", default_value = "../shared/bench")]
    c7bench: PathBuf,
    /// Tasks of a run; workers in JavaScript and Python get a tenth
    #[arg(long, default_value_t = 30_000)]
    tasks: usize,
    /// Runs of each contender
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of the run at 100 tasks a second, for the time that a task is held
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Only contenders whose name contains this
    #[arg(long, value_name = "WORD")]
    only: Vec<String>,
    /// Leave out the start of 200 workers, the memory of ten, and the time of a bare call
    #[arg(long)]
    no_extras: bool,
}

/// The rate at which it is measured how long a task is held.
const STEADY_RATE: usize = 100;

/// Where everything is.
pub(super) struct Bench {
    handoff: PathBuf,
    generator: Generator,
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let generator = Generator::build(&cargo::root().join(&args.c7bench))?;
    setup::run(setup::Args::default())?;
    workers::run(workers::Args::only(&["echo", "js-echo", "py-echo"]))?;
    let bench = Bench {
        handoff: build_handoff(true)?,
        generator,
        dir: target_dir().join("bench/host"),
    };
    std::fs::create_dir_all(&bench.dir)?;

    let wanted = |contender: &Contender| {
        args.only.is_empty() || args.only.iter().any(|word| contender.name.contains(word.as_str()))
    };
    let contenders: Vec<_> = Contender::all(&bench)?.into_iter().filter(wanted).collect();
    let mut rows: Vec<Row> = contenders.iter().map(|contender| Row::new(contender.name)).collect();
    for round in 1..=args.rounds {
        for (contender, row) in contenders.iter().zip(&mut rows) {
            let tasks = contender.tasks(args.tasks);
            let run = contender
                .run(&bench, tasks, 0)
                .with_context(|| contender.name.to_owned())?;
            println!(
                "round {round}: {:<28} {:>8.0} tasks/s",
                contender.name, run.tasks_per_second
            );
            row.runs.push(run);
        }
    }
    for (contender, row) in contenders.iter().zip(&mut rows) {
        // It does not wait for tasks to come.
        if contender.kind != Kind::Go {
            println!("{STEADY_RATE} tasks/s for {} s: {}", args.seconds, contender.name);
            let tasks = STEADY_RATE * args.seconds as usize;
            row.steady = Some(
                contender
                    .run(&bench, tasks, STEADY_RATE)
                    .with_context(|| contender.name.to_owned())?,
            );
        }
    }
    println!("\n{}", machine::describe());
    println!(
        "{} tasks a run, {} rounds, load generator included\n",
        args.tasks, args.rounds
    );
    table::print(&rows);
    if !args.no_extras {
        extras(&bench)?;
    }
    Ok(())
}

fn extras(bench: &Bench) -> Result<()> {
    println!();
    let echo = workers_dir().join("echo.wasm");
    println!("instantiate and call a small Rust worker: {}", call_time(&echo)?);
    let start = fleet::start(bench, &echo, 200)?;
    println!(
        "200 workers, warm cache: ready in {:.2} s (goal: 2 s)",
        start.ready.as_secs_f64()
    );
    let idle = fleet::start(bench, &echo, 10)?;
    println!(
        "ten Rust workers, idle: {} MB (goal: under 40 MB)",
        idle.resident_bytes >> 20
    );
    Ok(())
}

/// The line that the runtime's own example prints. It was built with the host.
fn call_time(component: &std::path::Path) -> Result<String> {
    let example = cargo::target_dir().join("release/examples").join(cargo::CALL_TIME);
    let output = Command::new(&example)
        .arg(component)
        .output()
        .with_context(|| format!("run {}", example.display()))?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
