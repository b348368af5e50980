//! Camunda's extensions of elements.

use super::event::Timer;
use super::script::Script;
use crate::expression::Expression;

/// What a listener or service task calls.
#[derive(Clone, Debug)]
pub enum Implementation {
    /// `camunda:expression`
    Expression(Expression),
    /// `camunda:delegateExpression` and `camunda:class`
    Delegate(Delegate),
    /// A script task, or `camunda:script`
    Script(Script),
}

/// A delegate outside.
#[derive(Clone, Debug)]
pub enum Delegate {
    /// `camunda:class`: the class name is the delegate's name.
    Class(String),
    /// `camunda:delegateExpression`: `${name}` names it, any other expression gives its name.
    Expression(Expression),
}

/// The moment of an execution listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub enum ListenerEvent {
    Start,
    End,
    Take,
}

/// An execution listener.
#[derive(Clone, Debug)]
pub struct Listener {
    /// When.
    pub event: ListenerEvent,
    /// What.
    pub implementation: Implementation,
}

/// A listener of a user task.
#[derive(Clone, Debug)]
pub struct TaskListener {
    /// `create`, `assignment`, `update`, `complete`, `delete`, `timeout`.
    pub event: String,
    /// The id, which every timeout listener has: its timer's job names it.
    pub id: Option<String>,
    /// When a timeout listener is called.
    pub timer: Option<Timer>,
    /// What.
    pub implementation: Implementation,
}

/// An input or output parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The variable.
    pub name: String,
    /// Its value.
    pub value: ParameterValue,
}

/// The value of a parameter.
#[derive(Clone, Debug)]
pub enum ParameterValue {
    /// Nothing was written: null.
    Null,
    /// Text or an expression.
    Expression(Expression),
    /// `camunda:script`
    Script(Script),
    /// `camunda:list`
    List(Vec<ParameterValue>),
    /// `camunda:map`
    Map(Vec<(Expression, ParameterValue)>),
}

/// A `property` of a user task, which makes a variable of its scope.
///
/// Mirrors Camunda's `VariableDeclaration`, whose source cannot be given a target: every `src`, `srcExpr` and `link`
/// fails when the task is reached.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The name, or else the id.
    pub name: String,
    /// `camunda:src`
    pub source: Option<String>,
    /// `camunda:srcExpr`
    pub source_expression: Option<Expression>,
    /// `camunda:link`
    pub link: Option<String>,
    /// `camunda:linkExpr`
    pub link_expression: Option<Expression>,
}

/// `camunda:errorEventDefinition` of an external task: a condition that makes its end a BPMN error.
#[derive(Clone, Debug)]
pub struct ErrorMapping {
    /// Over `externalTask`.
    pub condition: Expression,
    /// The error code.
    pub code: Option<Expression>,
    /// The error's message.
    pub message: Option<Expression>,
}

/// A mapping of variables into or out of a call activity.
#[derive(Clone, Debug)]
pub enum Mapping {
    /// `variables="all"`
    All {
        /// Only local ones.
        local: bool,
    },
    /// `source` and `target`
    Variable {
        /// From.
        source: String,
        /// To.
        target: String,
        /// Set on the very scope.
        local: bool,
    },
    /// `sourceExpression` and `target`
    Expression {
        /// Evaluated on the giving side.
        source: Expression,
        /// To.
        target: String,
        /// Set on the very scope.
        local: bool,
    },
    /// `businessKey`
    BusinessKey(Expression),
}
