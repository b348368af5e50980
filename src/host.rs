//! `handoff host`: the sidecar, or with `--check` a report on its configuration; and what is asked of one that runs.

mod ask;
mod table;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Error, Result};
use clap::{Args, Subcommand};
use handoff_host::{Config, Host, check::Severity, config::TelemetryConfig, runtime_config};
use handoff_runtime::{CompileMode, RuntimeConfig};

use self::ask::Admin;
use crate::shutdown;

/// `handoff host --config FILE`
#[derive(Debug, Args)]
pub(crate) struct HostArgs {
    /// The operator's configuration
    #[arg(long, value_name = "FILE", default_value = "handoff.toml", global = true)]
    config: PathBuf,
    /// Check the configuration and all that it points at, run nothing, and say what is wrong
    #[arg(long)]
    check: bool,
    /// With --check, do not ask whether the engines answer
    #[arg(long, requires = "check")]
    offline: bool,
    #[command(subcommand)]
    ask: Option<Ask>,
}

/// What a running host is asked, at the admin address of its configuration.
#[derive(Debug, Subcommand)]
enum Ask {
    /// Show what runs: engines, and each worker's version, state, last error, tasks and times
    Status {
        /// As JSON, as `GET /status` has it
        #[arg(long)]
        json: bool,
    },
    /// Run what ran before the version in the folder, until it is unpinned or something newer is put there
    Rollback {
        /// The worker
        name: String,
    },
    /// Run again what is in the folder
    Unpin {
        /// The worker
        name: String,
    },
}

impl HostArgs {
    /// Where traces go, if the host runs and they are wanted. A configuration that cannot be read is found out by whoever
    /// reads it next.
    pub(crate) fn telemetry(&self) -> Option<TelemetryConfig> {
        if self.check || self.ask.is_some() {
            return None;
        }
        Config::load(&self.config).ok()?.telemetry
    }
}

/// What the host starts itself with to compile a component.
#[derive(Debug, Args)]
pub(crate) struct CompileArgs {
    input: PathBuf,
    output: PathBuf,
}

/// Runs the host until a signal stops it.
///
/// # Errors
/// The configuration cannot be used, or a listener cannot be bound.
pub(crate) async fn run(args: HostArgs) -> Result<ExitCode> {
    let config = Config::load(&args.config)?;
    if let Some(ask) = args.ask {
        return self::ask(&config, ask).await;
    }
    let runtime = in_child_process(runtime_config(&config))?;
    if args.check {
        return Ok(check(&config, runtime, !args.offline).await);
    }
    let stop = shutdown::on_signals()?;
    let patience = config.limits.shutdown();
    let host = Host::start(config, runtime).await?;
    stop.cancelled().await;
    host.shutdown(patience).await;
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::print_stdout, reason = "the result of the command")]
async fn ask(config: &Config, ask: Ask) -> Result<ExitCode> {
    let admin = Admin::of(config)?;
    match ask {
        Ask::Status { json: true } => println!("{:#}", admin.get(&["status"]).await?),
        Ask::Status { json: false } => {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |now| now.as_secs());
            print!("{}", table::render(&admin.get(&["status"]).await?, now));
        }
        Ask::Rollback { name } => println!("{}", table::one(&admin.post(&["workers", &name, "rollback"]).await?)),
        Ask::Unpin { name } => println!("{}", table::one(&admin.post(&["workers", &name, "unpin"]).await?)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Components are compiled by this executable in a process of its own, which has limits.
fn in_child_process(runtime: RuntimeConfig) -> Result<RuntimeConfig> {
    let program = std::env::current_exe().context("find the executable that compiles components")?;
    Ok(RuntimeConfig {
        compile: CompileMode::Child { program },
        ..runtime
    })
}

#[allow(clippy::print_stdout, reason = "the result of the command")]
async fn check(config: &Config, runtime: RuntimeConfig, engines: bool) -> ExitCode {
    let findings = config.check(runtime, engines).await;
    for finding in &findings {
        let severity = match finding.severity {
            Severity::Fine => "fine   ",
            Severity::Warning => "warning",
            Severity::Error => "error  ",
        };
        println!("{severity}  {}: {}", finding.subject, finding.message);
    }
    let broken = findings.iter().any(|finding| finding.severity == Severity::Error);
    if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Compiles a component, within the limits that the host put into the environment.
///
/// # Errors
/// It cannot be compiled; the host reads why from standard error.
pub(crate) fn compile(args: &CompileArgs) -> Result<ExitCode> {
    handoff_runtime::compile::child_main(&args.input, &args.output).map_err(Error::msg)?;
    Ok(ExitCode::SUCCESS)
}
