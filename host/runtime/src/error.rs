//! What can go wrong, as the embedder sees it.

use std::{fmt, path::PathBuf};

/// Why the runtime could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// wasmtime refused its configuration, or the machine cannot provide what it asks for.
    #[error("cannot set up the WebAssembly engine: {0}")]
    Engine(String),
    /// The threads that guests run on could not be started.
    #[error("cannot start the threads that workers run on: {0}")]
    Threads(std::io::Error),
    /// `Runtime::new` was called outside a tokio runtime.
    #[error("the runtime has to be created within a tokio runtime, on which capabilities are called")]
    NoTokioRuntime,
    /// The private directory of compiled components cannot be used.
    #[error("cannot use the cache directory {}: {reason}", path.display())]
    Cache {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The private directory of earlier versions and pins cannot be used.
    #[error("cannot use the state directory {}: {reason}", path.display())]
    State {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another host has the private directory of earlier versions and pins.
    #[error(
        "the state directory {} is in use by {holder}: two hosts would undo each other's rollbacks; give each a `state-dir` \
         of its own under [workers]",
        path.display()
    )]
    StateInUse {
        /// The directory.
        path: PathBuf,
        /// Who has it.
        holder: String,
    },
    /// The workers' folder cannot be read.
    #[error("cannot read the workers' folder {}: {reason}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// How a call of a worker failed. The labels of [`CallErrorKind::label`] are stable: metrics carry them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallErrorKind {
    /// The worker trapped: a panic, an unreachable instruction, an access out of bounds.
    Trap,
    /// The call stack overflowed.
    StackOverflow,
    /// The worker asked for more memory than it may have.
    OutOfMemory,
    /// The deadline passed while the worker ran.
    Deadline,
    /// The embedder cancelled the run.
    Cancelled,
    /// No slot became free before the deadline. The worker was never called: this is not an attempt.
    NoCapacity,
    /// The input or the result is larger than the worker's payload limit.
    PayloadTooLarge,
    /// Another limit was exceeded.
    LimitExceeded,
    /// The worker does not export what was called.
    NotExported,
    /// The component could not be instantiated.
    Instantiation,
    /// A defect of the host.
    Internal,
}

impl CallErrorKind {
    /// A short name in snake case.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::StackOverflow => "stack_overflow",
            Self::OutOfMemory => "out_of_memory",
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
            Self::NoCapacity => "no_capacity",
            Self::PayloadTooLarge => "payload_too_large",
            Self::LimitExceeded => "limit_exceeded",
            Self::NotExported => "not_exported",
            Self::Instantiation => "instantiation",
            Self::Internal => "internal",
        }
    }
}

/// A call of a worker that had no result.
#[derive(Debug, Clone)]
pub struct CallError {
    /// How it failed.
    pub kind: CallErrorKind,
    /// One line for a person: what happened and, where there is one, what to change.
    pub message: String,
    /// Where it happened: the worker's stack, symbolised, innermost frame first.
    pub backtrace: Option<String>,
    /// The last lines that the worker logged or wrote to standard output or error.
    pub log_tail: Vec<String>,
}

impl CallError {
    pub(crate) fn new(kind: CallErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            backtrace: None,
            log_tail: Vec::new(),
        }
    }

    /// Whether the worker was called, so that a retry is used up.
    pub fn is_attempt(&self) -> bool {
        !matches!(
            self.kind,
            CallErrorKind::NoCapacity | CallErrorKind::Cancelled | CallErrorKind::NotExported
        )
    }

    /// The stack and the log's tail, for the details of a failure; none if there is neither.
    pub fn details(&self) -> Option<String> {
        let mut details = String::new();
        if let Some(backtrace) = &self.backtrace {
            details.push_str(backtrace.trim_end());
            details.push('\n');
        }
        if !self.log_tail.is_empty() {
            details.push_str("last log lines:\n");
            for line in &self.log_tail {
                details.push_str("  ");
                details.push_str(line);
                details.push('\n');
            }
        }
        (!details.is_empty()).then_some(details)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CallError {}
