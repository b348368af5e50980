//! The engine's figures: how fast it is, with little and with much in its store, and how it bears too much.
//!
//! Each section has an engine of its own, as a process on a loopback port with a new data folder, and is bounded in
//! time. What shares the machine distorts the rates; the goals are those of a machine with two processors on which
//! nothing else runs, the load included.

mod camunda;
mod client;
mod cliffs;
mod fill;
mod history;
mod http;
mod load;
mod machinery;
mod models;
mod open;
mod overload;
mod polls;
mod table;
mod times;
mod wakeup;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use handoff_harness::{Engine, EngineOptions};
use tempfile::TempDir;

use self::table::Table;
use super::{host::Generator, machine};
use crate::cargo::{self, build_handoff, target_dir};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The sources of the load generator c7bench, in Go
    #[arg(long, env = "C7BENCH_DIR", value_name = "DIR", default_value = "../shared/bench")]
    c7bench: PathBuf,
    /// An executable that is built already, instead of a release of these sources
    #[arg(long, value_name = "PATH")]
    handoff: Option<PathBuf>,
    /// The Camunda 7 that is measured beside; without it, the one of the tests is built
    #[arg(long, value_name = "PATH")]
    camunda_jar: Option<PathBuf>,
    /// Only sections whose name contains this
    #[arg(long, value_name = "WORD")]
    only: Vec<String>,
    /// Five million instances in history
    #[arg(long)]
    long: bool,
    /// Instances that the load generator starts and completes
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    instances: u32,
    /// Instances of the load generator that are not counted
    #[arg(long, default_value_t = 5_000)]
    warm: u32,
    /// Open instances; may be repeated, the smallest first
    #[arg(long, value_name = "COUNT", default_values_t = [1_000, 100_000, 1_000_000], value_parser = clap::value_parser!(u32).range(1000..))]
    open: Vec<u32>,
    /// Finished instances in history; 200,000, or with --long five million
    #[arg(long, value_name = "COUNT")]
    finished: Option<u32>,
    /// Seconds of the overload
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(3..))]
    seconds: u32,
    /// Connections of the overload
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u32).range(32..))]
    connections: u32,
    /// Long polls that wait
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    polls: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Where everything is.
struct Bench<'a> {
    args: &'a Args,
    handoff: PathBuf,
    /// The built load generator, or why there is none.
    c7bench: Result<Generator, String>,
    dir: TempDir,
}

impl Bench<'_> {
    /// An engine without any data.
    fn engine(&self, name: &str) -> Result<Engine> {
        Engine::start(EngineOptions {
            program: self.handoff.clone(),
            name: name.to_owned(),
            dir: self.dir.path().to_owned(),
            delegates: None,
            arguments: Vec::new(),
        })
    }

    /// Removes an engine's data: a million instances are a gigabyte.
    fn discard(&self, mut engine: Engine) -> Result<()> {
        engine.stop()?;
        Ok(std::fs::remove_dir_all(engine.data_dir())?)
    }
}

/// A section: its name, and what measures it.
type Section = (&'static str, fn(&Bench<'_>, &mut Table) -> Result<()>);

const SECTIONS: &[Section] = &[
    ("load", load::run),
    ("open instances", open::run),
    ("history", history::run),
    ("wake-up of long polls", wakeup::run),
    ("too many clients", overload::run),
    ("waiting long polls", polls::run),
    ("large things", cliffs::run),
];

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let c7bench = Generator::build(&cargo::root().join(&args.c7bench)).map_err(|error| format!("{error:#}"));
    let handoff = match &args.handoff {
        Some(program) => std::fs::canonicalize(program).with_context(|| format!("find {}", program.display()))?,
        None => build_handoff(true)?,
    };
    std::fs::create_dir_all(target_dir().join("bench"))?;
    let bench = Bench {
        args,
        handoff,
        c7bench,
        dir: tempfile::tempdir_in(target_dir().join("bench"))?,
    };
    let mut table = Table::default();
    for (name, measure) in SECTIONS {
        if args.only.is_empty() || args.only.iter().any(|word| name.contains(word.as_str())) {
            table.section(name);
            if let Err(error) = measure(&bench, &mut table) {
                table.failed(&error);
            }
        }
    }
    if args.json {
        let mut result = table.json();
        result["machine"] = machine::describe().into();
        println!("{result}");
    } else {
        println!("\n{}\n", machine::describe());
        table.print();
    }
    Ok(if table.is_complete() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs what asks an engine, on one thread.
fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, future)
}

/// Resident memory, in units of 2^20 bytes.
fn megabytes(engine: &Engine) -> Result<f64> {
    Ok(engine.process().resident_bytes()? as f64 / f64::from(1 << 20))
}

/// Lets a process come to rest before its memory is looked at.
fn rest() {
    std::thread::sleep(Duration::from_secs(1));
}
