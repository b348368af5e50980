//! Why a command was refused, in Camunda's families of exceptions: the REST layer turns them into `type`, status and
//! `code` (`rest-semantics`: ExceptionHandlerHelper, BuiltinExceptionCode).

use crate::migration::InstanceReport;
use crate::view::ViewError;

/// A refusal. Nothing of the command has happened.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// `BadUserRequestException` and its family.
    #[error("{0}")]
    BadUserRequest(String),
    /// `NullValueException`: a required value is missing.
    #[error("{0}")]
    NullValue(String),
    /// `NotValidException`: a value is not valid.
    #[error("{0}")]
    NotValid(String),
    /// `NotAllowedException`
    #[error("{0}")]
    NotAllowed(String),
    /// What the command is about does not exist.
    #[error("{message}")]
    NotFound {
        /// Which kind of thing.
        kind: Entity,
        /// What Camunda says of it.
        message: String,
    },
    /// `MigratingProcessInstanceValidationException`: an instance cannot go along.
    #[error("{0}")]
    Migration(Box<InstanceReport>),
    /// An external task is held by another worker, or by none.
    #[error("{0}")]
    NotLockHolder(String),
    /// `TaskAlreadyClaimedException`
    #[error("{0}")]
    AlreadyClaimed(String),
    /// `SuspendedEntityInteractionException`
    #[error("{0}")]
    Suspended(String),
    /// `MismatchingMessageCorrelationException`
    #[error("{0}")]
    Mismatch(String),
    /// `if-running: reject`, and one runs.
    #[error("{0}")]
    AlreadyRunning(String),
    /// `ParseException`: a model that cannot be deployed.
    #[error("{}", .0.message)]
    Parse(Box<ParseProblems>),
    /// `ProcessEngineException`: what goes wrong while a process executes.
    #[error("{0}")]
    Execution(String),
    /// A delegate or script failed.
    #[error("{0}")]
    Delegate(String),
    /// `ScriptEvaluationException`: a script failed.
    #[error("{0}")]
    Script(String),
    /// `FormFieldValidationException`: a form cannot show a variable.
    #[error("{0}")]
    FormField(String),
    /// An exception of Java's own, which no resource wraps: `NumberFormatException`, `ClassCastException`.
    #[error("{message}")]
    Java {
        /// Its simple name.
        class: &'static str,
        /// What it says.
        message: String,
    },
    /// The stored rows could not be read, or another command holds the instance.
    #[error(transparent)]
    View(#[from] ViewError),
}

impl MachineError {
    /// What Java says of a text that is to be a number and is none.
    #[must_use]
    pub fn number_format(text: &str) -> Self {
        Self::Java {
            class: "NumberFormatException",
            message: format!("For input string: \"{text}\""),
        }
    }
}

/// The kind of a thing that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Entity {
    Deployment,
    ProcessDefinition,
    ProcessInstance,
    Execution,
    ExternalTask,
    Job,
    Task,
    Variable,
    EventSubscription,
    Incident,
    JobDefinition,
    Batch,
    Decision,
}

/// All that is wrong with the resources of a deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct ParseProblems {
    /// The summary, as Camunda words it.
    pub message: String,
    /// By resource name.
    pub resources: Vec<(String, Vec<Problem>, Vec<Problem>)>,
}

/// One error or warning of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, and the remedy.
    pub message: String,
    /// From 1; 0 where unknown.
    pub line: u32,
    /// From 1; 0 where unknown.
    pub column: u32,
    /// The element that is the cause.
    pub main_element: Option<String>,
    /// All elements concerned.
    pub elements: Vec<String>,
}
