//! The project's own commands: `cargo xtask setup | workers | camunda | demo | test | bench`.
//!
//! Each of them does the set-up that it needs on a fresh machine, and says what it installs.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what these commands print is what they are for"
)]

mod bench;
mod camunda;
mod cargo;
mod demo;
mod setup;
mod test;
mod workers;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find or install what building workers needs
    Setup(setup::Args),
    /// Build the workers into target/workers
    Workers(workers::Args),
    /// Build the Camunda 7 that tests run over, where Java and Maven are there
    Camunda(camunda::Args),
    /// Run the pattern: two engines, one host, real orders
    Demo(demo::Args),
    /// Run every test there is
    Test(test::Args),
    /// Measure
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Setup(args) => setup::run(args).map(|()| ExitCode::SUCCESS),
        Command::Workers(args) => workers::run(args).map(|()| ExitCode::SUCCESS),
        Command::Camunda(args) => camunda::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Bench(args) => bench::run(&args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:?}");
        ExitCode::FAILURE
    })
}
