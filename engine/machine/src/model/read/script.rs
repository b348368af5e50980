//! Scripts: which languages are run, and where the text is.

use super::super::script::{Condition, Script, ScriptSource};
use super::super::xml::{Node, Ns};
use super::process::Builder;

/// The names by which Camunda's users call JavaScript.
const JAVASCRIPT: [&str; 5] = ["javascript", "ecmascript", "js", "graal.js", "nashorn"];

/// Reads a script; none where there is none.
pub(super) fn read(
    builder: &mut Builder<'_>,
    node: &Node,
    owner: &str,
    format: &str,
    resource: Option<&str>,
    text: &str,
) -> Option<Script> {
    let language = format.trim().to_ascii_lowercase();
    if language == "juel" {
        return builder.problems.expression(node, text.trim()).map(Script::Juel);
    }
    if !JAVASCRIPT.contains(&language.as_str()) {
        let message = format!(
            "a script in '{format}' is not executed: write it in JavaScript (scriptFormat=\"javascript\"), or let a worker do it (an external task)"
        );
        // The script is read all the same: whose it is has not vanished, so nothing else is said to be wrong for it.
        builder.problems.error_in(owner, node, message);
    }
    let source = match resource {
        Some(resource) => ScriptSource::Resource(builder.problems.expression(node, resource.trim())?),
        None if text.trim_start().starts_with("${") || text.trim_start().starts_with("#{") => {
            ScriptSource::Dynamic(builder.problems.expression(node, text.trim())?)
        }
        None if text.trim().is_empty() => {
            builder
                .problems
                .error_in(owner, node, "Unable to process script: it is empty");
            return None;
        }
        None => ScriptSource::Text(text.to_owned()),
    };
    Some(Script::Source {
        format: format.to_owned(),
        source,
    })
}

/// `camunda:script` of a listener or a parameter.
pub(super) fn element(builder: &mut Builder<'_>, node: &Node, owner: &str) -> Option<Script> {
    let Some(format) = node.attribute("scriptFormat").filter(|format| !format.is_empty()) else {
        let message = "Missing attribute 'scriptFormat' for 'script' element";
        builder.problems.error_in(owner, node, message);
        return None;
    };
    read(builder, node, owner, format, node.attribute("resource"), &node.text)
}

/// A `scriptTask`: without a format it is an expression.
pub(super) fn task(builder: &mut Builder<'_>, node: &Node, id: &str) -> Option<Script> {
    let format = node.attribute("scriptFormat").unwrap_or("juel");
    let inner = node.bpmn("script").next();
    let resource = node.camunda("resource");
    if inner.is_none() && resource.is_none() {
        builder.problems.error(
            node,
            "Unable to process ScriptTask: it has neither a script nor a resource",
        );
        return None;
    }
    let text = inner.map(|script| script.text.as_str()).unwrap_or_default();
    read(builder, inner.unwrap_or(node), id, format, resource, text)
}

/// `conditionExpression` of a sequence flow, or `condition` of an event.
pub(super) fn condition(builder: &mut Builder<'_>, node: &Node, owner: &str) -> Option<Condition> {
    let kind = node.attribute_ns(Ns::Xsi, "type");
    let formal = kind.is_none_or(|kind| kind.rsplit(':').next() == Some("tFormalExpression"));
    if !formal {
        let message = "Invalid type, only tFormalExpression is currently supported";
        builder.problems.error_in(owner, node, message);
        return None;
    }
    match node.attribute("language") {
        None => builder
            .problems
            .expression(node, node.text.trim())
            .map(Condition::Expression),
        Some(language) => {
            read(builder, node, owner, language, node.camunda("resource"), &node.text).map(Condition::Script)
        }
    }
}
