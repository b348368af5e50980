//! Execution listeners and task listeners.

use super::super::extension::{Implementation, Listener, ListenerEvent, TaskListener};
use super::super::xml::Node;
use super::process::Builder;
use super::{extension, script, trigger};

/// The execution listeners of an element, a sequence flow or a process.
pub(super) fn read(builder: &mut Builder<'_>, node: &Node, owner: &str) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for listener in node.extensions("executionListener") {
        let event = match listener.attribute("event").map(str::trim) {
            // Whatever is written there: a flow has no other moment.
            _ if node.name == "sequenceFlow" => ListenerEvent::Take,
            Some("start") => ListenerEvent::Start,
            Some("end") => ListenerEvent::End,
            None | Some("") => {
                let message = "Attribute 'event' is mandatory on listener";
                builder.problems.error_in(owner, listener, message);
                continue;
            }
            Some(_) => {
                let message = "Attribute 'event' must be one of {start|end}";
                builder.problems.error_in(owner, listener, message);
                continue;
            }
        };
        if let Some(implementation) = implementation(builder, listener, owner) {
            listeners.push(Listener { event, implementation });
        }
    }
    listeners
}

fn implementation(builder: &mut Builder<'_>, node: &Node, owner: &str) -> Option<Implementation> {
    for name in ["class", "delegateExpression"] {
        if node.attribute(name) == Some("") {
            let message = format!("Attribute '{name}' cannot be empty");
            builder.problems.error_in(owner, node, message);
            return None;
        }
    }
    let named = ["class", "expression", "delegateExpression"]
        .iter()
        .any(|name| node.attribute(name).is_some());
    if named {
        return extension::implementation(builder, node, owner);
    }
    match node.camunda_children("script").next() {
        Some(inner) => script::element(builder, inner, owner).map(Implementation::Script),
        None => {
            let message = format!(
                "Element 'class', 'expression', 'delegateExpression' or 'script' is mandatory on {}",
                node.name
            );
            builder.problems.error_in(owner, node, message);
            None
        }
    }
}

/// The listeners of a user task.
pub(super) fn of_task(builder: &mut Builder<'_>, node: &Node, owner: &str) -> Vec<TaskListener> {
    let mut listeners = Vec::new();
    for listener in node.extensions("taskListener") {
        let id = listener.attribute("id").map(str::to_owned);
        let mut timer = None;
        let event = match listener.attribute("event") {
            Some(event @ ("create" | "assignment" | "complete" | "update" | "delete")) => event,
            Some(event @ "timeout") => {
                timer = timeout(builder, listener, owner);
                event
            }
            Some(_) => {
                let message = "Attribute 'event' must be one of {create|assignment|complete|update|delete|timeout}";
                builder.problems.error(node, message);
                continue;
            }
            None => {
                let message = "Attribute 'event' is mandatory on taskListener";
                builder.problems.error(node, message);
                continue;
            }
        };
        if let Some(implementation) = implementation(builder, listener, owner) {
            listeners.push(TaskListener {
                event: event.to_owned(),
                id,
                timer,
                implementation,
            });
        }
    }
    listeners
}

fn timeout(builder: &mut Builder<'_>, listener: &Node, owner: &str) -> Option<super::super::event::Timer> {
    if listener.attribute("id").is_none() {
        let message = "Element 'id' is mandatory on taskListener of type 'timeout'";
        builder.problems.error_in(owner, listener, message);
    }
    let definition = listener
        .children
        .iter()
        .find(|child| child.name == "timerEventDefinition");
    match definition {
        Some(definition) => trigger::timer(builder, listener, definition),
        None => {
            // Camunda's parser stumbles over what is missing.
            let message = "Element 'timerEventDefinition' is mandatory on taskListener of type 'timeout'";
            builder.problems.error_in(owner, listener, message);
            None
        }
    }
}
