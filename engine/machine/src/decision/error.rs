//! Why a decision has no result, by Camunda's exceptions.

use crate::feel::FeelError;
use crate::view::ViewError;

/// A failure.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// As Camunda's DMN engine has it.
    #[error("{message}")]
    Failed {
        /// The simple name of the exception.
        class: &'static str,
        /// What it says.
        message: String,
    },
    /// A variable could not be read.
    #[error(transparent)]
    View(#[from] ViewError),
}

impl DecisionError {
    pub(super) fn hit_policy(message: String) -> Self {
        Self::Failed {
            class: "DmnHitPolicyException",
            message,
        }
    }

    /// A value that is none of the type that a clause says.
    pub(super) fn value(message: String) -> Self {
        Self::Failed {
            class: "DmnEngineException",
            message,
        }
    }

    pub(super) fn feel(reason: impl std::fmt::Display) -> Self {
        Self::Failed {
            class: "FeelException",
            message: format!("FEEL/SCALA-01008 Error while evaluating expression: {reason}"),
        }
    }

    pub(super) fn juel(source: &str, reason: impl std::fmt::Display) -> Self {
        Self::Failed {
            class: "DmnEvaluationException",
            message: format!("DMN-01002 Unable to evaluate expression for language 'juel': '{source}': {reason}"),
        }
    }
}

impl From<FeelError> for DecisionError {
    fn from(error: FeelError) -> Self {
        Self::feel(error)
    }
}
