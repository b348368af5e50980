//! Why a call has no result, for a person to read.

use std::fmt;

use tokio::task::JoinError;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::{
    error::{CallError, CallErrorKind},
    logs::{RunLog, cut},
    state::RunState,
};

/// The longest stack, in bytes.
const MAX_BACKTRACE: usize = 8 << 10;
/// The longest message, in bytes.
const MAX_MESSAGE: usize = 2 << 10;

/// Why the host stopped a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Deadline,
    Cancelled,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deadline => "the worker was stopped at its deadline",
            Self::Cancelled => "the run was cancelled",
        })
    }
}

impl std::error::Error for Stop {}

impl Stop {
    pub(super) fn into_error(self) -> CallError {
        let kind = match self {
            Self::Deadline => CallErrorKind::Deadline,
            Self::Cancelled => CallErrorKind::Cancelled,
        };
        CallError::new(kind, self.to_string())
    }
}

/// What a guest's error means.
pub(super) fn of_guest(error: wasmtime::Error, state: &RunState) -> CallError {
    let (kind, message) = classify(&error, state);
    let backtrace = error
        .downcast_ref::<WasmBacktrace>()
        .map(|frames| cut(&frames.to_string(), MAX_BACKTRACE).to_owned());
    CallError {
        backtrace,
        ..CallError::new(kind, message)
    }
}

fn classify(error: &wasmtime::Error, state: &RunState) -> (CallErrorKind, String) {
    if let Some(exceeded) = state.limiter.exceeded() {
        return (CallErrorKind::OutOfMemory, exceeded.to_string());
    }
    if let Some(stop) = error.downcast_ref::<Stop>() {
        let error = stop.into_error();
        return (error.kind, error.message);
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return (
            CallErrorKind::Trap,
            format!("the worker exited with status {} instead of returning", exit.0),
        );
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return (CallErrorKind::NoCapacity, format!("no instance was free: {error}"));
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return match trap {
            Trap::StackOverflow => (
                CallErrorKind::StackOverflow,
                "the worker's call stack overflowed: it recursed too deeply".to_owned(),
            ),
            trap => (
                CallErrorKind::Trap,
                format!("the worker trapped: {}", plain(&trap.to_string())),
            ),
        };
    }
    // wasmtime keeps the type of this error to itself.
    if error.root_cause().to_string().contains("fuel allocated for hostcalls") {
        return (
            CallErrorKind::PayloadTooLarge,
            format!(
                "the worker handed over more than its payload limit of {} KiB at once. Raise payload-kb under [limits] in \
                 its manifest",
                state.run.payload_bytes >> 10
            ),
        );
    }
    (
        CallErrorKind::Trap,
        format!(
            "the worker failed: {}",
            cut(&format!("{:#}", error.root_cause()), MAX_MESSAGE)
        ),
    )
}

/// A guest task that ended without a result is a defect of the host.
pub(super) fn of_join(error: &JoinError) -> CallError {
    tracing::error!(%error, "a worker's run failed within the host");
    CallError::new(
        CallErrorKind::Internal,
        "the host failed while the worker ran; its log says more",
    )
}

/// Adds the log's tail, hides secrets, and puts a panic's message into the error's: it is what a person looks for.
pub(super) fn with_log(mut error: CallError, log: &RunLog, tail: Vec<String>) -> CallError {
    if error.kind == CallErrorKind::Trap
        && let Some(panic) = panic_in(&tail)
    {
        error.message = format!("the worker panicked: {}", cut(&panic, MAX_MESSAGE));
    }
    error.message = log.redacted(&error.message);
    error.log_tail = tail;
    error
}

/// What a panic said last: the SDK logs it in one line, Rust's own handler writes it to standard error in two.
fn panic_in(tail: &[String]) -> Option<String> {
    let text = |line: &String| line.split_once(' ').map_or("", |(_, text)| text).to_owned();
    tail.iter().enumerate().rev().find_map(|(at, line)| {
        if let Some(said) = line.strip_prefix("ERROR panicked: ") {
            return Some(said.to_owned());
        }
        line.contains("panicked at")
            .then(|| tail[at..].iter().take(2).map(text).collect::<Vec<_>>().join(" "))
    })
}

fn plain(trap: &str) -> &str {
    trap.strip_prefix("wasm trap: ").unwrap_or(trap)
}
