//! `handoff host`: the sidecar, or with `--check` a report on its configuration.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Error, Result};
use clap::Args;
use handoff_host::{Config, Host, check::Severity, runtime_config};
use handoff_runtime::{CompileMode, RuntimeConfig};

use crate::shutdown;

/// `handoff host --config FILE`
#[derive(Debug, Args)]
pub(crate) struct HostArgs {
    /// The operator's configuration
    #[arg(long, value_name = "FILE", default_value = "handoff.toml")]
    config: PathBuf,
    /// Check the configuration and all that it points at, run nothing, and say what is wrong
    #[arg(long)]
    check: bool,
    /// With --check, do not ask whether the engines answer
    #[arg(long, requires = "check")]
    offline: bool,
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
