//! Camunda's extensions.

use super::super::element::Element;
use super::super::extension::{Delegate, ErrorMapping, Implementation, Mapping};
use super::super::xml::{Node, Ns};
use super::process::Builder;
use super::{listener, parameter};

/// What every flow element may have: asynchronous continuations, listeners, parameters, properties.
pub(super) fn common(builder: &mut Builder<'_>, node: &Node, element: &mut Element) {
    continuation(builder, node, element);
    element.listeners = listener::read(builder, node, &element.id);
    element.properties = properties(node);
    (element.inputs, element.outputs) = parameter::read(builder, node, &element.id);
    if !element.inputs.is_empty() || !element.outputs.is_empty() {
        element.is_scope = true;
    }
}

/// `asyncBefore`, `asyncAfter`, `exclusive`, `jobPriority` and the retry cycle.
pub(super) fn continuation(builder: &mut Builder<'_>, node: &Node, element: &mut Element) {
    let on = |name: &str| node.camunda(name) == Some("true");
    element.async_before = on("asyncBefore") || on("async");
    element.async_after = on("asyncAfter");
    element.exclusive = node.camunda("exclusive") != Some("false");
    element.job_priority = builder
        .problems
        .priority(node, "jobPriority")
        .or_else(|| builder.job_priority.clone());
    element.retry_cycle = node
        .retry_cycle()
        .filter(|cycle| !cycle.text.trim().is_empty())
        .and_then(|cycle| builder.problems.expression(cycle, cycle.text.trim()));
}

pub(super) fn properties(node: &Node) -> Vec<(String, String)> {
    node.extensions("properties")
        .flat_map(|properties| properties.camunda_children("property"))
        .map(|property| {
            let text = |name| property.attribute(name).unwrap_or_default().to_owned();
            (text("name"), text("value"))
        })
        .collect()
}

/// What a node calls: none where it names nothing.
pub(super) fn implementation(builder: &mut Builder<'_>, node: &Node, owner: &str) -> Option<Implementation> {
    // Listeners have plain attributes, tasks those of Camunda's namespace.
    let text = |name: &str| {
        if node.ns == Ns::Camunda {
            node.attribute(name)
        } else {
            node.camunda(name)
        }
    };
    let fields = node.camunda_children("field").chain(node.extensions("field")).next();
    if let Some(field) = fields {
        builder.problems.warn(
            field,
            format!("fields of a delegate are not passed on (element '{owner}')"),
        );
    }
    let class = text("class").filter(|class| node.ns == Ns::Camunda || !class.trim().is_empty());
    let with_result = ["resultVariable", "resultVariableName"]
        .iter()
        .any(|name| node.camunda(name).is_some());
    for (name, given) in [
        ("class", class.is_some()),
        (
            "delegateExpression",
            class.is_none() && text("delegateExpression").is_some(),
        ),
    ] {
        if given && with_result {
            let message = format!(
                "'resultVariableName' not supported for {} elements using '{name}'",
                node.name
            );
            builder.problems.error_in(owner, node, message);
        }
    }
    if let Some(class) = class {
        return Some(Implementation::Delegate(Delegate::Class(class.trim().to_owned())));
    }
    if let Some(expression) = text("delegateExpression") {
        let expression = builder.problems.expression(node, expression.trim())?;
        return Some(Implementation::Delegate(Delegate::Expression(expression)));
    }
    let expression = text("expression").filter(|text| node.ns == Ns::Camunda || !text.trim().is_empty())?;
    Some(Implementation::Expression(
        builder.problems.expression(node, expression.trim())?,
    ))
}

pub(super) fn error_mappings(builder: &mut Builder<'_>, node: &Node, owner: &str) -> Vec<ErrorMapping> {
    let mut mappings = Vec::new();
    for mapping in node.extensions("errorEventDefinition") {
        // Without a reference Camunda takes no notice of it.
        let Some(reference) = mapping.attribute("errorRef") else {
            builder.problems.warn(
                mapping,
                "errorEventDefinition without an errorRef is ignored, as in Camunda",
            );
            continue;
        };
        let Some(condition) = mapping.attribute("expression") else {
            let message = format!("the errorEventDefinition of '{owner}' has no expression");
            builder.problems.malformed(mapping, message);
            continue;
        };
        // A reference to no error of the file is the code itself.
        let (code, message) = match builder.definitions.errors.get(reference) {
            Some(row) => (row.code.clone(), row.message.clone()),
            None => (builder.problems.expression(mapping, reference), None),
        };
        if let Some(condition) = builder.problems.expression(mapping, condition) {
            mappings.push(ErrorMapping {
                condition,
                code,
                message,
            });
        }
    }
    mappings
}

/// `camunda:in` or `camunda:out` of a call activity or an event that calls.
pub(super) fn mappings(builder: &mut Builder<'_>, node: &Node, name: &str, owner: &str) -> Vec<Mapping> {
    let mut mappings = Vec::new();
    for mapping in node.extensions(name) {
        let local = mapping.attribute("local") == Some("true");
        let target = mapping.attribute("target");
        if let Some(key) = mapping.attribute("businessKey") {
            mappings.extend(builder.problems.expression(mapping, key).map(Mapping::BusinessKey));
        } else if mapping.attribute("variables") == Some("all") {
            mappings.push(Mapping::All { local });
        } else if target.is_none_or(str::is_empty) {
            builder
                .problems
                .error_in(owner, mapping, format!("Missing attribute 'target' for camunda:{name}"));
        } else if let (Some(source), Some(target)) = (mapping.attribute("source"), target) {
            if source.is_empty() {
                builder
                    .problems
                    .error_in(owner, mapping, "Empty attribute 'source' when passing variables");
            }
            mappings.push(Mapping::Variable {
                source: source.to_owned(),
                target: target.to_owned(),
                local,
            });
        } else if let (Some(source), Some(target)) = (mapping.attribute("sourceExpression"), target) {
            if source.is_empty() {
                builder.problems.error_in(
                    owner,
                    mapping,
                    "Empty attribute 'sourceExpression' when passing variables",
                );
            }
            if let Some(source) = builder.problems.expression(mapping, source) {
                mappings.push(Mapping::Expression {
                    source,
                    target: target.to_owned(),
                    local,
                });
            }
        } else {
            builder
                .problems
                .error_in(owner, mapping, format!("Missing attribute 'source' for camunda:{name}"));
        }
    }
    mappings
}
