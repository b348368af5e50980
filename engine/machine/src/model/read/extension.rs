//! Camunda's extensions.

use super::super::element::Element;
use super::super::extension::{
    Delegate, ErrorMapping, Implementation, Listener, ListenerEvent, Mapping, Parameter, ParameterValue, TaskListener,
};
use super::super::xml::{Node, Ns};
use super::process::Builder;

/// What every flow element may have: asynchronous continuations, listeners, parameters, properties.
pub(super) fn common(builder: &mut Builder<'_>, node: &Node, element: &mut Element) {
    continuation(builder, node, element);
    element.listeners = listeners(builder, node, &element.id);
    element.properties = properties(node);
    (element.inputs, element.outputs) = parameters(builder, node, &element.id);
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
        .attribute(node, "jobPriority")
        .or_else(|| builder.job_priority.clone());
    element.retry_cycle = node
        .extensions("failedJobRetryTimeCycle")
        .next()
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
    if let Some(script) = node.camunda_children("script").next() {
        builder.problems.error_in(
            owner,
            script,
            "a script is not executed: use an expression, a delegate or an external task",
        );
        return None;
    }
    let fields = node.camunda_children("field").chain(node.extensions("field")).next();
    if let Some(field) = fields {
        builder.problems.warn(
            field,
            format!("fields of a delegate are not passed on (element '{owner}')"),
        );
    }
    if let Some(class) = text("class") {
        return Some(Implementation::Delegate(Delegate::Class(class.trim().to_owned())));
    }
    if let Some(expression) = text("delegateExpression") {
        let expression = builder.problems.expression(node, expression.trim())?;
        return Some(Implementation::Delegate(Delegate::Expression(expression)));
    }
    let expression = text("expression")?;
    Some(Implementation::Expression(
        builder.problems.expression(node, expression.trim())?,
    ))
}

pub(super) fn listeners(builder: &mut Builder<'_>, node: &Node, owner: &str) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for listener in node.extensions("executionListener") {
        let default = if node.name == "sequenceFlow" { "take" } else { "" };
        let event = match listener.attribute("event").unwrap_or(default) {
            "start" => ListenerEvent::Start,
            "end" => ListenerEvent::End,
            "take" => ListenerEvent::Take,
            other => {
                let message =
                    format!("Attribute 'event' of an executionListener must be start, end or take, not '{other}'");
                builder.problems.error_in(owner, listener, message);
                continue;
            }
        };
        match implementation(builder, listener, owner) {
            Some(implementation) => listeners.push(Listener { event, implementation }),
            None if listener.camunda_children("script").next().is_some() => {}
            None => builder.problems.error_in(
                owner,
                listener,
                "Element 'class', 'expression', 'delegateExpression' or 'script' is mandatory on executionListener",
            ),
        }
    }
    listeners
}

pub(super) fn task_listeners(builder: &mut Builder<'_>, node: &Node, owner: &str) -> Vec<TaskListener> {
    let mut listeners = Vec::new();
    for listener in node.extensions("taskListener") {
        let event = listener.attribute("event").unwrap_or_default();
        match event {
            "create" | "assignment" | "complete" | "update" | "delete" => {}
            "timeout" => {
                builder.problems.error_in(
                    owner,
                    listener,
                    "a timeout listener is not executed: use a boundary timer",
                );
                continue;
            }
            other => {
                let message = format!("Invalid eventName '{other}' for taskListener");
                builder.problems.error_in(owner, listener, message);
                continue;
            }
        }
        if let Some(implementation) = implementation(builder, listener, owner) {
            listeners.push(TaskListener {
                event: event.to_owned(),
                implementation,
            });
        }
    }
    listeners
}

fn parameters(builder: &mut Builder<'_>, node: &Node, owner: &str) -> (Vec<Parameter>, Vec<Parameter>) {
    let mut inputs = Vec::new();
    let mut outputs = Vec::new();
    for mapping in node.extensions("inputOutput") {
        for (name, list) in [("inputParameter", &mut inputs), ("outputParameter", &mut outputs)] {
            for parameter in mapping.camunda_children(name) {
                match parameter.attribute("name") {
                    Some(name) if !name.is_empty() => {
                        let value = parameter_value(builder, parameter, owner);
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
    }
    (inputs, outputs)
}

/// The value inside a parameter, a list's item or a map's entry.
fn parameter_value(builder: &mut Builder<'_>, node: &Node, owner: &str) -> ParameterValue {
    match node.children.iter().find(|child| child.ns == Ns::Camunda) {
        Some(inner) => typed_value(builder, inner, owner),
        None => text_value(builder, node),
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

fn typed_value(builder: &mut Builder<'_>, node: &Node, owner: &str) -> ParameterValue {
    match node.name.as_str() {
        "list" => ParameterValue::List(
            node.children
                .iter()
                .filter(|child| child.ns == Ns::Camunda)
                .map(|item| typed_value(builder, item, owner))
                .collect(),
        ),
        "map" => {
            let mut entries = Vec::new();
            for entry in node.camunda_children("entry") {
                let key = entry.attribute("key").unwrap_or_default();
                if let Some(key) = builder.problems.expression(entry, key) {
                    entries.push((key, parameter_value(builder, entry, owner)));
                }
            }
            ParameterValue::Map(entries)
        }
        "value" => text_value(builder, node),
        "script" => {
            builder
                .problems
                .error_in(owner, node, "a script is not executed: use an expression");
            ParameterValue::Null
        }
        other => {
            builder
                .problems
                .error_in(owner, node, format!("'{other}' is not a value of a parameter"));
            ParameterValue::Null
        }
    }
}

pub(super) fn error_mappings(builder: &mut Builder<'_>, node: &Node, owner: &str) -> Vec<ErrorMapping> {
    let mut mappings = Vec::new();
    for mapping in node.extensions("errorEventDefinition") {
        let condition = mapping.attribute("expression").filter(|text| !text.is_empty());
        let Some(condition) = condition else {
            builder.problems.error_in(
                owner,
                mapping,
                "External task errorEventDefinition must have an expression",
            );
            continue;
        };
        let row = mapping
            .attribute("errorRef")
            .and_then(|id| builder.definitions.errors.get(id))
            .cloned();
        let Some(row) = row else {
            builder
                .problems
                .error_in(owner, mapping, "errorEventDefinition refers to no error of this file");
            continue;
        };
        if let Some(condition) = builder.problems.expression(mapping, condition) {
            mappings.push(ErrorMapping {
                condition,
                code: row.code,
                message: row.message,
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
