//! Messages, signals, errors and escalations of a file, by their ids.

use std::collections::HashMap;

use super::super::xml::Node;
use super::problems::Problems;
use crate::expression::Expression;

pub(super) struct Definitions {
    pub(super) target_namespace: Option<String>,
    pub(super) messages: HashMap<String, Option<Expression>>,
    pub(super) signals: HashMap<String, Option<Expression>>,
    pub(super) errors: HashMap<String, ErrorRow>,
    pub(super) escalations: HashMap<String, Option<String>>,
}

#[derive(Clone)]
pub(super) struct ErrorRow {
    pub(super) code: Option<Expression>,
    pub(super) message: Option<Expression>,
}

impl Definitions {
    pub(super) fn read(root: &Node, problems: &mut Problems) -> Self {
        let named = |name: &str, problems: &mut Problems| {
            let mut rows = HashMap::new();
            for node in root.bpmn(name) {
                match node.id() {
                    Some(id) => {
                        let text = node.attribute("name").filter(|text| !text.is_empty());
                        rows.insert(id.to_owned(), text.and_then(|text| problems.expression(node, text)));
                    }
                    None => problems.error(node, format!("{name} must have an id")),
                }
            }
            rows
        };
        let messages = named("message", problems);
        let signals = named("signal", problems);
        let mut errors = HashMap::new();
        for node in root.bpmn("error") {
            let Some(id) = node.id() else {
                problems.error(node, "'id' is mandatory on error definition");
                continue;
            };
            let code = node.attribute("errorCode");
            if code == Some("") {
                problems.error(
                    node,
                    "'errorCode' is mandatory on errors referenced by throwing error event definitions",
                );
            }
            let code = code
                .filter(|code| !code.is_empty())
                .and_then(|code| problems.expression(node, code));
            errors.insert(
                id.to_owned(),
                ErrorRow {
                    code,
                    message: problems.attribute(node, "errorMessage"),
                },
            );
        }
        let mut escalations = HashMap::new();
        for node in root.bpmn("escalation") {
            match node.id() {
                Some(id) => {
                    escalations.insert(id.to_owned(), node.attribute("escalationCode").map(str::to_owned));
                }
                None => problems.error(node, "escalation must have an id"),
            }
        }
        Self {
            target_namespace: root.attribute("targetNamespace").map(str::to_owned),
            messages,
            signals,
            errors,
            escalations,
        }
    }
}
