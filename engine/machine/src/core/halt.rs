//! Why the course of a command stops.

use crate::error::MachineError;
use crate::expression::EvalError;
use crate::id::Id;
use crate::request::Request;
use crate::view::ViewError;

/// What stops it.
#[derive(Debug)]
pub(super) enum Halt {
    /// An answer from outside is missing.
    Need(Box<Request>),
    /// The command is refused.
    Error(MachineError),
    /// A BPMN error, or what an activity's implementation failed with: it may be caught within the model.
    Thrown(Box<Thrown>),
}

/// A result within a command.
pub(super) type Run<T> = Result<T, Halt>;

/// Something that a boundary event or an event sub-process may catch.
#[derive(Debug)]
pub(super) struct Thrown {
    pub(super) cause: Cause,
    /// The execution that ends if nobody catches it.
    pub(super) execution: Id,
    /// Where the search for one who catches it begins: an execution or an instance.
    pub(super) from: Id,
}

#[derive(Debug)]
pub(super) enum Cause {
    /// A BPMN error with its code.
    Bpmn { code: String, message: Option<String> },
    /// A failure: only an event whose code is a class of Java's exceptions catches it, and else it ends the command.
    Failure(MachineError),
}

impl Thrown {
    /// What the caller is told where nothing runs any more that could catch it.
    pub(super) fn into_error(self) -> MachineError {
        match self.cause {
            Cause::Bpmn { code, message } => MachineError::Execution(match message {
                Some(message) => format!("BPMN error with code '{code}': {message}"),
                None => format!("BPMN error with code '{code}'"),
            }),
            Cause::Failure(error) => error,
        }
    }
}

impl Halt {
    pub(super) fn bpmn(code: impl Into<String>, message: Option<String>, execution: Id) -> Self {
        let cause = Cause::Bpmn {
            code: code.into(),
            message,
        };
        Self::Thrown(Box::new(Thrown {
            cause,
            execution,
            from: execution,
        }))
    }

    /// A failure of an activity's implementation.
    pub(super) fn failure(error: MachineError, execution: Id) -> Self {
        Self::Thrown(Box::new(Thrown {
            cause: Cause::Failure(error),
            execution,
            from: execution,
        }))
    }

    pub(super) fn execution(message: impl Into<String>) -> Self {
        Self::Error(MachineError::Execution(message.into()))
    }
}

impl From<MachineError> for Halt {
    fn from(error: MachineError) -> Self {
        Self::Error(error)
    }
}

impl From<ViewError> for Halt {
    fn from(error: ViewError) -> Self {
        Self::Error(error.into())
    }
}

impl From<EvalError> for Halt {
    fn from(error: EvalError) -> Self {
        Self::Error(error.into())
    }
}

impl From<EvalError> for MachineError {
    fn from(error: EvalError) -> Self {
        match error {
            EvalError::Failed(message) | EvalError::Unknown(message) => Self::Execution(message),
            EvalError::View(error) => Self::View(error),
        }
    }
}
