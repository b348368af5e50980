//! What event definitions name: messages, signals, timers, conditions, errors, escalations.

use super::super::event::{
    ConditionDefinition, ErrorDefinition, EscalationDefinition, EventName, SignalThrow, Timer, TimerKind, Trigger,
    VariableChange,
};
use super::super::xml::Node;
use super::activity::local_name;
use super::extension;
use super::process::Builder;
use super::script;

pub(super) const TIMER: &str = "timerEventDefinition";
pub(super) const MESSAGE: &str = "messageEventDefinition";
pub(super) const SIGNAL: &str = "signalEventDefinition";
pub(super) const CONDITIONAL: &str = "conditionalEventDefinition";
pub(super) const ERROR: &str = "errorEventDefinition";
pub(super) const ESCALATION: &str = "escalationEventDefinition";
pub(super) const COMPENSATE: &str = "compensateEventDefinition";
pub(super) const CANCEL: &str = "cancelEventDefinition";
pub(super) const TERMINATE: &str = "terminateEventDefinition";
pub(super) const LINK: &str = "linkEventDefinition";

/// The trigger that an event definition names, and the suffix of the event's type in history.
pub(super) fn trigger(builder: &mut Builder<'_>, event: &Node, definition: &Node) -> Option<Trigger> {
    match definition.name.as_str() {
        MESSAGE => message_name(builder, event, definition).map(Trigger::Message),
        SIGNAL => signal_name(builder, event, definition).map(Trigger::Signal),
        TIMER => timer(builder, event, definition).map(Trigger::Timer),
        CONDITIONAL => condition(builder, event, definition).map(Trigger::Condition),
        ERROR => Some(Trigger::Error(error(builder, event, definition))),
        ESCALATION => Some(Trigger::Escalation(escalation(builder, event, definition))),
        COMPENSATE => Some(Trigger::Compensate),
        CANCEL => Some(Trigger::Cancel),
        other => {
            builder
                .problems
                .error(event, format!("Unsupported event definition '{other}'"));
            None
        }
    }
}

fn condition(builder: &mut Builder<'_>, event: &Node, definition: &Node) -> Option<ConditionDefinition> {
    let Some(node) = definition.bpmn("condition").next() else {
        builder
            .problems
            .error(event, "Conditional event must contain an expression for evaluation.");
        return None;
    };
    let owner = event.id().unwrap_or_default();
    let condition = script::condition(builder, node, owner)?;
    let mut changes = Vec::new();
    for name in definition.camunda("variableEvents").unwrap_or_default().split(',') {
        changes.extend(match name.trim() {
            "" => None,
            "create" => Some(VariableChange::Create),
            "update" => Some(VariableChange::Update),
            "delete" => Some(VariableChange::Delete),
            other => {
                let message = format!(
                    "Variable event: {other} is not valid. Possible variable change events are: [create, update, delete]"
                );
                builder.problems.warn(event, message);
                None
            }
        });
    }
    Some(ConditionDefinition {
        condition,
        variable: definition.camunda("variableName").map(str::to_owned),
        changes,
    })
}

fn message_name(builder: &mut Builder<'_>, event: &Node, definition: &Node) -> Option<EventName> {
    let Some(reference) = definition.attribute("messageRef") else {
        builder.problems.error(event, "attribute 'messageRef' is required");
        return None;
    };
    match builder.definitions.messages.get(local_name(reference)) {
        Some(Some(name)) => Some(EventName(name.clone())),
        Some(None) => {
            let message = format!("Invalid 'messageRef': the message with id '{reference}' has no name.");
            builder.problems.error(event, message);
            None
        }
        None => {
            let message = format!("Invalid 'messageRef': no message with id '{reference}' found.");
            builder.problems.error(event, message);
            None
        }
    }
}

fn signal_name(builder: &mut Builder<'_>, event: &Node, definition: &Node) -> Option<EventName> {
    let Some(reference) = definition.attribute("signalRef") else {
        builder.problems.error(
            event,
            "signalEventDefinition does not have required property 'signalRef'",
        );
        return None;
    };
    match builder.definitions.signals.get(local_name(reference)) {
        Some(Some(name)) => Some(EventName(name.clone())),
        Some(None) => {
            builder
                .problems
                .error(event, format!("signal with id '{reference}' has no name"));
            None
        }
        None => {
            builder
                .problems
                .error(event, format!("Could not find signal with id '{reference}'"));
            None
        }
    }
}

pub(super) fn signal_throw(builder: &mut Builder<'_>, event: &Node, definition: &Node) -> Option<SignalThrow> {
    let name = signal_name(builder, event, definition)?;
    let id = event.id().unwrap_or_default();
    Some(SignalThrow {
        name,
        payload: extension::mappings(builder, definition, "in", id),
        asynchronous: definition.camunda("async") == Some("true"),
    })
}

pub(super) fn timer(builder: &mut Builder<'_>, event: &Node, definition: &Node) -> Option<Timer> {
    for (name, kind) in [
        ("timeDate", TimerKind::Date),
        ("timeCycle", TimerKind::Cycle),
        ("timeDuration", TimerKind::Duration),
    ] {
        if let Some(node) = definition.bpmn(name).next() {
            let expression = builder.problems.expression(node, node.text.trim())?;
            return Some(Timer { kind, expression });
        }
    }
    builder.problems.error(
        event,
        "Timer needs configuration (either timeDate, timeCycle or timeDuration is needed).",
    );
    None
}

pub(super) fn error(builder: &mut Builder<'_>, event: &Node, definition: &Node) -> ErrorDefinition {
    let variable = |name| definition.camunda(name).map(str::to_owned);
    let mut error = ErrorDefinition {
        code: None,
        message: None,
        code_variable: variable("errorCodeVariable"),
        message_variable: variable("errorMessageVariable"),
    };
    if let Some(reference) = definition.attribute("errorRef") {
        match builder.definitions.errors.get(local_name(reference)) {
            Some(row) => {
                error.code.clone_from(&row.code);
                error.message.clone_from(&row.message);
            }
            // Camunda takes a reference to no error of the file as the code itself.
            None => error.code = builder.problems.expression(event, reference),
        }
    }
    error
}

fn escalation(builder: &mut Builder<'_>, event: &Node, definition: &Node) -> EscalationDefinition {
    let mut code = None;
    if let Some(reference) = definition.attribute("escalationRef") {
        match builder.definitions.escalations.get(local_name(reference)) {
            Some(found) => code.clone_from(found),
            None => {
                let message = format!("could not find escalation with id '{reference}'");
                builder.problems.error(event, message);
            }
        }
    }
    EscalationDefinition {
        code,
        code_variable: definition.camunda("escalationCodeVariable").map(str::to_owned),
    }
}

/// An escalation that is thrown: it has a code.
pub(super) fn thrown_escalation(builder: &mut Builder<'_>, event: &Node, definition: &Node) -> EscalationDefinition {
    let escalation = escalation(builder, event, definition);
    match definition.attribute("escalationRef") {
        None => builder.problems.error(
            event,
            "escalationEventDefinition does not have required attribute 'escalationRef'",
        ),
        Some(reference) => {
            if builder.definitions.escalations.contains_key(local_name(reference)) && escalation.code.is_none() {
                builder
                    .problems
                    .error(event, "throwing escalation event must have an 'escalationCode'");
            }
        }
    }
    escalation
}
