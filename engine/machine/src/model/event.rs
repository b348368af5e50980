//! Event definitions.

use super::extension::Mapping;
use super::index::ElementIx;
use super::script::Condition;
use super::task::ServiceTask;
use crate::expression::Expression;
use crate::row::EventKind;

/// The name of a message or signal: an expression where it is waited for within an instance.
#[derive(Clone, Debug)]
pub struct EventName(pub Expression);

/// An `error`.
#[derive(Clone, Debug)]
pub struct ErrorDefinition {
    /// The code; none catches all.
    pub code: Option<Expression>,
    /// `camunda:errorMessage`, for errors that are thrown.
    pub message: Option<Expression>,
    /// Where a catching event puts the code.
    pub code_variable: Option<String>,
    /// Where a catching event puts the message.
    pub message_variable: Option<String>,
}

/// An `escalation`.
#[derive(Clone, Debug)]
pub struct EscalationDefinition {
    /// The code; none catches all.
    pub code: Option<String>,
    /// Where a catching event puts the code.
    pub code_variable: Option<String>,
}

/// A signal as it is thrown.
#[derive(Clone, Debug)]
pub struct SignalThrow {
    /// The signal.
    pub name: EventName,
    /// `camunda:in`: what its receivers get, and the business key of the instances that it starts.
    pub payload: Vec<Mapping>,
    /// `camunda:async`: start events and intermediate events of the process receive it by a job of their own, without
    /// the payload.
    pub asynchronous: bool,
}

/// A condition over variables.
#[derive(Clone, Debug)]
pub struct ConditionDefinition {
    /// True where it happens. In an expression, a name that is not known counts as false.
    pub condition: Condition,
    /// `camunda:variableName`: only changes of this variable matter.
    pub variable: Option<String>,
    /// `camunda:variableEvents`: only these changes matter; all where it is empty.
    pub changes: Vec<VariableChange>,
}

impl ConditionDefinition {
    /// Whether a change of a variable makes it worth a look.
    #[must_use]
    pub fn concerns(&self, variable: &str, change: VariableChange) -> bool {
        self.variable.as_deref().is_none_or(|wanted| wanted == variable)
            && (self.changes.is_empty() || self.changes.contains(&change))
    }
}

/// How a variable changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub enum VariableChange {
    Create,
    Update,
    Delete,
}

/// When a timer fires.
#[derive(Clone, Debug)]
pub struct Timer {
    /// How the text is read.
    pub kind: TimerKind,
    /// ISO 8601, cron or a date.
    pub expression: Expression,
}

/// How a timer's text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// `timeDate`
    Date,
    /// `timeDuration`
    Duration,
    /// `timeCycle`
    Cycle,
}

/// What triggers a start, boundary or event sub-process.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// Nothing but the start itself.
    None,
    /// A message.
    Message(EventName),
    /// A signal.
    Signal(EventName),
    /// A timer.
    Timer(Timer),
    /// A condition over variables.
    Condition(ConditionDefinition),
    /// A BPMN error.
    Error(ErrorDefinition),
    /// An escalation.
    Escalation(EscalationDefinition),
    /// Compensation of the activity.
    Compensate,
    /// The transaction is cancelled.
    Cancel,
}

impl Trigger {
    /// The subscription that it takes; none for timers, errors and what is not waited for.
    #[must_use]
    pub fn subscription(&self) -> Option<(EventKind, Option<&EventName>)> {
        match self {
            Self::Message(name) => Some((EventKind::Message, Some(name))),
            Self::Signal(name) => Some((EventKind::Signal, Some(name))),
            Self::Condition(_) => Some((EventKind::Conditional, None)),
            _ => None,
        }
    }
}

/// A start event.
#[derive(Debug)]
pub struct StartEvent {
    /// What starts it.
    pub trigger: Trigger,
    /// Of an event sub-process: it ends what else runs in the scope.
    pub interrupting: bool,
}

/// A boundary event.
#[derive(Debug)]
pub struct Boundary {
    /// The activity that it is attached to; the body of a multi-instance activity.
    pub host: ElementIx,
    /// What triggers it.
    pub trigger: Trigger,
    /// It ends the activity.
    pub interrupting: bool,
}

/// What an intermediate catch event waits for.
#[derive(Debug)]
pub enum CatchKind {
    /// A message, signal, timer or condition.
    Event(Trigger),
    /// The target of a link: it waits for nothing.
    Link,
}

/// What an intermediate throw event does.
#[derive(Debug)]
pub enum ThrowKind {
    /// Nothing.
    None,
    /// Sends a message by an implementation of its own.
    Message(ServiceTask),
    /// Throws a signal.
    Signal(SignalThrow),
    /// Throws an escalation.
    Escalation(EscalationDefinition),
    /// Compensates an activity, or all of the scope.
    Compensate(Option<String>),
}

impl EndKind {
    /// Whether reaching it ends everything else in its scope.
    #[must_use]
    pub fn interrupts_scope(&self) -> bool {
        matches!(self, Self::Terminate | Self::Cancel)
    }
}

/// What an end event does.
#[derive(Debug)]
pub enum EndKind {
    /// Nothing.
    None,
    /// Ends all of its scope.
    Terminate,
    /// Throws a BPMN error.
    Error(ErrorDefinition),
    /// Sends a message by an implementation of its own.
    Message(ServiceTask),
    /// Throws a signal.
    Signal(SignalThrow),
    /// Throws an escalation.
    Escalation(EscalationDefinition),
    /// Compensates an activity, or all of the scope.
    Compensate(Option<String>),
    /// Cancels the transaction.
    Cancel,
}
