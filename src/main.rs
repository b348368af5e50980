//! `handoff`: the engine, the sidecar, and what goes with them. This file only knows the subcommands.
//!
//! Exit codes: 0 success, 1 it failed and the log or standard error says why, 2 the command line is wrong, 130 a second
//! signal ended it at once.

mod deploy;
#[cfg(feature = "engine")]
mod engine;
#[cfg(feature = "host")]
mod host;
#[cfg(feature = "engine")]
mod lint;
mod logging;
mod shutdown;
#[cfg(feature = "host")]
mod telemetry;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use self::logging::LogFormat;

/// Both servers live on small, short-lived allocations over several threads, which the C library's allocator does slowly,
/// and does not give back after a burst (docs/benchmarks.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(name = "handoff", version, about, arg_required_else_help = true)]
struct Cli {
    /// The form of the log's lines; the environment variable RUST_LOG filters them
    #[arg(long, global = true, value_enum, default_value_t)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a BPMN engine with its own durable store, which speaks the Camunda 7 REST dialect
    #[cfg(feature = "engine")]
    Engine(Box<engine::EngineArgs>),
    /// Run the sidecar: fetch external tasks, and run each in a fresh instance of a worker
    #[cfg(feature = "host")]
    Host(host::HostArgs),
    /// Tell what is wrong with models, and what will hurt
    #[cfg(feature = "engine")]
    Lint(lint::LintArgs),
    /// Deploy models to an engine
    Deploy(deploy::DeployArgs),
    /// Compile one component: what the host runs in a process of its own
    #[cfg(feature = "host")]
    #[command(name = handoff_runtime::compile::SUBCOMMAND, hide = true)]
    CompileComponent(host::CompileArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stderr, reason = "the last words of a command that failed")]
fn complain(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

fn run(cli: Cli) -> Result<ExitCode> {
    // Before anything else: this process has limits that a log or a runtime would be counted against.
    #[cfg(feature = "host")]
    if let Command::CompileComponent(args) = &cli.command {
        return host::compile(args);
    }
    // Fails only where a provider is installed already, which nobody else does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().context("start the asynchronous runtime")?;
    #[cfg(feature = "host")]
    let telemetry = match &cli.command {
        Command::Host(args) => args.telemetry(),
        _ => None,
    };
    #[cfg(feature = "host")]
    let telemetry = telemetry
        .map(|config| telemetry::Telemetry::start(&config, runtime.handle().clone()))
        .transpose()?;
    #[cfg(feature = "host")]
    let exporter = telemetry.as_ref().map(telemetry::Telemetry::layer);
    #[cfg(not(feature = "host"))]
    let exporter = None;
    logging::install(cli.log_format, exporter)?;
    let result = runtime.block_on(async {
        match cli.command {
            #[cfg(feature = "engine")]
            Command::Engine(args) => engine::run(*args).await,
            #[cfg(feature = "host")]
            Command::Host(args) => host::run(args).await,
            #[cfg(feature = "engine")]
            Command::Lint(args) => lint::run(&args),
            Command::Deploy(args) => deploy::run(args).await.map(|()| ExitCode::SUCCESS),
            #[cfg(feature = "host")]
            Command::CompileComponent(args) => host::compile(&args),
        }
    });
    #[cfg(feature = "host")]
    if let Some(telemetry) = telemetry {
        telemetry.finish();
    }
    result
}
