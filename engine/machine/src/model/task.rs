//! What tasks do.

use super::extension::{Implementation, Mapping};
use super::form::Form;
use crate::decision::Mapper;
use crate::expression::Expression;

/// A service, send or business rule task, or an event that sends a message.
#[derive(Debug)]
pub enum ServiceTask {
    /// `camunda:type="external"`
    External(ExternalTask),
    /// `camunda:decisionRef`
    Decision(Box<DecisionTask>),
    /// An expression, a delegate or a script.
    Call {
        /// What.
        implementation: Implementation,
        /// `camunda:resultVariable`
        result_variable: Option<String>,
    },
}

/// An external task.
#[derive(Debug)]
pub struct ExternalTask {
    /// `camunda:topic`
    pub topic: Expression,
    /// `camunda:taskPriority`, of the task or else of the process.
    pub priority: Option<Expression>,
}

/// A business rule task that evaluates a decision.
#[derive(Debug)]
pub struct DecisionTask {
    /// The key of the decision definition.
    pub decision: Expression,
    /// Which version of it.
    pub binding: Binding,
    /// `camunda:decisionRefTenantId`
    pub tenant: Option<Expression>,
    /// `camunda:mapDecisionResult`
    pub mapper: Mapper,
    /// `camunda:resultVariable`
    pub result_variable: Option<String>,
}

/// A user task.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct UserTask {
    pub name: Option<Expression>,
    pub description: Option<Expression>,
    pub assignee: Option<Expression>,
    pub priority: Option<Expression>,
    pub due: Option<Expression>,
    pub follow_up: Option<Expression>,
    pub form: Form,
    pub candidate_users: Vec<Expression>,
    pub candidate_groups: Vec<Expression>,
}

/// A call activity.
#[derive(Debug)]
pub struct CallActivity {
    /// The key of the definition.
    pub called: Expression,
    /// Which version of it.
    pub binding: Binding,
    /// Into the called instance.
    pub inputs: Vec<Mapping>,
    /// Out of it.
    pub outputs: Vec<Mapping>,
    /// `camunda:calledElementTenantId`
    pub tenant: Option<Expression>,
    /// `camunda:variableMappingClass` or `camunda:variableMappingDelegateExpression`: code of Java's that nobody has.
    pub mapping_delegate: Option<String>,
}

/// Which version of a definition is called.
#[derive(Debug)]
pub enum Binding {
    /// The latest.
    Latest,
    /// That of the same deployment.
    Deployment,
    /// By its number.
    Version(Expression),
    /// By its tag.
    VersionTag(Expression),
}
