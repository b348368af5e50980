//! Where the log goes: standard error, as text or as one JSON object per line, filtered by `RUST_LOG`.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use clap::ValueEnum;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, LevelFilter, filter_fn},
    layer::{Layered, SubscriberExt},
    util::SubscriberInitExt,
};

/// What is logged where `RUST_LOG` does not say.
const DEFAULT_FILTER: &str = "info";

/// The target of what is exported.
#[cfg(feature = "host")]
const TRACES: &str = handoff_host::trace::TARGET;
#[cfg(not(feature = "host"))]
const TRACES: &str = "handoff::trace";

/// What takes traces, over the log.
pub(crate) type Exporter = Box<dyn Layer<Layered<Box<dyn Layer<Registry> + Send + Sync>, Registry>> + Send + Sync>;

/// The form of the log's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Installs the log of this process, and `exporter` beside it.
///
/// # Errors
/// `RUST_LOG` makes no sense.
pub(crate) fn install(format: LogFormat, exporter: Option<Exporter>) -> Result<()> {
    let filter = EnvFilter::builder()
        .with_default_directive(DEFAULT_FILTER.parse()?)
        .from_env()
        .context("the environment variable RUST_LOG")?
        // What is exported is not logged. The hint keeps the other filter's: without it every library's every trace event
        // would be looked at.
        .and(filter_fn(|metadata| metadata.target() != TRACES).with_max_level_hint(LevelFilter::TRACE));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => lines
            .with_ansi(std::io::stderr().is_terminal())
            .with_filter(filter)
            .boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    tracing_subscriber::registry().with(lines).with(exporter).try_init()?;
    Ok(())
}
