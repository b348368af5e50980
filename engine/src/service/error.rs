//! Why a command came to nothing.

use std::sync::Arc;
use std::time::Duration;

use handoff_machine::{Id, MachineError};

use crate::store::{ReadRefused, StoreError};

/// The refusal of a command or a read. Nothing of it has happened.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The machine refused it.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// Too much waits already: 503 with `Retry-After`.
    #[error("the engine is overloaded: try again in {} s", retry_after.as_secs().max(1))]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// Too many long polls wait: Camunda's 500 `InvalidRequestException`.
    #[error("At the moment the server has to handle too many requests at the same time. Please try again later.")]
    TooManyFetches,
    /// Its instance stayed reserved by a command that waits for a delegate: Camunda's 500
    /// `OptimisticLockingException` with code 1, after which clients try again.
    #[error("{0}")]
    Conflict(String),
    /// A delegate called back into its own instance, which can never be served while the delegate runs.
    #[error(
        "a cycle: delegate '{delegate}' (invocation {invocation}) runs within process instance {instance}, which is \
         reserved until the delegate answers; its call into the same instance could never be served"
    )]
    Cycle {
        /// The delegate's name.
        delegate: String,
        /// Its invocation.
        invocation: uuid::Uuid,
        /// The instance that both need.
        instance: Id,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
    /// The engine stops: Camunda's 500 `RestException`.
    #[error("Request rejected due to shutdown of application server.")]
    ShuttingDown,
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<ReadRefused> for CommandError {
    fn from(refused: ReadRefused) -> Self {
        match refused {
            ReadRefused::Overloaded => Self::Overloaded {
                retry_after: Duration::from_secs(1),
            },
            ReadRefused::Store(error) => error.into(),
        }
    }
}

impl From<rusqlite::Error> for CommandError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}
