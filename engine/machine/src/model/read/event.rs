//! Events. Which definition counts where an event has several, and what is refused, is as in Camunda's `BpmnParse`.

use super::super::element::{Element, Kind};
use super::super::event::{CatchKind, EndKind, StartEvent, ThrowKind, Trigger};
use super::super::index::ElementIx;
use super::super::xml::Node;
use super::activity::{self, is_event_definition};
use super::compensation::CompensationThrow;
use super::process::{Builder, blank};
use super::trigger::{
    CANCEL, COMPENSATE, CONDITIONAL, ERROR, ESCALATION, LINK, MESSAGE, SIGNAL, TERMINATE, TIMER, error, signal_throw,
    thrown_escalation, trigger,
};
use super::{extension, scope};

/// The definition of an event: of several the first of this order, the others are ignored with a warning. Two of one
/// kind are refused.
pub(super) fn definition<'a>(builder: &mut Builder<'_>, node: &'a Node, order: &[&str]) -> Option<&'a Node> {
    let definitions: Vec<&Node> = node
        .children
        .iter()
        .filter(|child| is_event_definition(child))
        .collect();
    for (at, definition) in definitions.iter().enumerate() {
        if definitions
            .iter()
            .skip(at + 1)
            .any(|other| other.name == definition.name)
        {
            let message = format!(
                "Parsing exception: multiple elements with tag name {} found",
                definition.name
            );
            builder.problems.malformed(node, message);
        }
    }
    let found = order
        .iter()
        .find_map(|name| definitions.iter().find(|definition| definition.name == *name));
    for ignored in definitions
        .iter()
        .filter(|definition| found.is_none_or(|found| !std::ptr::eq(**definition, *found)))
    {
        let id = node.id().unwrap_or_default();
        let message = format!("the {} of '{id}' is ignored, as in Camunda", ignored.name);
        builder.problems.warn(node, message);
    }
    found.copied()
}

/// Adds an event to its scope.
pub(super) fn add(
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

/// What is compensated: an activity of the scope, or of the scope around an event sub-process.
fn compensated(builder: &mut Builder<'_>, event: &Node, definition: &Node, scope: Option<ElementIx>) -> Option<String> {
    if definition.attribute("waitForCompletion") == Some("false") {
        builder.problems.warn(
            event,
            "Unsupported attribute value for 'waitForCompletion': 'waitForCompletion=false' is not supported. Compensation event will wait for compensation to join.",
        );
    }
    let activity = definition.attribute("activityRef")?.to_owned();
    let throw = CompensationThrow {
        activity: activity.clone(),
        scope,
        event: event.id().unwrap_or_default().to_owned(),
    };
    builder.compensation_throws.push(throw);
    Some(activity)
}

pub(super) fn start(builder: &mut Builder<'_>, node: &Node, owner: &Node, parent: Option<ElementIx>) {
    let by_event = owner.attribute("triggeredByEvent") == Some("true");
    let order: &[&str] = match (by_event, parent) {
        (true, _) => &[ERROR, MESSAGE, SIGNAL, TIMER, COMPENSATE, ESCALATION, CONDITIONAL],
        (false, None) => &[TIMER, MESSAGE, SIGNAL, CONDITIONAL],
        (false, Some(_)) => &[],
    };
    if !by_event && parent.is_some() {
        refuse_triggers(builder, node);
    }
    let trigger = match definition(builder, node, order) {
        Some(definition) => match trigger(builder, node, definition) {
            Some(trigger) => trigger,
            None => return,
        },
        None => Trigger::None,
    };
    let interrupting = node
        .attribute("isInterrupting")
        .is_none_or(|text| text.eq_ignore_ascii_case("true"));
    match &trigger {
        Trigger::None if by_event => builder.problems.error(
            node,
            "start event of event subprocess must be of type 'error', 'message', 'timer', 'signal', 'compensation' or 'escalation'",
        ),
        Trigger::Error(_) if !interrupting => builder
            .problems
            .error(node, "error start event of event subprocess must be interrupting"),
        Trigger::Message(name) if !by_event && name.0.literal().is_none() => {
            let message = format!(
                "Invalid message name '{}' for element 'startEvent': expressions in the message start event name are not allowed!",
                name.0.source()
            );
            builder.problems.error(node, message);
        }
        _ => {}
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
    let kind = Kind::Start(StartEvent { trigger, interrupting });
    add(builder, node, kind, activity_type, parent, |_| {});
}

/// Nothing triggers a plain sub-process.
fn refuse_triggers(builder: &mut Builder<'_>, node: &Node) {
    for definition in node.children.iter().filter(|child| is_event_definition(child)) {
        let message = match definition.name.as_str() {
            CONDITIONAL | TIMER | ESCALATION | COMPENSATE => {
                format!("{} is not allowed on start event within a subprocess", definition.name)
            }
            ERROR | MESSAGE | SIGNAL => format!(
                "{} only allowed on start event if subprocess is an event subprocess",
                definition.name
            ),
            _ => continue,
        };
        builder.problems.error(node, message);
    }
}

pub(super) fn end(builder: &mut Builder<'_>, node: &Node, parent: Option<ElementIx>) {
    let id = node.id().unwrap_or_default().to_owned();
    let order = [ERROR, CANCEL, TERMINATE, MESSAGE, SIGNAL, COMPENSATE, ESCALATION];
    let Some(definition) = definition(builder, node, &order) else {
        add(builder, node, Kind::End(EndKind::None), "noneEndEvent", parent, |_| {});
        return;
    };
    let (kind, activity_type) = match definition.name.as_str() {
        TERMINATE => (EndKind::Terminate, "terminateEndEvent"),
        MESSAGE => match activity::implementation(builder, definition, &id) {
            Some(service) => (EndKind::Message(service), "messageEndEvent"),
            // Without an implementation it does nothing, and Camunda's history says so.
            None => (EndKind::None, "endEvent"),
        },
        ERROR => {
            let error = error(builder, node, definition);
            if definition.attribute("errorRef").is_none_or(str::is_empty) {
                builder
                    .problems
                    .error(node, "'errorRef' attribute is mandatory on error end event");
            } else if error.code.as_ref().is_none_or(|code| code.source().is_empty()) {
                builder.problems.error(
                    node,
                    "'errorCode' is mandatory on errors referenced by throwing error event definitions",
                );
            }
            (EndKind::Error(error), "errorEndEvent")
        }
        SIGNAL => match signal_throw(builder, node, definition) {
            Some(signal) => (EndKind::Signal(signal), "signalEndEvent"),
            None => return,
        },
        ESCALATION => {
            let escalation = thrown_escalation(builder, node, definition);
            (EndKind::Escalation(escalation), "escalationEndEvent")
        }
        COMPENSATE => (
            EndKind::Compensate(compensated(builder, node, definition, parent)),
            "compensationEndEvent",
        ),
        CANCEL => {
            let transaction = parent.is_some_and(|scope| {
                matches!(
                    builder.elements[scope.index()].kind,
                    Kind::SubProcess { transaction: true, .. }
                )
            });
            if !transaction {
                builder.problems.error(
                    node,
                    "end event with cancelEventDefinition only supported inside transaction subprocess",
                );
            }
            (EndKind::Cancel, "cancelEndEvent")
        }
        other => {
            builder
                .problems
                .error(node, format!("Unsupported event definition '{other}' of an end event"));
            return;
        }
    };
    let scope = matches!(
        kind,
        EndKind::Message(super::super::task::ServiceTask::External(_)) | EndKind::Compensate(_) | EndKind::Cancel
    );
    add(builder, node, Kind::End(kind), activity_type, parent, |element| {
        element.is_scope |= scope
    });
}

pub(super) fn catch(builder: &mut Builder<'_>, node: &Node, parent: Option<ElementIx>) {
    let order = [TIMER, SIGNAL, MESSAGE, LINK, CONDITIONAL];
    let Some(definition) = definition(builder, node, &order) else {
        builder
            .problems
            .error(node, "Unsupported intermediate catch event type");
        return;
    };
    if definition.name == LINK {
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
    let order = [LINK, SIGNAL, COMPENSATE, MESSAGE, ESCALATION];
    let Some(definition) = definition(builder, node, &order) else {
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
        MESSAGE => match activity::implementation(builder, definition, &id) {
            Some(service) => (ThrowKind::Message(service), "intermediateMessageThrowEvent"),
            // Without an implementation it does nothing, and Camunda's history says so.
            None => (ThrowKind::None, "intermediateNoneThrowEvent"),
        },
        SIGNAL => match signal_throw(builder, node, definition) {
            Some(signal) => (ThrowKind::Signal(signal), "intermediateSignalThrow"),
            None => return,
        },
        ESCALATION => {
            let escalation = thrown_escalation(builder, node, definition);
            (ThrowKind::Escalation(escalation), "intermediateEscalationThrowEvent")
        }
        COMPENSATE => {
            let activity = compensated(builder, node, definition, parent);
            (ThrowKind::Compensate(activity), "intermediateCompensationThrowEvent")
        }
        LINK => {
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
    let scope = matches!(
        kind,
        ThrowKind::Message(super::super::task::ServiceTask::External(_)) | ThrowKind::Compensate(_)
    );
    add(builder, node, Kind::Throw(kind), activity_type, parent, |element| {
        element.is_scope |= scope
    });
}
