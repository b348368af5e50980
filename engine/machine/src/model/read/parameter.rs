//! Input and output parameters (Camunda's `BpmnParseUtil`), and where they are allowed.

use super::super::extension::{Parameter, ParameterValue};
use super::super::xml::Node;
use super::process::Builder;
use super::script;

/// Input and output parameters of an element.
pub(super) fn read(builder: &mut Builder<'_>, node: &Node, owner: &str) -> (Vec<Parameter>, Vec<Parameter>) {
    let mut inputs = Vec::new();
    let mut outputs = Vec::new();
    let Some(mapping) = node.extensions("inputOutput").next() else {
        return (inputs, outputs);
    };
    if !allowed(builder, node) {
        return (inputs, outputs);
    }
    for (name, list) in [("inputParameter", &mut inputs), ("outputParameter", &mut outputs)] {
        for parameter in mapping.camunda_children(name) {
            match parameter.attribute("name") {
                Some(name) if !name.is_empty() => {
                    let value = nested_value(builder, parameter, owner);
                    list.push(Parameter {
                        name: name.to_owned(),
                        value,
                    });
                }
                _ => builder
                    .problems
                    .error_in(owner, parameter, format!("Missing attribute 'name' for {name}")),
            }
        }
    }
    if !outputs.is_empty() {
        if node.name == "endEvent" {
            let message = "camunda:outputParameter not allowed for element type 'endEvent'.";
            builder.problems.error(node, message);
        } else if node.bpmn("multiInstanceLoopCharacteristics").next().is_some() {
            let message = "camunda:outputParameter not allowed for multi-instance constructs";
            builder.problems.error(node, message);
        }
    }
    (inputs, outputs)
}

fn allowed(builder: &mut Builder<'_>, node: &Node) -> bool {
    let name = node.name.as_str();
    let by_event = name == "subProcess" && node.attribute("triggeredByEvent") == Some("true");
    let known = name.to_ascii_lowercase().contains("task")
        || matches!(
            name,
            "intermediateCatchEvent"
                | "intermediateThrowEvent"
                | "endEvent"
                | "transaction"
                | "subProcess"
                | "callActivity"
        );
    if by_event {
        let message = format!(
            "camunda:inputOutput mapping unsupported for element type '{name}' with attribute 'triggeredByEvent = true'."
        );
        builder.problems.error(node, message);
    } else if !known {
        let message = format!("camunda:inputOutput mapping unsupported for element type '{name}'.");
        builder.problems.error(node, message);
    }
    known && !by_event
}

/// The value inside a parameter or a map's entry.
fn nested_value(builder: &mut Builder<'_>, node: &Node, owner: &str) -> ParameterValue {
    match node.children.as_slice() {
        [] => text_value(builder, node),
        [only] => value(builder, only, owner),
        _ => {
            let message = "Nested parameter can at most have one child element";
            builder.problems.error_in(owner, node, message);
            ParameterValue::Null
        }
    }
}

fn text_value(builder: &mut Builder<'_>, node: &Node) -> ParameterValue {
    match node.text.trim() {
        "" => ParameterValue::Null,
        text => builder
            .problems
            .expression(node, text)
            .map_or(ParameterValue::Null, ParameterValue::Expression),
    }
}

/// A list's item, or what stands in a parameter: by its name, else its text.
fn value(builder: &mut Builder<'_>, node: &Node, owner: &str) -> ParameterValue {
    match node.name.as_str() {
        "list" => ParameterValue::List(node.children.iter().map(|item| value(builder, item, owner)).collect()),
        "map" => {
            let mut entries = Vec::new();
            for entry in node.children.iter().filter(|child| child.name == "entry") {
                let Some(key) = entry.attribute("key").filter(|key| !key.is_empty()) else {
                    let message = "Missing attribute 'key' for 'entry' element";
                    builder.problems.error_in(owner, entry, message);
                    continue;
                };
                if let Some(key) = builder.problems.expression(entry, key) {
                    entries.push((key, nested_value(builder, entry, owner)));
                }
            }
            ParameterValue::Map(entries)
        }
        "script" => script::element(builder, node, owner).map_or(ParameterValue::Null, ParameterValue::Script),
        _ => text_value(builder, node),
    }
}
