//! What one scope may wait for: no message and no signal twice, and no escalation by two of a kind.

use std::collections::{HashMap, HashSet};

use super::super::element::Kind;
use super::super::event::{CatchKind, EscalationDefinition, Trigger};
use super::super::index::ElementIx;
use super::check::Messages;
use super::process::Builder;

pub(super) fn check(builder: &Builder<'_>, errors: &mut Messages) {
    let scopes = (0..builder.elements.len() as u32).map(|ix| Some(ElementIx(ix)));
    let mut starts_inside = event_sub_process_starts(builder);
    for scope in scopes.chain([None]) {
        let inside = starts_inside.remove(&scope).unwrap_or_default();
        let boundary: Vec<ElementIx> = scope
            .map(|ix| builder.elements[ix.index()].boundary.clone())
            .unwrap_or_default();
        escalations(builder, &inside, "event subprocess", errors);
        escalations(builder, &boundary, "boundary event", errors);
        let own = scope.map(|ix| own_events(builder, ix)).unwrap_or_default();
        names(builder, &[own, boundary, inside].concat(), scope, errors);
    }
    let starts = (0..builder.elements.len() as u32)
        .map(ElementIx)
        .filter(|ix| {
            let element = &builder.elements[ix.index()];
            element.scope.is_none() && matches!(element.kind, Kind::Start(_))
        })
        .collect::<Vec<_>>();
    names(builder, &starts, None, errors);
    conditions(builder, &starts, errors);
}

fn trigger<'b>(builder: &'b Builder<'_>, ix: ElementIx) -> Option<&'b Trigger> {
    match &builder.elements[ix.index()].kind {
        Kind::Start(start) => Some(&start.trigger),
        Kind::Boundary(boundary) => Some(&boundary.trigger),
        Kind::Catch(CatchKind::Event(trigger)) => Some(trigger),
        _ => None,
    }
}

/// The start events of the event sub-processes, by the scopes that these are right in.
fn event_sub_process_starts(builder: &Builder<'_>) -> HashMap<Option<ElementIx>, Vec<ElementIx>> {
    let is_start = |ix: &ElementIx| matches!(builder.elements[ix.index()].kind, Kind::Start(_));
    let mut starts: HashMap<_, Vec<_>> = HashMap::new();
    for element in &builder.elements {
        if matches!(element.kind, Kind::SubProcess { by_event: true, .. }) {
            let inside = element.children.iter().copied().filter(is_start);
            starts.entry(element.scope).or_default().extend(inside);
        }
    }
    starts
}

/// What an event or an event-based gateway waits for itself.
fn own_events(builder: &Builder<'_>, ix: ElementIx) -> Vec<ElementIx> {
    let element = &builder.elements[ix.index()];
    match element.kind {
        Kind::EventGateway => element
            .outgoing
            .iter()
            .map(|flow| builder.flows[flow.index()].target)
            .collect(),
        Kind::Catch(_) if !element.after_event_gateway => vec![ix],
        _ => Vec::new(),
    }
}

fn names(builder: &Builder<'_>, events: &[ElementIx], scope: Option<ElementIx>, errors: &mut Messages) {
    let scope = scope.map_or("the process", |ix| builder.elements[ix.index()].id.as_str());
    let name = |ix| match trigger(builder, ix) {
        Some(Trigger::Message(name)) => Some(("message", name.0.source())),
        Some(Trigger::Signal(name)) => Some(("signal", name.0.source())),
        _ => None,
    };
    let mut seen = HashSet::new();
    for event in events {
        let Some((kind, text)) = name(*event) else { continue };
        if !seen.insert((kind, text)) {
            errors.push((
                *event,
                format!("Cannot have more than one {kind} event subscription with name '{text}' for scope '{scope}'"),
            ));
        }
    }
}

fn conditions(builder: &Builder<'_>, events: &[ElementIx], errors: &mut Messages) {
    let condition = |ix| match trigger(builder, ix) {
        Some(Trigger::Condition(definition)) => Some(definition.condition.source()),
        _ => None,
    };
    let mut seen = HashSet::new();
    for event in events {
        let Some(text) = condition(*event) else { continue };
        if !seen.insert(text) {
            errors.push((
                *event,
                format!("Cannot have more than one conditional event subscription with the same condition '{text}'"),
            ));
        }
    }
}

/// One that catches everything leaves nothing for another one of its kind. Each is told of once, beside the first of those
/// that it cannot be with: Camunda tells of every pair.
fn escalations(builder: &Builder<'_>, events: &[ElementIx], kind: &str, errors: &mut Messages) {
    let code = |ix| match trigger(builder, ix) {
        Some(Trigger::Escalation(EscalationDefinition { code, .. })) => Some(code.as_deref()),
        _ => None,
    };
    let (mut first, mut seen) = (None, HashSet::new());
    for event in events {
        let Some(wanted) = code(*event) else { continue };
        let message = match (wanted, first) {
            (None, Some(None)) => format!(
                "The same scope can not contains more than one escalation {kind} without escalation code. An escalation {kind} without escalation code catch all escalation events."
            ),
            (None, Some(Some(_))) | (Some(_), Some(None)) => format!(
                "The same scope can not contains an escalation {kind} without escalation code and another one with escalation code. The escalation {kind} without escalation code catch all escalation events."
            ),
            (Some(wanted), _) if seen.contains(wanted) => {
                format!(
                    "multiple escalation {kind}s with the same escalationCode '{wanted}' are not supported on same scope"
                )
            }
            (wanted, _) => {
                first.get_or_insert(wanted);
                seen.extend(wanted);
                continue;
            }
        };
        errors.push((*event, message));
    }
}
