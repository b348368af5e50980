//! Boundary events.

use super::super::element::Kind;
use super::super::event::{Boundary, Trigger};
use super::super::index::ElementIx;
use super::super::xml::Node;
use super::activity::local_name;
use super::event::{add, definition};
use super::process::Builder;
use super::trigger::{CANCEL, COMPENSATE, CONDITIONAL, ERROR, ESCALATION, MESSAGE, SIGNAL, TIMER, trigger};

pub(super) fn read(builder: &mut Builder<'_>, node: &Node, parent: Option<ElementIx>) {
    let host = node
        .attribute("attachedToRef")
        .and_then(|id| builder.entries.get(local_name(id)).copied());
    // What compensates has no boundary events: it is no part of the flow.
    let Some(mut host) = host.filter(|host| {
        let host = &builder.elements[host.index()];
        host.scope == parent && !host.for_compensation
    }) else {
        builder.problems.error(
            node,
            "Invalid reference in boundary event. Make sure that the referenced activity is defined in the same scope as the boundary event",
        );
        return;
    };
    let order = [
        TIMER,
        ERROR,
        SIGNAL,
        CANCEL,
        COMPENSATE,
        MESSAGE,
        ESCALATION,
        CONDITIONAL,
    ];
    let Some(definition) = definition(builder, node, &order) else {
        builder.problems.error(node, "Unsupported boundary event type");
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
    let compensation = matches!(trigger, Trigger::Compensate);
    if compensation && let Some(inner) = inner_activity(builder, host) {
        // What is compensated is each instance of a multi-instance activity.
        host = inner;
    }
    check_boundary(builder, node, host, &trigger);
    let kind = Kind::Boundary(Boundary {
        host,
        trigger,
        interrupting,
    });
    let ix = add(builder, node, kind, activity_type, parent, |_| {});
    let host = builder.at(host);
    host.boundary.push(ix);
    host.is_scope |= !compensation;
}

/// The activity in the body of a multi-instance activity.
fn inner_activity(builder: &Builder<'_>, host: ElementIx) -> Option<ElementIx> {
    let host = &builder.elements[host.index()];
    match host.kind {
        Kind::MultiInstance(_) => host.children.first().copied(),
        _ => None,
    }
}

/// What may stand on the boundary of what.
fn check_boundary(builder: &mut Builder<'_>, node: &Node, host: ElementIx, trigger: &Trigger) {
    let activity = inner_activity(builder, host).unwrap_or(host);
    let twice = |builder: &Builder<'_>, same: fn(&Trigger) -> bool| {
        let host = &builder.elements[host.index()];
        host.boundary.iter().any(
            |ix| matches!(&builder.elements[ix.index()].kind, Kind::Boundary(Boundary { trigger, .. }) if same(trigger)),
        )
    };
    let kind = &builder.elements[activity.index()].kind;
    let message = match trigger {
        Trigger::Escalation(_) if !matches!(kind, Kind::SubProcess { .. } | Kind::Call(_) | Kind::User(_)) => {
            "An escalation boundary event should only be attached to a subprocess, a call activity or an user task"
        }
        Trigger::Cancel if !matches!(kind, Kind::SubProcess { transaction: true, .. }) => {
            "boundary event with cancelEventDefinition only supported on transaction subprocesses"
        }
        Trigger::Cancel if twice(builder, |trigger| matches!(trigger, Trigger::Cancel)) => {
            "multiple boundary events with cancelEventDefinition not supported on same transaction subprocess"
        }
        Trigger::Compensate if twice(builder, |trigger| matches!(trigger, Trigger::Compensate)) => {
            "multiple boundary events with compensateEventDefinition not supported on same activity"
        }
        _ => return,
    };
    builder.problems.error(node, message);
}
