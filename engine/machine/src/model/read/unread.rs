//! What nobody reads: attributes and extensions of Camunda's namespace that have no meaning where they stand, and parts
//! of BPMN that are executed nowhere. Camunda ignores them in silence; here each is a warning.

use super::super::xml::{Node, Ns};
use super::problems::Problems;

/// Attributes that every flow node may have.
const NODE: [&str; 5] = ["async", "asyncBefore", "asyncAfter", "exclusive", "jobPriority"];

/// Extensions that every flow node may have.
const EXTENSIONS: [&str; 4] = [
    "executionListener",
    "inputOutput",
    "properties",
    "failedJobRetryTimeCycle",
];

const FORM: [&str; 5] = [
    "formKey",
    "formRef",
    "formRefBinding",
    "formRefVersion",
    "formHandlerClass",
];

const SERVICE: [&str; 8] = [
    "type",
    "topic",
    "taskPriority",
    "class",
    "delegateExpression",
    "expression",
    "resultVariable",
    "resultVariableName",
];

/// Parts of BPMN that say what is to be done, and are not done by Camunda.
const UNEXECUTED: [&str; 6] = [
    "ioSpecification",
    "dataInputAssociation",
    "dataOutputAssociation",
    "resourceRole",
    "performer",
    "correlationSubscription",
];

/// The attributes of Camunda's namespace that an element reads.
fn attributes(name: &str) -> Vec<&'static str> {
    let own: &[&str] = match name {
        "process" => &[
            "historyTimeToLive",
            "versionTag",
            "isStartableInTasklist",
            "jobPriority",
            "taskPriority",
        ],
        "startEvent" => &["initiator"],
        "userTask" => &[
            "assignee",
            "candidateUsers",
            "candidateGroups",
            "dueDate",
            "followUpDate",
            "priority",
        ],
        "businessRuleTask" => &[
            "decisionRef",
            "decisionRefBinding",
            "decisionRefVersion",
            "decisionRefVersionTag",
            "decisionRefTenantId",
            "mapDecisionResult",
        ],
        "scriptTask" => &["resultVariable", "resultVariableName", "resource"],
        "callActivity" => &[
            "calledElementBinding",
            "calledElementVersion",
            "calledElementVersionTag",
            "calledElementTenantId",
            "caseRef",
            "variableMappingClass",
            "variableMappingDelegateExpression",
        ],
        "multiInstanceLoopCharacteristics" => &["collection", "elementVariable"],
        "errorEventDefinition" => &["errorCodeVariable", "errorMessageVariable"],
        "error" => &["errorMessage"],
        "escalationEventDefinition" => &["escalationCodeVariable"],
        "signalEventDefinition" => &["async"],
        "conditionalEventDefinition" => &["variableName", "variableEvents"],
        "conditionExpression" => &["resource"],
        "property" => &["src", "srcExpr", "dst", "dstExpr", "link", "linkExpr", "type"],
        _ => &[],
    };
    let mut all = own.to_vec();
    if matches!(
        name,
        "serviceTask" | "sendTask" | "businessRuleTask" | "messageEventDefinition"
    ) {
        all.extend(SERVICE);
    }
    if matches!(name, "startEvent" | "userTask") {
        all.extend(FORM);
    }
    if is_flow_node(name) || name == "multiInstanceLoopCharacteristics" {
        all.extend(NODE);
    }
    all
}

/// The extensions that an element reads.
fn extensions(node: &Node) -> Vec<&'static str> {
    let name = node.name.as_str();
    let own: &[&str] = match name {
        "process" => &["executionListener", "properties"],
        "sequenceFlow" => &["executionListener"],
        "startEvent" => &["formData", "formProperty"],
        "userTask" => &["taskListener", "formData", "formProperty"],
        "callActivity" => &["in", "out"],
        "signalEventDefinition" => &["in"],
        "multiInstanceLoopCharacteristics" => &["failedJobRetryTimeCycle"],
        "serviceTask" | "sendTask" | "businessRuleTask" | "messageEventDefinition" => {
            &["field", "connector", "errorEventDefinition"]
        }
        _ => &[],
    };
    let mut all = own.to_vec();
    if is_flow_node(name) {
        all.extend(EXTENSIONS);
    }
    all
}

fn is_flow_node(name: &str) -> bool {
    name.ends_with("Task")
        || name.ends_with("Gateway")
        || (name.ends_with("Event") && name != "messageEvent")
        || matches!(
            name,
            "task" | "subProcess" | "transaction" | "callActivity" | "adHocSubProcess"
        )
}

/// Warns of all in a process that nobody reads.
pub(super) fn warn(problems: &mut Problems, process: &Node) {
    let mut open = vec![(process, process.id().unwrap_or_default())];
    while let Some((node, owner)) = open.pop() {
        let owner = node.id().unwrap_or(owner);
        let known = attributes(&node.name);
        for (_, name, _) in node.attributes.iter().filter(|(ns, _, _)| *ns == Ns::Camunda) {
            if !known.contains(&name.as_str()) {
                let message = format!(
                    "camunda:{name} has no meaning on {} and is ignored, as in Camunda",
                    node.name
                );
                problems.warn_in(owner, node, message);
            }
        }
        let known = extensions(node);
        for extension in node
            .bpmn("extensionElements")
            .flat_map(|extensions| &extensions.children)
        {
            if extension.ns == Ns::Camunda && !known.contains(&extension.name.as_str()) {
                let message = format!(
                    "camunda:{} has no meaning in {} and is ignored, as in Camunda",
                    extension.name, node.name
                );
                problems.warn_in(owner, extension, message);
            }
        }
        for child in node.children.iter().filter(|child| child.ns == Ns::Bpmn) {
            let property = child.name == "property" && node.name != "userTask";
            if property || UNEXECUTED.contains(&child.name.as_str()) {
                let message = format!("{} is not executed and ignored, as in Camunda", child.name);
                problems.warn_in(owner, child, message);
            } else if child.name != "extensionElements" {
                open.push((child, owner));
            }
        }
    }
}
