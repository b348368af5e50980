//! Work for many things, done by jobs.

use serde::{Deserialize, Serialize};

use super::{Migration, Modification, Restart, VariableInput};
use crate::id::{Id, Millis};

/// A batch to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewBatch {
    /// What is done.
    pub work: BatchWork,
    /// For what: instances, jobs or external tasks.
    pub items: Vec<Id>,
    /// Who wants it.
    pub user: Option<String>,
}

/// What a batch does with each of its items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum BatchWork {
    /// `instance-deletion`
    DeleteInstances {
        /// For the history.
        reason: Option<String>,
        /// Without calling execution listeners.
        skip_custom_listeners: bool,
        /// Without evaluating output parameters.
        skip_io_mappings: bool,
    },
    /// `historic-instance-deletion`
    DeleteHistory,
    /// `set-job-retries`
    SetJobRetries(i32),
    /// `set-external-task-retries`
    SetExternalTaskRetries(i32),
    /// `set-variables`
    SetVariables(Vec<VariableInput>),
    /// `instance-modification`
    Modify(Modification),
    /// `instance-migration`
    Migrate(Box<Migration>),
    /// `instance-restart`
    Restart(Restart),
    /// `instance-update-suspension-state`
    Suspend(bool),
    /// `process-set-removal-time`
    SetRemovalTime(Option<Millis>),
    /// `historic-decision-instance-deletion`
    DeleteDecisions,
    /// `decision-set-removal-time`
    SetDecisionRemovalTime(Option<Millis>),
}

impl BatchWork {
    /// Camunda's name of the type.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DeleteInstances { .. } => "instance-deletion",
            Self::DeleteHistory => "historic-instance-deletion",
            Self::SetJobRetries(_) => "set-job-retries",
            Self::SetExternalTaskRetries(_) => "set-external-task-retries",
            Self::SetVariables(_) => "set-variables",
            Self::Modify(_) => "instance-modification",
            Self::Migrate(_) => "instance-migration",
            Self::Restart(_) => "instance-restart",
            Self::Suspend(_) => "instance-update-suspension-state",
            Self::SetRemovalTime(_) => "process-set-removal-time",
            Self::DeleteDecisions => "historic-decision-instance-deletion",
            Self::SetDecisionRemovalTime(_) => "decision-set-removal-time",
        }
    }
}
