//! `handoff engine`: a BPMN engine with its own durable store, until a signal stops it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use handoff_engine::config::HistoryConfig;
use handoff_engine::{Config, DelegatesConfig, Examination, HistoryLevel, TlsFiles, backup, examine, serve};

use crate::shutdown;

/// `handoff engine --data-dir DIR`, or what is done with a database beside running it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct EngineArgs {
    #[command(subcommand)]
    command: Option<EngineCommand>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum EngineCommand {
    /// Copy the database into a new file, while the engine runs or not
    Backup {
        /// The folder of the database
        #[arg(long, env = "HANDOFF_DATA_DIR", value_name = "DIR")]
        data_dir: PathBuf,
        /// The copy; it must not exist. To restore it, put it as engine.db into an empty data folder
        file: PathBuf,
    },
    /// Examine a database or a backup: every page, every index, every reference
    Check {
        /// The database, or its folder
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Where the REST is served, below /engine-rest; port 0 takes a free one
    #[arg(
        long,
        env = "HANDOFF_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS:PORT"
    )]
    listen: SocketAddr,
    /// Write the address that is listened on to this file, once requests are taken
    #[arg(long, value_name = "FILE")]
    address_file: Option<PathBuf>,
    /// The folder of the database; it is made if it is not there
    // Only a subcommand has another one, and then none of these arguments is there.
    #[arg(long, env = "HANDOFF_DATA_DIR", value_name = "DIR", required = true)]
    data_dir: Option<PathBuf>,
    /// What this engine is called: by delegates, and below /engine-rest/engine
    #[arg(long, default_value = "default", value_name = "NAME")]
    engine_name: String,
    /// The host whose delegates are called, such as http://127.0.0.1:8090
    #[arg(long, value_name = "URL")]
    delegates: Option<String>,
    /// The file with the token that the delegates' host asks for
    #[arg(long, requires = "delegates", value_name = "FILE")]
    delegates_token_file: Option<PathBuf>,
    /// How long one call of a delegate may take, in milliseconds
    #[arg(long, requires = "delegates", default_value_t = 30_000, value_name = "MILLISECONDS")]
    delegates_timeout_ms: u64,
    /// Users and tokens that may call; without it, only loopback addresses are listened on
    #[arg(long, value_name = "FILE")]
    auth_file: Option<PathBuf>,
    /// Listen on any address without authentication: for a network that is trusted itself
    #[arg(long)]
    insecure: bool,
    /// The certificate chain of a TLS server, in PEM
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// A host name that requests may name, beside IP addresses and localhost; may be repeated
    #[arg(long = "allowed-host", value_name = "NAME")]
    allowed_hosts: Vec<String>,
    /// How much history is kept: none, activity, audit or full
    #[arg(long, default_value = "full", value_name = "LEVEL")]
    history: HistoryLevel,
    /// For how many days history is kept, of definitions that do not say it themselves (camunda:historyTimeToLive)
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i32).range(0..))]
    history_time_to_live: Option<i32>,
    /// Accept definitions of which nobody says how long their history is kept: it is kept for ever
    #[arg(long)]
    history_unlimited: bool,
    /// From when the time to live counts: the start or the end of the instance at the top
    #[arg(long, value_enum, default_value_t = RemovalTime::End, value_name = "WHEN")]
    history_removal_time: RemovalTime,
    /// Refuse at deployment also what Camunda accepts and ignores
    #[arg(long)]
    strict: bool,
}

/// From when the time to live of history counts.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RemovalTime {
    Start,
    End,
}

impl ServeArgs {
    fn config(self) -> Result<(Config, Option<PathBuf>)> {
        let tls = self
            .tls_cert
            .zip(self.tls_key)
            .map(|(certificate, key)| TlsFiles { certificate, key });
        let timeout = Duration::from_millis(self.delegates_timeout_ms);
        let delegates = self.delegates.map(|url| DelegatesConfig {
            token_file: self.delegates_token_file,
            timeout,
            ..DelegatesConfig::new(url)
        });
        let config = Config {
            listen: self.listen,
            name: self.engine_name,
            auth_file: self.auth_file,
            insecure: self.insecure,
            tls,
            allowed_hosts: self.allowed_hosts,
            delegates,
            history: self.history,
            retention: HistoryConfig {
                time_to_live: self.history_time_to_live,
                enforce_time_to_live: !self.history_unlimited,
                removal_time_at_start: matches!(self.history_removal_time, RemovalTime::Start),
                ..HistoryConfig::default()
            },
            strict: self.strict,
            ..Config::new(self.data_dir.context("--data-dir is missing")?)
        };
        Ok((config, self.address_file))
    }
}

/// Runs the engine until a signal stops it, or does what else is asked for.
///
/// # Errors
/// The database cannot be opened or is damaged, the address not listened on, the backup not written.
pub(crate) async fn run(args: EngineArgs) -> Result<ExitCode> {
    match args.command {
        None => serve_until_stopped(args.serve).await.map(|()| ExitCode::SUCCESS),
        Some(EngineCommand::Backup { data_dir, file }) => {
            let bytes = tokio::task::spawn_blocking(move || backup(&data_dir, &file)).await??;
            say(&format!("{bytes} bytes written"));
            Ok(ExitCode::SUCCESS)
        }
        Some(EngineCommand::Check { file }) => {
            let found = tokio::task::spawn_blocking(move || examine(&file)).await??;
            Ok(report(&found))
        }
    }
}

/// Says what was found. The exit code is a failure if anything is wrong.
fn report(found: &Examination) -> ExitCode {
    let path = found.path.display();
    for problem in &found.problems {
        say(&format!("{path}: {problem}"));
    }
    if !found.problems.is_empty() {
        say(&format!(
            "{path} is damaged. Keep a copy of the whole folder, then restore a backup: put it as engine.db into an \
             empty data folder"
        ));
        return ExitCode::FAILURE;
    }
    let counts: Vec<String> = found
        .counts
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    say(&format!(
        "{path} is sound: schema version {}, {}",
        found.schema_version.unwrap_or_default(),
        counts.join(", ")
    ));
    ExitCode::SUCCESS
}

#[allow(clippy::print_stdout, reason = "what was asked for")]
fn say(line: &str) {
    println!("{line}");
}

async fn serve_until_stopped(args: ServeArgs) -> Result<()> {
    let (config, address_file) = args.config()?;
    let stop = shutdown::on_signals()?;
    let ready = |address| {
        if let Some(file) = &address_file
            && let Err(error) = write_address(file, address)
        {
            // The engine serves all the same; whoever waits for the file learns why from the log.
            tracing::error!(error = format!("{error:#}"), "nobody can read the address");
        }
    };
    serve(config, ready, stop.cancelled_owned()).await?;
    tracing::info!("the engine has stopped");
    Ok(())
}

/// Writes the address in one step, so that whoever waits for the file never reads half of it.
fn write_address(file: &Path, address: SocketAddr) -> Result<()> {
    let part = file.with_extension("part");
    std::fs::write(&part, format!("{address}\n"))
        .and_then(|()| std::fs::rename(&part, file))
        .with_context(|| format!("write the address to {}", file.display()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        engine: EngineArgs,
    }

    fn retention(options: &[&str]) -> Result<HistoryConfig> {
        let line = ["handoff", "--data-dir", "data"].iter().chain(options);
        let (config, _) = Line::try_parse_from(line)?.engine.serve.config()?;
        Ok(config.retention)
    }

    #[test]
    fn options_say_how_long_history_is_kept() -> Result<()> {
        let plain = retention(&[])?;
        assert_eq!((plain.time_to_live, plain.enforce_time_to_live), (None, true));
        assert!(!plain.removal_time_at_start);
        let days = retention(&["--history-time-to-live", "30", "--history-removal-time", "start"])?;
        assert_eq!((days.time_to_live, days.removal_time_at_start), (Some(30), true));
        assert!(!retention(&["--history-unlimited"])?.enforce_time_to_live);
        for wrong in [["--history-time-to-live", "-1"], ["--history-removal-time", "never"]] {
            assert!(retention(&wrong).is_err(), "{wrong:?}");
        }
        Ok(())
    }
}
