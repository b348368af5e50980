//! Who compensates whom: associations of compensation boundary events, and event sub-processes that compensation starts.

use std::collections::HashSet;

use super::super::element::Kind;
use super::super::event::{Boundary, StartEvent, Trigger};
use super::super::index::ElementIx;
use super::super::xml::{Node, Ns};
use super::activity::local_name;
use super::process::Builder;

/// A reference of a compensation event, looked up once all activities are known.
pub(super) struct CompensationThrow {
    pub(super) activity: String,
    pub(super) scope: Option<ElementIx>,
    pub(super) event: String,
}

/// Joins activities with their handlers, in the order of the file.
pub(super) fn read(builder: &mut Builder<'_>, process: &Node) {
    event_sub_processes(builder);
    let mut ids = HashSet::new();
    collect_ids(process, &mut ids);
    visit(builder, process, &ids);
    check_throws(builder);
}

fn is_event_sub_process(builder: &Builder<'_>, ix: ElementIx) -> bool {
    matches!(
        builder.elements[ix.index()].kind,
        Kind::SubProcess { by_event: true, .. }
    )
}

fn event_sub_processes(builder: &mut Builder<'_>) {
    for index in 0..builder.elements.len() {
        let element = &builder.elements[index];
        let Kind::Start(StartEvent {
            trigger: Trigger::Compensate,
            ..
        }) = element.kind
        else {
            continue;
        };
        let (id, Some(handler)) = (element.id.clone(), element.scope) else {
            continue;
        };
        builder.at(handler).for_compensation = true;
        let message = match builder.elements[handler.index()].scope {
            None => {
                "event subprocess with compensation start event is only supported for embedded subprocess (since throwing compensation through a call activity-induced process hierarchy is not supported)"
            }
            Some(scope) if builder.elements[scope.index()].compensation_handler.is_some() => {
                "multiple event subprocesses with compensation start event are not supported on the same scope"
            }
            Some(scope) => {
                builder.at(scope).compensation_handler = Some(handler);
                continue;
            }
        };
        builder.problem_at(&id, message.to_owned());
    }
}

fn collect_ids<'n>(node: &'n Node, ids: &mut HashSet<&'n str>) {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        ids.extend(node.id());
        open.extend(&node.children);
    }
}

fn visit(builder: &mut Builder<'_>, scope: &Node, ids: &HashSet<&str>) {
    for node in scope.children.iter().filter(|node| node.ns == Ns::Bpmn) {
        match node.name.as_str() {
            "association" => association(builder, node, ids),
            "subProcess" | "transaction" => visit(builder, node, ids),
            _ => {}
        }
    }
}

/// Only that of a compensation boundary event with a handler means anything.
fn association(builder: &mut Builder<'_>, node: &Node, ids: &HashSet<&str>) {
    for name in ["sourceRef", "targetRef"] {
        match node.attribute(name) {
            None => builder
                .problems
                .error(node, format!("association element missing attribute '{name}'")),
            Some(id) if !ids.contains(local_name(id)) => builder
                .problems
                .error(node, format!("Invalid reference {name} '{id}' of association element ")),
            Some(_) => {}
        }
    }
    let end = |name| {
        let id = node.attribute(name).map(local_name).unwrap_or_default();
        builder.by_id.get(id).copied()
    };
    let (Some(source), Some(target)) = (end("sourceRef"), end("targetRef")) else {
        return;
    };
    let Kind::Boundary(Boundary {
        host,
        trigger: Trigger::Compensate,
        ..
    }) = builder.elements[source.index()].kind
    else {
        return;
    };
    if !builder.elements[target.index()].for_compensation {
        builder.problems.error(
            node,
            "compensation boundary catch must be connected to element with isForCompensation=true",
        );
        return;
    }
    match builder.elements[host.index()].compensation_handler {
        Some(handler) if is_event_sub_process(builder, handler) => builder.problems.error(
            node,
            "compensation boundary event and event subprocess with compensation start event are not supported on the same scope",
        ),
        _ => builder.at(host).compensation_handler = Some(target),
    }
}

fn check_throws(builder: &mut Builder<'_>) {
    for throw in std::mem::take(&mut builder.compensation_throws) {
        let around = throw
            .scope
            .filter(|scope| is_event_sub_process(builder, *scope))
            .map(|scope| builder.elements[scope.index()].scope);
        let found = builder.entries.get(&throw.activity).is_some_and(|ix| {
            let scope = builder.elements[ix.index()].scope;
            scope == throw.scope || Some(scope) == around
        });
        if !found {
            let message = format!(
                "Invalid attribute value for 'activityRef': no activity with id '{}' in scope of '{}'",
                throw.activity, throw.event
            );
            builder.problem_at(&throw.event, message);
        }
    }
}
