//! Why a capability had no result.

use std::fmt;

use crate::{Denial, bindings};

/// Why a call to an engine had no result. After [`Unavailable`](Self::Unavailable) and [`Timeout`](Self::Timeout) the
/// call may have had its effect.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EngineError {
    /// Not granted; nothing was sent.
    Denied(Denial),
    /// The host's configuration has no engine of this name.
    UnknownEngine(String),
    /// The engine knows no such definition, instance or variable.
    NotFound(String),
    /// No execution and no start event, or more than one, matches a message.
    Mismatch(String),
    /// The engine understood the request and refused it.
    Rejected(String),
    /// Another change came first (optimistic locking); trying again is right.
    Conflict(String),
    /// The engine cannot be reached, or says that it cannot serve.
    Unavailable(String),
    /// No answer came within the time that the call had left.
    Timeout(String),
    /// A limit of the host was exceeded: the size of a payload, the number of calls.
    LimitExceeded(String),
    /// Anything else, in the host's words.
    Other(String),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, message) = match self {
            Self::Denied(denial) => return denial.fmt(f),
            Self::UnknownEngine(engine) => return write!(f, "the host knows no engine `{engine}`"),
            Self::NotFound(message) => ("not found", message),
            Self::Mismatch(message) => ("mismatching correlation", message),
            Self::Rejected(message) => ("the engine refused", message),
            Self::Conflict(message) => ("another change came first", message),
            Self::Unavailable(message) => ("the engine is not available", message),
            Self::Timeout(message) => ("the engine did not answer in time", message),
            Self::LimitExceeded(message) => ("over a limit of the host", message),
            Self::Other(message) => return f.write_str(message),
        };
        write!(f, "{what}: {message}")
    }
}

impl std::error::Error for EngineError {}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            capability,
            subject,
            remedy,
        } = self;
        write!(f, "`{capability}` is not granted for `{subject}`: {remedy}")
    }
}

impl From<bindings::types::EngineError> for EngineError {
    fn from(error: bindings::types::EngineError) -> Self {
        use bindings::types::EngineError as Wit;
        match error {
            Wit::Denied(denial) => Self::Denied(denial),
            Wit::UnknownEngine(engine) => Self::UnknownEngine(engine),
            Wit::NotFound(message) => Self::NotFound(message),
            Wit::Mismatch(message) => Self::Mismatch(message),
            Wit::Rejected(message) => Self::Rejected(message),
            Wit::Conflict(message) => Self::Conflict(message),
            Wit::Unavailable(message) => Self::Unavailable(message),
            Wit::Timeout(message) => Self::Timeout(message),
            Wit::LimitExceeded(message) => Self::LimitExceeded(message),
            Wit::Other(message) => Self::Other(message),
        }
    }
}

/// Calls an engine through the host. Outside of a component, in a worker's own tests, there is none.
pub(crate) fn call<T>(capability: impl FnOnce() -> Result<T, bindings::types::EngineError>) -> Result<T, EngineError> {
    if cfg!(target_family = "wasm") {
        capability().map_err(EngineError::from)
    } else {
        Err(EngineError::Unavailable(
            "there is no host outside of a component".into(),
        ))
    }
}
