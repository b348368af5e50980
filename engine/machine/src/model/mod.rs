//! BPMN 2.0 models: XML in, a compiled [`ProcessModel`] out.
//!
//! Everything that a model says and that matters is in the compiled model, or the model is refused: what would change
//! a token's path and is not executed is a problem with the element and its place; what Camunda accepts and ignores
//! is a warning. Nothing is read and then silently ignored.

mod element;
mod event;
mod extension;
mod form;
mod index;
mod job;
mod lint;
mod process;
pub(crate) mod read;
mod script;
mod task;
pub(crate) mod xml;

use std::sync::Arc;

pub use self::element::{Element, Flow, Kind, MultiInstance};
pub use self::event::{
    Boundary, CatchKind, ConditionDefinition, EndKind, ErrorDefinition, EscalationDefinition, EventName, SignalThrow,
    StartEvent, ThrowKind, Timer, TimerKind, Trigger, VariableChange,
};
pub use self::extension::{
    Declaration, Delegate, ErrorMapping, Implementation, Listener, ListenerEvent, Mapping, Parameter, ParameterValue,
    TaskListener,
};
pub use self::form::{Form, FormField, FormName, FormProperty, FormRef, NamedForm};
pub use self::index::{ElementIx, FlowIx};
pub use self::job::{ASYNC_AFTER, ASYNC_BEFORE, JobDeclaration};
pub use self::lint::lint;
pub use self::process::ProcessModel;
pub use self::script::{Condition, Script, ScriptSource};
pub use self::task::{Binding, CallActivity, DecisionTask, ExternalTask, ServiceTask, UserTask};

use crate::error::Problem;

/// What a BPMN file holds.
#[derive(Debug)]
pub struct ParsedResource {
    /// The executable processes, in XML order.
    pub processes: Vec<Arc<ProcessModel>>,
    /// What is accepted, but worth a word.
    pub warnings: Vec<Problem>,
}

/// Why a BPMN file is not accepted. Camunda has two kinds of refusal, with different statuses in REST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// The text itself cannot be read: XML or an expression is malformed (`ProcessEngineException`).
    Malformed(String),
    /// The model is wrong, or needs what is not executed (`ParseException`): errors, then warnings.
    Refused(Vec<Problem>, Vec<Problem>),
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed(message) => f.write_str(message),
            Self::Refused(errors, _) => {
                f.write_str("ENGINE-09005 Could not parse BPMN process. Errors: ")?;
                for error in errors {
                    write!(
                        f,
                        "\n* {} | line {} | column {}",
                        error.message, error.line, error.column
                    )?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ParseError {}

/// Parses and compiles a BPMN file.
///
/// # Errors
/// All that is wrong with it, with the places.
pub fn parse(resource_name: &str, bytes: &[u8]) -> Result<ParsedResource, ParseError> {
    read::read(resource_name, bytes)
}

#[cfg(test)]
mod tests;
