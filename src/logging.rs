//! Where the log goes: standard error, as text or as one JSON object per line, filtered by `RUST_LOG`.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// What is logged where `RUST_LOG` does not say.
const DEFAULT_FILTER: &str = "info";

/// The form of the log's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Installs the log of this process.
///
/// # Errors
/// `RUST_LOG` makes no sense.
pub(crate) fn install(format: LogFormat) -> Result<()> {
    let filter = EnvFilter::builder()
        .with_default_directive(DEFAULT_FILTER.parse()?)
        .from_env()
        .context("the environment variable RUST_LOG")?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry
            .with(lines.with_ansi(std::io::stderr().is_terminal()))
            .try_init()?,
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
    }
    Ok(())
}
