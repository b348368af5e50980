//! Stopping: the first SIGTERM or SIGINT stops gracefully, the second at once.

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code of a process that did not wait for its graceful stop.
const EXIT_AT_ONCE: i32 = 130;

/// A token that is cancelled by the first signal.
///
/// # Errors
/// The signals cannot be listened to.
pub(crate) fn on_signals() -> Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("listen to SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen to SIGINT")?;
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        let mut first = true;
        loop {
            let name = tokio::select! {
                Some(()) = terminate.recv() => "SIGTERM",
                Some(()) = interrupt.recv() => "SIGINT",
                else => return,
            };
            if !first {
                tracing::warn!(signal = name, "stopping at once");
                std::process::exit(EXIT_AT_ONCE);
            }
            first = false;
            tracing::info!(signal = name, "stopping; a second signal stops at once");
            stop.cancel();
        }
    });
    Ok(token)
}
