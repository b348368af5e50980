//! Tasks, call activities and sub-processes, and their multi-instance bodies.

use super::super::element::{Element, Kind, MultiInstance};
use super::super::event::EventName;
use super::super::extension::Implementation;
use super::super::index::ElementIx;
use super::super::task::{Binding, CallActivity, ExternalTask, ServiceTask, UserTask};
use super::super::xml::{Node, Ns};
use super::process::{Builder, blank, documentation};
use super::{decision, declaration, extension, form, listener, scope, script};
use crate::expression::Expression;

/// What the body of a multi-instance activity has beside the activity's id.
const BODY: &str = "#multiInstanceBody";

pub(super) fn read(builder: &mut Builder<'_>, node: &Node, parent: Option<ElementIx>) {
    let id = scope::id(builder, node);
    let Some((kind, activity_type)) = kind(builder, node, &id) else {
        return;
    };
    let mut element = blank(id.clone(), node.attribute("name"), kind, activity_type, node.place);
    extension::common(builder, node, &mut element);
    element.for_compensation = node.attribute("isForCompensation") == Some("true");
    element.is_scope |= matches!(
        element.kind,
        Kind::SubProcess { .. } | Kind::Call(_) | Kind::Service(ServiceTask::External(_)) | Kind::Receive(Some(_))
    );
    match element.kind {
        Kind::Service(ServiceTask::External(_)) => {
            element.error_mappings = extension::error_mappings(builder, node, &id);
        }
        Kind::User(_) => {
            element.task_listeners = listener::of_task(builder, node, &id);
            element.declarations = declaration::read(builder, node, &id);
            element.is_scope |=
                !element.declarations.is_empty() || element.task_listeners.iter().any(|l| l.timer.is_some());
        }
        _ => {}
    }
    for (attribute, what) in [
        ("startQuantity", "a start quantity"),
        ("completionQuantity", "a completion quantity"),
    ] {
        if node.attribute(attribute).is_some_and(|value| value != "1") {
            builder.problems.warn(node, format!("{what} is ignored, as in Camunda"));
        }
    }
    if let Some(standard) = node.bpmn("standardLoopCharacteristics").next() {
        builder
            .problems
            .warn(standard, format!("the loop marker of '{id}' is ignored, as in Camunda"));
    }
    let nested = matches!(element.kind, Kind::SubProcess { .. });
    let parent = match node.bpmn("multiInstanceLoopCharacteristics").next() {
        Some(characteristics) => body(builder, node, characteristics, &mut element, parent),
        None => parent,
    };
    let ix = builder.add(element, parent);
    if nested {
        scope::read(builder, node, Some(ix));
    }
}

/// Puts a body around a multi-instance activity: it has the flows, boundary events and continuations of the activity,
/// and the activity those of the loop.
fn body(
    builder: &mut Builder<'_>,
    node: &Node,
    characteristics: &Node,
    element: &mut Element,
    parent: Option<ElementIx>,
) -> Option<ElementIx> {
    let mut expression = |name: &str| {
        let inner = characteristics.bpmn(name).next()?;
        builder.problems.expression(inner, inner.text.trim())
    };
    let cardinality = expression("loopCardinality");
    let completion_condition = expression("completionCondition");
    let loop_data = expression("loopDataInputRef");
    let collection = match characteristics.camunda("collection") {
        Some(text) => builder.problems.expression(characteristics, text),
        None => loop_data,
    };
    if cardinality.is_none() && collection.is_none() {
        builder.problems.error_in(
            &element.id,
            characteristics,
            "Either loopCardinality or loopDataInputRef/camunda:collection must been set",
        );
    }
    let element_variable = characteristics.camunda("elementVariable").or_else(|| {
        characteristics
            .bpmn("inputDataItem")
            .next()
            .and_then(|item| item.attribute("name"))
    });
    if element_variable.is_some() && collection.is_none() {
        builder
            .problems
            .error_in(&element.id, characteristics, "elementVariable set without a collection");
    }
    let kind = Kind::MultiInstance(Box::new(MultiInstance {
        sequential: characteristics.attribute("isSequential") == Some("true"),
        cardinality,
        collection,
        element_variable: element_variable.map(str::to_owned),
        completion_condition,
    }));
    let id = format!("{}{BODY}", element.id);
    // Camunda's bodies have no name: the history shows the activity's beside its instances alone.
    let mut outer = blank(id, None, kind, "multiInstanceBody", node.place);
    outer.is_scope = true;
    extension::continuation(builder, node, &mut outer);
    extension::continuation(builder, characteristics, element);
    outer.for_compensation = element.for_compensation;
    let ix = builder.add(outer, parent);
    builder.entries.insert(element.id.clone(), ix);
    Some(ix)
}

fn kind(builder: &mut Builder<'_>, node: &Node, id: &str) -> Option<(Kind, &'static str)> {
    Some(match node.name.as_str() {
        "task" => (Kind::Pass, "task"),
        "manualTask" => (Kind::Pass, "manualTask"),
        "serviceTask" => (service(builder, node, id)?, "serviceTask"),
        "sendTask" => (service(builder, node, id)?, "sendTask"),
        "businessRuleTask" => {
            let kind = match node.camunda("decisionRef") {
                Some(decision) => Kind::Service(decision::read(builder, node, decision)?),
                None => service(builder, node, id)?,
            };
            (kind, "businessRuleTask")
        }
        "scriptTask" => {
            let script = script::task(builder, node, id)?;
            let task = ServiceTask::Call {
                implementation: Implementation::Script(script),
                result_variable: result_variable(node),
            };
            (Kind::Service(task), "scriptTask")
        }
        "userTask" => (Kind::User(Box::new(user(builder, node))), "userTask"),
        "receiveTask" => (receive(builder, node), "receiveTask"),
        "callActivity" => (Kind::Call(Box::new(call(builder, node, id)?)), "callActivity"),
        "transaction" => (
            Kind::SubProcess {
                by_event: false,
                transaction: true,
            },
            "transaction",
        ),
        _ => {
            let by_event = node.attribute("triggeredByEvent") == Some("true");
            (
                Kind::SubProcess {
                    by_event,
                    transaction: false,
                },
                "subProcess",
            )
        }
    })
}

fn service(builder: &mut Builder<'_>, node: &Node, id: &str) -> Option<Kind> {
    match implementation(builder, node, id) {
        Some(service) => Some(Kind::Service(service)),
        None => {
            let message = format!(
                "One of the attributes 'class', 'delegateExpression', 'type', or 'expression' is mandatory on {}.",
                node.name
            );
            builder.problems.error(node, message);
            None
        }
    }
}

/// The implementation of a service task, or of the message event definition of an event that sends.
pub(super) fn implementation(builder: &mut Builder<'_>, node: &Node, id: &str) -> Option<ServiceTask> {
    match node.camunda("type") {
        Some("external") => {
            let topic = builder.problems.attribute(node, "topic");
            if topic.is_none() {
                builder.problems.error_in(
                    id,
                    node,
                    "External tasks must specify a 'topic' attribute in the camunda namespace",
                );
            }
            let priority = builder
                .problems
                .priority(node, "taskPriority")
                .or_else(|| builder.task_priority.clone());
            topic.map(|topic| ServiceTask::External(ExternalTask { topic, priority }))
        }
        Some(kind) => {
            let message = format!("camunda:type '{kind}' is not executed: use an external task or a delegate");
            builder.problems.error_in(id, node, message);
            None
        }
        None => {
            if let Some(connector) = node.extensions("connector").next() {
                let message = "a connector is not executed: use an external task";
                builder.problems.error_in(id, connector, message);
            }
            let implementation = extension::implementation(builder, node, id)?;
            let result_variable = result_variable(node);
            Some(ServiceTask::Call {
                implementation,
                result_variable,
            })
        }
    }
}

/// `camunda:resultVariable`, or the older `camunda:resultVariableName`.
pub(super) fn result_variable(node: &Node) -> Option<String> {
    let name = node
        .camunda("resultVariable")
        .or_else(|| node.camunda("resultVariableName"));
    name.map(str::to_owned)
}

fn user(builder: &mut Builder<'_>, node: &Node) -> UserTask {
    let mut text = |name: &str| {
        node.attribute(name)
            .and_then(|text| builder.problems.expression(node, text))
    };
    let name = text("name");
    let description = documentation(node).and_then(|text| builder.problems.expression(node, &text));
    let performer = node.bpmn("humanPerformer").next().and_then(formal_expression);
    if node.bpmn("humanPerformer").count() > 1 {
        builder.problems.error(
            node,
            "Invalid task definition: multiple humanPerformer sub elements defined",
        );
    }
    let assignee = match performer {
        Some(_) if node.camunda("assignee").is_some() => {
            let message = "Invalid usage: duplicate assignee declaration for task";
            builder.problems.error(node, message);
            None
        }
        Some(text) => builder.problems.expression(node, text),
        None => builder.problems.attribute(node, "assignee"),
    };
    let mut task = UserTask {
        name,
        description,
        assignee,
        priority: builder.problems.attribute(node, "priority"),
        due: builder.problems.attribute(node, "dueDate"),
        follow_up: builder.problems.attribute(node, "followUpDate"),
        form: form::read(builder, node),
        ..UserTask::default()
    };
    task.candidate_users = candidates(builder, node, node.camunda("candidateUsers").unwrap_or_default());
    task.candidate_groups = candidates(builder, node, node.camunda("candidateGroups").unwrap_or_default());
    for owner in node.bpmn("potentialOwner").filter_map(formal_expression) {
        for part in split_list(owner) {
            let (list, name) = match (part.strip_prefix("user(").and_then(|p| p.strip_suffix(')')), part) {
                (Some(user), _) => (&mut task.candidate_users, user),
                (None, group) => {
                    let bare = group
                        .strip_prefix("group(")
                        .and_then(|p| p.strip_suffix(')'))
                        .unwrap_or(group);
                    (&mut task.candidate_groups, bare)
                }
            };
            list.extend(builder.problems.expression(node, name.trim()));
        }
    }
    task
}

fn formal_expression(node: &Node) -> Option<&str> {
    let expression = node
        .bpmn("resourceAssignmentExpression")
        .next()?
        .bpmn("formalExpression")
        .next()?;
    Some(expression.text.trim())
}

fn candidates(builder: &mut Builder<'_>, node: &Node, text: &str) -> Vec<Expression> {
    split_list(text)
        .into_iter()
        .filter_map(|part| builder.problems.expression(node, part))
        .collect()
}

/// Splits at commas outside of `${…}`.
fn split_list(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0_u32;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn receive(builder: &mut Builder<'_>, node: &Node) -> Kind {
    let Some(reference) = node.attribute("messageRef") else {
        return Kind::Receive(None);
    };
    match builder.definitions.messages.get(local_name(reference)) {
        Some(name) => Kind::Receive(name.clone().map(EventName)),
        None => {
            let message = format!("Invalid 'messageRef': no message with id '{reference}' found.");
            builder.problems.error(node, message);
            Kind::Receive(None)
        }
    }
}

/// A reference may be qualified by a prefix.
pub(super) fn local_name(reference: &str) -> &str {
    reference.rsplit(':').next().unwrap_or(reference)
}

fn call(builder: &mut Builder<'_>, node: &Node, id: &str) -> Option<CallActivity> {
    if node.camunda("caseRef").is_some() {
        builder
            .problems
            .unsupported(node, "a call of a case (CMMN)", "call a process");
        return None;
    }
    let called = node.attribute("calledElement").filter(|text| !text.is_empty());
    let Some(called) = called.and_then(|text| builder.problems.expression(node, text)) else {
        builder
            .problems
            .error(node, "Missing attribute 'calledElement' or 'caseRef'");
        return None;
    };
    let mapping_delegate = ["variableMappingClass", "variableMappingDelegateExpression"]
        .iter()
        .find_map(|name| node.camunda(name));
    if let Some(name) = mapping_delegate {
        let message = format!(
            "the variable mapping '{name}' of '{id}' cannot be called and fails when it is reached: use camunda:in and camunda:out"
        );
        builder.problems.warn(node, message);
    }
    let version = |builder: &mut Builder<'_>, name: &str| {
        let expression = builder.problems.attribute(node, name);
        if expression.is_none() {
            builder
                .problems
                .error(node, format!("Missing attribute '{name}' for its binding"));
        }
        expression
    };
    let binding = match node.camunda("calledElementBinding") {
        None | Some("latest") => Binding::Latest,
        Some("deployment") => Binding::Deployment,
        Some("version") => Binding::Version(version(builder, "calledElementVersion")?),
        Some("versionTag") => Binding::VersionTag(version(builder, "calledElementVersionTag")?),
        Some(other) => {
            builder
                .problems
                .error(node, format!("Unknown calledElementBinding '{other}'"));
            return None;
        }
    };
    let inputs = extension::mappings(builder, node, "in", id);
    let outputs = extension::mappings(builder, node, "out", id);
    let tenant = builder.problems.attribute(node, "calledElementTenantId");
    Some(CallActivity {
        called,
        binding,
        inputs,
        outputs,
        tenant,
        mapping_delegate: mapping_delegate.map(str::to_owned),
    })
}

/// Whether a node is an event definition of BPMN.
pub(super) fn is_event_definition(node: &Node) -> bool {
    node.ns == Ns::Bpmn && (node.name.ends_with("EventDefinition") || node.name == "eventDefinitionRef")
}
