//! What lies in a process or sub-process: each flow element by its kind.

use super::super::index::ElementIx;
use super::super::xml::{Node, Ns};
use super::process::Builder;
use super::{activity, boundary, event, gateway};

/// What has no part in the execution.
const INERT: [&str; 21] = [
    "sequenceFlow",
    "extensionElements",
    "documentation",
    "laneSet",
    "incoming",
    "outgoing",
    "dataObject",
    "dataObjectReference",
    "dataStoreReference",
    "property",
    "ioSpecification",
    "association",
    "textAnnotation",
    "group",
    "multiInstanceLoopCharacteristics",
    "standardLoopCharacteristics",
    "dataInputAssociation",
    "dataOutputAssociation",
    "auditing",
    "monitoring",
    "resourceRole",
];

pub(super) fn read(builder: &mut Builder<'_>, node: &Node, scope: Option<ElementIx>) {
    let mut boundaries = Vec::new();
    for child in node.children.iter().filter(|child| child.ns == Ns::Bpmn) {
        match child.name.as_str() {
            "startEvent" => event::start(builder, child, node, scope),
            "endEvent" => event::end(builder, child, scope),
            "intermediateCatchEvent" => event::catch(builder, child, scope),
            "intermediateThrowEvent" => event::throw(builder, child, scope),
            "boundaryEvent" => boundaries.push(child),
            "exclusiveGateway" | "parallelGateway" | "inclusiveGateway" | "eventBasedGateway" => {
                gateway::read(builder, child, scope);
            }
            "task" | "manualTask" | "serviceTask" | "sendTask" | "businessRuleTask" | "userTask" | "receiveTask"
            | "scriptTask" | "callActivity" | "subProcess" | "transaction" => {
                activity::read(builder, child, scope);
            }
            "complexGateway" => builder.problems.unsupported(
                child,
                "a complex gateway",
                "use an inclusive gateway, or a parallel one with conditions after it",
            ),
            "adHocSubProcess" => {
                builder.problems.unsupported(
                    child,
                    "an ad-hoc sub-process",
                    "draw its activities with sequence flows",
                );
            }
            "performer" | "humanPerformer" | "potentialOwner" | "rendering" | "conditionExpression" => {}
            name if INERT.contains(&name) => {}
            name => builder.problems.error(child, format!("unknown element '{name}'")),
        }
    }
    // After the activities that they are attached to, wherever they are written.
    for child in boundaries {
        boundary::read(builder, child, scope);
    }
}

/// The id of a flow element; a problem where it has none.
pub(super) fn id(builder: &mut Builder<'_>, node: &Node) -> String {
    known_id(node).unwrap_or_else(|| {
        builder.problems.error(node, format!("{} must have an id", node.name));
        String::new()
    })
}

/// The id of a flow element. Camunda does without that of a sub-process: here the place stands for it.
pub(super) fn known_id(node: &Node) -> Option<String> {
    match node.id() {
        Some(id) if !id.is_empty() => Some(id.to_owned()),
        _ if node.name == "subProcess" => Some(format!("subProcess_{}_{}", node.place.line, node.place.column)),
        _ => None,
    }
}
