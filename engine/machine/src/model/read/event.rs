//! Events.

use super::super::element::{Element, Kind};
use super::super::event::{
    Boundary, CatchKind, EndKind, ErrorDefinition, EscalationDefinition, EventName, StartEvent, ThrowKind, Timer,
    TimerKind, Trigger,
};
use super::super::index::ElementIx;
use super::super::xml::Node;
use super::activity::{self, is_event_definition, local_name};
use super::process::{Builder, blank};
use super::{extension, scope};

/// The only event definition of an event, or none. Several are refused: one must all be waited for, or any.
fn definition<'a>(builder: &mut Builder<'_>, node: &'a Node) -> Option<&'a Node> {
    let mut definitions = node.children.iter().filter(|child| is_event_definition(child));
    let first = definitions.next();
    if definitions.next().is_some() {
        let id = node.id().unwrap_or_default();
        builder
            .problems
            .malformed(node, format!("the event '{id}' has more than one event definition"));
    }
    first
}

fn add(
    builder: &mut Builder<'_>,
    node: &Node,
    kind: Kind,
    activity_type: &'static str,
    parent: Option<ElementIx>,
    adjust: impl FnOnce(&mut Element),
) -> ElementIx {
    let id = scope::id(builder, node);
    let mut element = blank(id, node.attribute("name"), kind, activity_type, node.place);
    extension::common(builder, node, &mut element);
    adjust(&mut element);
    builder.add(element, parent)
}

/// The trigger that an event definition names, and the suffix of the event's type in history.
fn trigger(builder: &mut Builder<'_>, event: &Node, definition: &Node) -> Option<Trigger> {
    match definition.name.as_str() {
        "messageEventDefinition" => message_name(builder, event, definition).map(Trigger::Message),
        "signalEventDefinition" => signal_name(builder, event, definition).map(Trigger::Signal),
        "timerEventDefinition" => timer(builder, event, definition).map(Trigger::Timer),
        "conditionalEventDefinition" => {
            let condition = definition.bpmn("condition").next();
            match condition.and_then(|condition| builder.problems.expression(condition, condition.text.trim())) {
                Some(condition) => Some(Trigger::Condition(condition)),
                None => {
                    builder
                        .problems
                        .error(event, "Conditional event must contain an expression for evaluation.");
                    None
                }
            }
        }
        "errorEventDefinition" => Some(Trigger::Error(error(builder, event, definition))),
        "escalationEventDefinition" => Some(Trigger::Escalation(escalation(builder, event, definition))),
        "compensateEventDefinition" => Some(Trigger::Compensate),
        "cancelEventDefinition" => Some(Trigger::Cancel),
        other => {
            builder
                .problems
                .error(event, format!("Unsupported event definition '{other}'"));
            None
        }
    }
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
    if definition.camunda("async") == Some("true") {
        builder.problems.unsupported(
            event,
            "an asynchronous signal (camunda:async)",
            "throw it synchronously",
        );
    }
    if definition.extensions("in").next().is_some() {
        builder
            .problems
            .unsupported(event, "camunda:in of a signal", "set the variables in the receiver");
    }
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

fn timer(builder: &mut Builder<'_>, event: &Node, definition: &Node) -> Option<Timer> {
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

fn error(builder: &mut Builder<'_>, event: &Node, definition: &Node) -> ErrorDefinition {
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

pub(super) fn start(builder: &mut Builder<'_>, node: &Node, owner: &Node, parent: Option<ElementIx>) {
    let by_event = owner.attribute("triggeredByEvent") == Some("true");
    let trigger = match definition(builder, node) {
        Some(definition) => match trigger(builder, node, definition) {
            Some(trigger) => trigger,
            None => return,
        },
        None => Trigger::None,
    };
    let allowed = match (&trigger, by_event) {
        (Trigger::None, by_event) => !by_event,
        (Trigger::Message(_) | Trigger::Timer(_) | Trigger::Signal(_) | Trigger::Condition(_), true) => true,
        (Trigger::Message(_) | Trigger::Timer(_) | Trigger::Signal(_) | Trigger::Condition(_), false) => {
            parent.is_none()
        }
        (Trigger::Error(_) | Trigger::Escalation(_) | Trigger::Compensate, by_event) => by_event,
        (Trigger::Cancel, _) => false,
    };
    if !allowed {
        let id = node.id().unwrap_or_default();
        let place = if by_event {
            "an event sub-process"
        } else if parent.is_some() {
            "a sub-process"
        } else {
            "a process"
        };
        builder.problems.error(
            node,
            format!("the event definition of the start event '{id}' is not allowed in {place}"),
        );
    }
    let activity_type = match trigger {
        Trigger::None | Trigger::Cancel => "startEvent",
        Trigger::Message(_) => "messageStartEvent",
        Trigger::Signal(_) => "signalStartEvent",
        Trigger::Timer(_) => "startTimerEvent",
        Trigger::Condition(_) => "conditionalStartEvent",
        Trigger::Error(_) => "errorStartEvent",
        Trigger::Escalation(_) => "escalationStartEvent",
        Trigger::Compensate => "compensationStartEvent",
    };
    let interrupting = node.attribute("isInterrupting") != Some("false");
    let kind = Kind::Start(StartEvent { trigger, interrupting });
    add(builder, node, kind, activity_type, parent, |_| {});
}

pub(super) fn end(builder: &mut Builder<'_>, node: &Node, parent: Option<ElementIx>) {
    let id = node.id().unwrap_or_default().to_owned();
    let Some(definition) = definition(builder, node) else {
        add(builder, node, Kind::End(EndKind::None), "noneEndEvent", parent, |_| {});
        return;
    };
    let (kind, activity_type) = match definition.name.as_str() {
        "terminateEventDefinition" => (EndKind::Terminate, "terminateEndEvent"),
        "messageEventDefinition" => match activity::implementation(builder, definition, &id) {
            Some(service) => (EndKind::Message(service), "messageEndEvent"),
            None => (EndKind::None, "noneEndEvent"),
        },
        "errorEventDefinition" => {
            let error = error(builder, node, definition);
            if error.code.is_none() {
                builder.problems.error(
                    node,
                    "'errorCode' is mandatory on errors referenced by throwing error event definitions",
                );
            }
            (EndKind::Error(error), "errorEndEvent")
        }
        "signalEventDefinition" => match signal_name(builder, node, definition) {
            Some(name) => (EndKind::Signal(name), "signalEndEvent"),
            None => return,
        },
        "escalationEventDefinition" => {
            let escalation = escalation(builder, node, definition);
            (EndKind::Escalation(escalation), "escalationEndEvent")
        }
        "compensateEventDefinition" => (
            EndKind::Compensate(definition.attribute("activityRef").map(str::to_owned)),
            "compensationEndEvent",
        ),
        "cancelEventDefinition" => (EndKind::Cancel, "cancelEndEvent"),
        other => {
            builder
                .problems
                .error(node, format!("Unsupported event definition '{other}' of an end event"));
            return;
        }
    };
    let scope = matches!(kind, EndKind::Message(super::super::task::ServiceTask::External(_)));
    add(builder, node, Kind::End(kind), activity_type, parent, |element| {
        element.is_scope |= scope
    });
}

pub(super) fn catch(builder: &mut Builder<'_>, node: &Node, parent: Option<ElementIx>) {
    let Some(definition) = definition(builder, node) else {
        builder
            .problems
            .error(node, "Unsupported intermediate catch event: it has no event definition");
        return;
    };
    if definition.name == "linkEventDefinition" {
        let ix = add(
            builder,
            node,
            Kind::Catch(CatchKind::Link),
            "intermediateLinkCatch",
            parent,
            |_| {},
        );
        let name = definition.attribute("name").unwrap_or_default().to_owned();
        if builder.link_targets.insert((name.clone(), parent), ix).is_some() {
            builder.problems.error(
                node,
                format!("Multiple Intermediate Catch Events with the same link event name ('{name}') are not allowed."),
            );
        }
        return;
    }
    let Some(trigger) = trigger(builder, node, definition) else {
        return;
    };
    let activity_type = match trigger {
        Trigger::Message(_) => "intermediateMessageCatch",
        Trigger::Signal(_) => "intermediateSignalCatch",
        Trigger::Timer(_) => "intermediateTimer",
        Trigger::Condition(_) => "intermediateConditional",
        _ => {
            builder
                .problems
                .error(node, "Unsupported event definition of an intermediate catch event");
            return;
        }
    };
    add(
        builder,
        node,
        Kind::Catch(CatchKind::Event(trigger)),
        activity_type,
        parent,
        |element| {
            element.is_scope = true;
        },
    );
}

pub(super) fn throw(builder: &mut Builder<'_>, node: &Node, parent: Option<ElementIx>) {
    let id = node.id().unwrap_or_default().to_owned();
    let Some(definition) = definition(builder, node) else {
        add(
            builder,
            node,
            Kind::Throw(ThrowKind::None),
            "intermediateNoneThrowEvent",
            parent,
            |_| {},
        );
        return;
    };
    let (kind, activity_type) = match definition.name.as_str() {
        "messageEventDefinition" => match activity::implementation(builder, definition, &id) {
            Some(service) => (ThrowKind::Message(service), "intermediateMessageThrowEvent"),
            // Without an implementation it does nothing, and Camunda's history says so.
            None => (ThrowKind::None, "intermediateNoneThrowEvent"),
        },
        "signalEventDefinition" => match signal_name(builder, node, definition) {
            Some(name) => (ThrowKind::Signal(name), "intermediateSignalThrow"),
            None => return,
        },
        "escalationEventDefinition" => {
            let escalation = escalation(builder, node, definition);
            (ThrowKind::Escalation(escalation), "intermediateEscalationThrowEvent")
        }
        "compensateEventDefinition" => {
            let activity = definition.attribute("activityRef").map(str::to_owned);
            (ThrowKind::Compensate(activity), "intermediateCompensationThrowEvent")
        }
        "linkEventDefinition" => {
            // A link has no activity of its own: flows to it go on at its target.
            let name = definition.attribute("name").unwrap_or_default().to_owned();
            builder.links.insert(id, (name, parent));
            return;
        }
        other => {
            builder.problems.error(
                node,
                format!("Unsupported event definition '{other}' of an intermediate throw event"),
            );
            return;
        }
    };
    let scope = matches!(kind, ThrowKind::Message(super::super::task::ServiceTask::External(_)));
    add(builder, node, Kind::Throw(kind), activity_type, parent, |element| {
        element.is_scope |= scope
    });
}

pub(super) fn boundary(builder: &mut Builder<'_>, node: &Node, parent: Option<ElementIx>) {
    let host = node
        .attribute("attachedToRef")
        .and_then(|id| builder.entries.get(local_name(id)).copied());
    let Some(host) = host.filter(|host| builder.elements[host.index()].scope == parent) else {
        builder.problems.error(
            node,
            "Invalid reference in boundary event. Make sure that the referenced activity is defined in the same scope as the boundary event",
        );
        return;
    };
    let Some(definition) = definition(builder, node) else {
        builder
            .problems
            .error(node, "Unsupported boundary event: it has no event definition");
        return;
    };
    let Some(trigger) = trigger(builder, node, definition) else {
        return;
    };
    let mut interrupting = node.attribute("cancelActivity") != Some("false");
    let activity_type = match trigger {
        Trigger::Message(_) => "boundaryMessage",
        Trigger::Signal(_) => "boundarySignal",
        Trigger::Timer(_) => "boundaryTimer",
        Trigger::Condition(_) => "boundaryConditional",
        Trigger::Error(_) => {
            interrupting = true;
            "boundaryError"
        }
        Trigger::Escalation(_) => "boundaryEscalation",
        Trigger::Compensate => "compensationBoundaryCatch",
        Trigger::Cancel => "cancelBoundaryCatch",
        Trigger::None => return,
    };
    if !matches!(
        builder.elements[host.index()].kind,
        Kind::Pass
            | Kind::Service(_)
            | Kind::User(_)
            | Kind::Receive(_)
            | Kind::Call(_)
            | Kind::SubProcess { .. }
            | Kind::MultiInstance(_)
    ) {
        builder
            .problems
            .error(node, "a boundary event can only be attached to an activity");
        return;
    }
    let kind = Kind::Boundary(Boundary {
        host,
        trigger,
        interrupting,
    });
    let ix = add(builder, node, kind, activity_type, parent, |_| {});
    let host = builder.at(host);
    host.boundary.push(ix);
    host.is_scope = true;
}
