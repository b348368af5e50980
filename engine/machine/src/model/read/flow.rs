//! Sequence flows, once all elements are known.

use super::super::element::{Flow, Kind};
use super::super::index::{ElementIx, FlowIx};
use super::super::xml::{Node, Ns};
use super::activity::local_name;
use super::process::Builder;
use super::scope::known_id;
use super::{listener, script};

/// Reads the flows of a process and its sub-processes, in XML order. Each joins elements of the scope that it is in.
pub(super) fn read(builder: &mut Builder<'_>, process: &Node) {
    let mut defaults = Vec::new();
    visit(builder, process, None, &mut defaults);
    for (element, flow) in defaults {
        if let Some(ix) = builder.flows_by_id.get(&flow).copied()
            && builder.flows[ix.index()].source == element
        {
            builder.at(element).default_flow = Some(ix);
        }
    }
    for ix in 0..builder.elements.len() {
        if !matches!(builder.elements[ix].kind, Kind::EventGateway) {
            continue;
        }
        for flow in builder.elements[ix].outgoing.clone() {
            let target = builder.flows[flow.index()].target;
            builder.at(target).after_event_gateway = true;
        }
    }
}

fn visit(builder: &mut Builder<'_>, inside: &Node, scope: Option<ElementIx>, defaults: &mut Vec<(ElementIx, String)>) {
    for node in inside.children.iter().filter(|node| node.ns == Ns::Bpmn) {
        match node.name.as_str() {
            "sequenceFlow" => flow(builder, node, scope),
            "subProcess" | "transaction" => {
                let own = known_id(node).and_then(|id| builder.by_id.get(&id).copied());
                visit(builder, node, own, defaults);
            }
            _ => {}
        }
        if let (Some(flow), Some(element)) = (
            node.attribute("default"),
            node.id().and_then(|id| builder.entries.get(id).copied()),
        ) {
            defaults.push((element, flow.to_owned()));
        }
    }
}

fn flow(builder: &mut Builder<'_>, node: &Node, scope: Option<ElementIx>) {
    let id = node.id().unwrap_or_default().to_owned();
    let reference = |name| node.attribute(name).map(local_name).unwrap_or_default();
    let (from, to) = (reference("sourceRef"), reference("targetRef"));
    if builder.links.contains_key(from) {
        builder.problems.error(
            node,
            format!("the link event '{from}' has an outgoing sequence flow '{id}'"),
        );
        return;
    }
    // A flow that could leave its scope, or come back into one from within, would have no end of scopes within scopes.
    let entry = |builder: &Builder<'_>, id: &str| {
        let ix = builder.entries.get(id).copied();
        ix.filter(|ix| builder.elements[ix.index()].scope == scope)
    };
    let Some(source) = entry(builder, from) else {
        builder
            .problems
            .error(node, format!("Invalid source '{from}' of sequence flow '{id}'"));
        return;
    };
    let target = match builder.links.get(to) {
        Some((name, scope)) => {
            let target = builder.link_targets.get(&(name.clone(), *scope)).copied();
            if target.is_none() {
                let message = format!(
                    "sequence flow points to link event source with name '{name}' but no event target with that name exists"
                );
                builder.problems.error(node, message);
                return;
            }
            target
        }
        None => entry(builder, to),
    };
    let Some(target) = target else {
        builder
            .problems
            .error(node, format!("Invalid destination '{to}' of sequence flow '{id}'"));
        return;
    };
    for (end, ix, which) in [(from, source, "outgoing"), (to, target, "incoming")] {
        if builder.elements[ix.index()].for_compensation {
            builder.problems.error(
                node,
                format!("Invalid {which} sequence flow of compensation activity '{end}'. A compensation activity should not have an incoming or outgoing sequence flow."),
            );
            return;
        }
    }
    let condition = node
        .bpmn("conditionExpression")
        .next()
        .and_then(|condition| script::condition(builder, condition, &id));
    let listeners = listener::read(builder, node, &id);
    if id.is_empty() && builder.at(source).async_after {
        let from = builder.at(source).id.clone();
        let message = format!(
            "Sequence flow with sourceRef='{from}' must have an id, activity with id '{from}' uses 'asyncAfter'."
        );
        builder.problems.error_in(&from, node, message);
    }
    let ix = FlowIx(builder.flows.len() as u32);
    let flow = Flow {
        id: id.clone(),
        name: node.attribute("name").map(str::to_owned),
        source,
        target,
        condition,
        listeners,
    };
    builder.flows.push(flow);
    builder.flows_by_id.insert(id, ix);
    builder.at(source).outgoing.push(ix);
    builder.at(target).incoming.push(ix);
}
