//! What is read but not executed yet is refused: a token would take another path than in Camunda.

use super::super::element::{Element, Kind};
use super::super::event::{Boundary, CatchKind, EndKind, StartEvent, ThrowKind, Trigger};

/// What of an element is not executed, and what to do instead.
pub(super) fn missing(element: &Element) -> Option<(&'static str, &'static str)> {
    if element.for_compensation {
        return Some(COMPENSATION);
    }
    match &element.kind {
        Kind::Start(StartEvent { trigger, .. }) if element.scope.is_some() => trigger_missing(trigger),
        Kind::Boundary(Boundary { trigger, .. }) | Kind::Catch(CatchKind::Event(trigger)) => trigger_missing(trigger),
        Kind::End(EndKind::Escalation(_)) | Kind::Throw(ThrowKind::Escalation(_)) => Some(ESCALATION),
        Kind::End(EndKind::Compensate(_)) | Kind::Throw(ThrowKind::Compensate(_)) => Some(COMPENSATION),
        Kind::End(EndKind::Cancel) => Some(TRANSACTION),
        Kind::SubProcess { transaction: true, .. } => Some(TRANSACTION),
        _ => None,
    }
}

const COMPENSATION: (&str, &str) = ("compensation", "draw the steps that undo as a path of their own");
const ESCALATION: (&str, &str) = ("an escalation", "use a BPMN error or a message");
const TRANSACTION: (&str, &str) = (
    "a transaction sub-process",
    "use an embedded sub-process with error events",
);
const CONDITION: (&str, &str) = ("a conditional event", "use a message, or a gateway with conditions");

fn trigger_missing(trigger: &Trigger) -> Option<(&'static str, &'static str)> {
    match trigger {
        Trigger::Condition(_) => Some(CONDITION),
        Trigger::Escalation(_) => Some(ESCALATION),
        Trigger::Compensate => Some(COMPENSATION),
        Trigger::Cancel => Some(TRANSACTION),
        _ => None,
    }
}
