//! What the machine asks of the outside while it decides, and the answers.
//!
//! There are no saved continuations: a command that needs an answer is run again from the same view with all answers
//! so far. The machine takes them in order and checks that each belongs to the request it makes.

use crate::command::VariableInput;
use crate::id::Id;
use crate::value::Value;

/// A request, in the order in which a command makes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The position among the command's requests, from 0.
    pub ordinal: u32,
    /// The instance from within which the call is made: a call back into it can never be served while it runs.
    pub instance: Id,
    /// What to do.
    pub kind: RequestKind,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestKind {
    /// `camunda:delegateExpression="${name}"` or `camunda:class` of a listener or a service task.
    Delegate(DelegateCall),
    /// A script of a script task, a listener or a mapping.
    Script(ScriptCall),
}

/// A call of a delegate by its name.
#[derive(Clone, Debug, PartialEq)]
pub struct DelegateCall {
    /// The delegate's name.
    pub name: String,
    /// Derived from [`crate::Env::invocation`] and the ordinal: the same in every attempt.
    pub invocation: uuid::Uuid,
    /// See [`crate::Env::attempt`].
    pub attempt: u32,
    /// The moment of the call.
    pub event: DelegateEvent,
    /// The activity's id in the model.
    pub activity_id: String,
    /// The activity's name.
    pub activity_name: Option<String>,
    /// The sequence flow, for [`DelegateEvent::Take`].
    pub transition_id: Option<String>,
    /// The instance.
    pub process_instance: Id,
    /// The definition's full id (`key:version:uuid`).
    pub process_definition_id: String,
    /// The definition's key.
    pub process_definition_key: String,
    /// The execution.
    pub execution: Id,
    /// The instance's business key.
    pub business_key: Option<String>,
    /// The tenant.
    pub tenant: Option<String>,
    /// All variables visible to the execution, inner ones winning.
    pub variables: Vec<(String, Value)>,
    /// The extension properties of the activity, or of the process for its own listeners.
    pub properties: Vec<(String, String)>,
}

/// The moment at which a delegate is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DelegateEvent {
    /// A start listener.
    Start,
    /// An end listener.
    End,
    /// A listener of a sequence flow.
    Take,
    /// The behaviour of a service task.
    Execute,
}

/// A script to run.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptCall {
    /// `scriptFormat`, as written.
    pub format: String,
    /// The source.
    pub source: String,
    /// The activity's id in the model, for messages.
    pub activity_id: String,
    /// All variables visible to the execution, inner ones winning.
    pub variables: Vec<(String, Value)>,
    /// Those of the execution's own scope.
    pub local_variables: Vec<(String, Value)>,
    /// The properties of `execution`, by the names of Camunda's `DelegateExecution`.
    pub execution: Vec<(String, Value)>,
    /// The properties of `task` in a task listener, by the names of `DelegateTask`.
    pub task: Option<Vec<(String, Value)>>,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A delegate's variables: set up-scope, and on the execution's own scope.
    Delegated {
        /// Set where they exist, else on the instance.
        variables: Vec<VariableInput>,
        /// Set on the execution's own scope.
        local_variables: Vec<VariableInput>,
    },
    /// A script's result and the variables it set.
    Evaluated {
        /// The result.
        result: Value,
        /// The variables that it set: where they exist, else on the instance.
        variables: Vec<VariableInput>,
        /// Set on the execution's own scope.
        local_variables: Vec<VariableInput>,
        /// Removed where they exist.
        removed: Vec<String>,
        /// Properties of the task that it set, by their names.
        task: Vec<(String, Value)>,
    },
    /// It ended in a BPMN error.
    BpmnError {
        /// The error code.
        code: String,
        /// The error's message.
        message: Option<String>,
        /// Set before the error is thrown.
        variables: Vec<VariableInput>,
    },
    /// It failed: the command ends with this message, and nothing of it happens.
    Failed {
        /// What the caller and the incident say.
        message: String,
    },
}
