//! Rules over a whole process.

use super::super::element::Kind;
use super::super::event::{CatchKind, EndKind, Trigger};
use super::super::index::ElementIx;
use super::process::Builder;
use super::subscriptions;
use crate::error::Problem;

pub(super) fn model(builder: &mut Builder<'_>) {
    let mut errors = Vec::new();
    subscriptions::check(builder, &mut errors);
    let mut warnings = Vec::new();
    for index in 0..builder.elements.len() {
        let ix = ElementIx(index as u32);
        match builder.elements[index].kind {
            Kind::Exclusive => exclusive(builder, ix, &mut errors, &mut warnings),
            Kind::EventGateway => event_gateway(builder, ix, &mut errors),
            Kind::SubProcess { by_event, .. } => sub_process(builder, ix, by_event, &mut errors),
            Kind::End(EndKind::None | EndKind::Terminate | EndKind::Error(_) | EndKind::Cancel)
                if !builder.elements[index].outgoing.is_empty() =>
            {
                let id = &builder.elements[index].id;
                warnings.push((
                    ix,
                    format!("no token leaves the end event '{id}' by its sequence flow, as in Camunda"),
                ));
            }
            _ => {}
        }
    }
    let at = |builder: &Builder<'_>, ix: ElementIx, message: String| {
        let element = &builder.elements[ix.index()];
        Problem {
            message,
            line: element.line,
            column: element.column,
            main_element: Some(element.id.clone()),
            elements: vec![element.id.clone()],
        }
    };
    for (ix, message) in errors {
        let problem = at(builder, ix, message);
        builder.problems.push_error(problem);
    }
    for (ix, message) in warnings {
        let problem = at(builder, ix, message);
        builder.problems.push_warning(problem);
    }
}

pub(super) type Messages = Vec<(ElementIx, String)>;

fn exclusive(builder: &Builder<'_>, ix: ElementIx, errors: &mut Messages, warnings: &mut Messages) {
    let gateway = &builder.elements[ix.index()];
    let id = &gateway.id;
    let flows: Vec<_> = gateway
        .outgoing
        .iter()
        .map(|ix| (*ix, &builder.flows[ix.index()]))
        .collect();
    match flows.as_slice() {
        [] => errors.push((ix, format!("Exclusive Gateway '{id}' has no outgoing sequence flows."))),
        [(_, only)] => {
            if only.condition.is_some() {
                errors.push((
                    ix,
                    format!(
                        "Exclusive Gateway '{id}' has only one outgoing sequence flow ('{}'). This is not allowed to have a condition.",
                        only.id
                    ),
                ));
            }
        }
        flows => {
            let mut bare = Vec::new();
            for (flow_ix, flow) in flows {
                let default = gateway.default_flow == Some(*flow_ix);
                if flow.condition.is_none() && !default {
                    bare.push(&flow.id);
                }
                if flow.condition.is_some() && default {
                    errors.push((
                        ix,
                        format!("Exclusive Gateway '{id}' has outgoing sequence flow '{}' which is the default flow but has a condition too.", flow.id),
                    ));
                }
            }
            if gateway.default_flow.is_some() || bare.len() > 1 {
                for flow in bare {
                    errors.push((
                        ix,
                        format!("Exclusive Gateway '{id}' has outgoing sequence flow '{flow}' without condition which is not the default flow."),
                    ));
                }
            } else if let [flow] = bare.as_slice() {
                warnings.push((
                    ix,
                    format!("Exclusive Gateway '{id}' has outgoing sequence flow '{flow}' without condition which is not the default flow. We assume it to be the default flow, but it is bad modeling practice, better set the default flow in your gateway."),
                ));
            }
        }
    }
}

fn event_gateway(builder: &Builder<'_>, ix: ElementIx, errors: &mut Messages) {
    let gateway = &builder.elements[ix.index()];
    if gateway.outgoing.is_empty() {
        errors.push((
            ix,
            format!("the event-based gateway '{}' has no outgoing sequence flow", gateway.id),
        ));
    }
    for flow in &gateway.outgoing {
        let flow = &builder.flows[flow.index()];
        if flow.condition.is_some() {
            errors.push((
                ix,
                format!(
                    "the sequence flow '{}' of an event-based gateway has a condition",
                    flow.id
                ),
            ));
        }
        let target = &builder.elements[flow.target.index()];
        if !matches!(target.kind, Kind::Catch(CatchKind::Event(_))) {
            errors.push((
                ix,
                "Event based gateway can only be connected to elements of type intermediateCatchEvent".to_owned(),
            ));
        } else if target.incoming.len() > 1 {
            errors.push((
                ix,
                format!(
                    "the event '{}' after an event-based gateway has more than one incoming sequence flow",
                    target.id
                ),
            ));
        }
    }
}

fn sub_process(builder: &Builder<'_>, ix: ElementIx, by_event: bool, errors: &mut Messages) {
    let element = &builder.elements[ix.index()];
    let mut plain = 0;
    let mut starts = 0;
    for child in &element.children {
        if let Kind::Start(start) = &builder.elements[child.index()].kind {
            starts += 1;
            plain += usize::from(matches!(start.trigger, Trigger::None));
        }
    }
    if by_event {
        if starts != 1 {
            errors.push((ix, "multiple start events not supported for subprocess".to_owned()));
        }
        if !element.incoming.is_empty() || !element.outgoing.is_empty() {
            errors.push((
                ix,
                format!("Invalid sequence flow at the event sub-process '{}'", element.id),
            ));
        }
    } else if plain == 0 {
        errors.push((ix, "subProcess must define a startEvent element".to_owned()));
    } else if plain > 1 {
        errors.push((ix, "multiple start events not supported for subprocess".to_owned()));
    }
}
