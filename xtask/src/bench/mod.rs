//! `cargo xtask bench NAME`: release builds, measured from outside.

mod engine;
mod handoff;
mod host;
mod machine;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The engine: its rates and times, with little and with much in its store, and with too much to do
    Engine(engine::Args),
    /// The pattern: two engines, one host
    Handoff(handoff::Args),
    /// The host beside the official clients, under the load generator c7bench
    Host(host::Args),
}

/// Runs a benchmark.
///
/// # Errors
/// Something cannot be built, does not come up, or goes wrong under load.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::Engine(args) => return engine::run(args),
        What::Handoff(args) => handoff::run(args)?,
        What::Host(args) => host::run(args)?,
    }
    Ok(ExitCode::SUCCESS)
}
