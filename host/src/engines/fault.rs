//! Why a call to an engine had no result, in terms that do not depend on the dialect.
//!
//! The distinctions are those that somebody acts on: whether the call may have had its effect, whether trying again is
//! right, and whether the engine still knows us as the holder of a task.

use std::time::Duration;

use handoff_runtime::wit::types::EngineError;

use crate::typed_json::TypedValueError;

/// A call without a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The engine could not be connected to: nothing was sent.
    #[error("cannot connect: {0}")]
    Unreachable(String),
    /// The connection broke after something was sent, or the answer could not be read to its end: the call may have
    /// had its effect.
    #[error("the connection broke: {0}")]
    Interrupted(String),
    /// No answer in time: the call may have had its effect.
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The engine, or a proxy before it, says that it cannot serve now. Nothing is known about the call's effect.
    #[error("the engine is unavailable: {message}")]
    Unavailable {
        /// What it said.
        message: String,
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// The engine demands credentials, or does not accept ours.
    #[error("not authorised: {0}")]
    Unauthorized(String),
    /// What answered does not speak the engine's dialect, such as a login page.
    #[error("this is no engine's answer: {0}")]
    Foreign(String),
    /// Another change came first (optimistic locking): trying again is right.
    #[error("another change came first: {0}")]
    Conflict(String),
    /// There is no such task, instance, definition or variable.
    #[error("not found: {0}")]
    NotFound(String),
    /// A message matches no receiver, or more than one.
    #[error("{0}")]
    Mismatch(String),
    /// The engine understood and refused; also what it answers to somebody who does not hold a task's lock.
    #[error("refused: {0}")]
    Rejected(String),
    /// The engine failed while it did what was asked, and rolled it back.
    #[error("the engine failed: {0}")]
    Failed(String),
    /// The answer is larger than it may be.
    #[error("{0}")]
    TooLarge(String),
}

impl Fault {
    /// Whether the engine may have done what was asked although there is no result.
    pub const fn may_have_had_effect(&self) -> bool {
        matches!(
            self,
            Self::Interrupted(_) | Self::TimedOut(_) | Self::Unavailable { .. } | Self::Foreign(_)
        )
    }

    /// Whether the same call may succeed later without anybody changing it.
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_)
                | Self::Interrupted(_)
                | Self::TimedOut(_)
                | Self::Unavailable { .. }
                | Self::Unauthorized(_)
                | Self::Foreign(_)
                | Self::Conflict(_)
        )
    }

    /// How long the engine asked to wait.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// A short name in snake case, for metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Interrupted(_) => "interrupted",
            Self::TimedOut(_) => "timed_out",
            Self::Unavailable { .. } => "unavailable",
            Self::Unauthorized(_) => "unauthorized",
            Self::Foreign(_) => "foreign",
            Self::Conflict(_) => "conflict",
            Self::NotFound(_) => "not_found",
            Self::Mismatch(_) => "mismatch",
            Self::Rejected(_) => "rejected",
            Self::Failed(_) => "failed",
            Self::TooLarge(_) => "too_large",
        }
    }
}

impl From<TypedValueError> for Fault {
    fn from(error: TypedValueError) -> Self {
        Self::Rejected(error.to_string())
    }
}

impl From<Fault> for EngineError {
    fn from(fault: Fault) -> Self {
        let message = fault.to_string();
        match fault {
            Fault::Unreachable(_)
            | Fault::Interrupted(_)
            | Fault::Unavailable { .. }
            | Fault::Unauthorized(_)
            | Fault::Foreign(_) => Self::Unavailable(message),
            Fault::TimedOut(_) => Self::Timeout(message),
            Fault::Conflict(_) => Self::Conflict(message),
            Fault::NotFound(_) => Self::NotFound(message),
            Fault::Mismatch(_) => Self::Mismatch(message),
            Fault::Rejected(_) => Self::Rejected(message),
            Fault::TooLarge(_) => Self::LimitExceeded(message),
            Fault::Failed(_) => Self::Other(message),
        }
    }
}
