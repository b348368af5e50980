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
        let mut signal_names = std::collections::HashSet::new();
        for node in root.bpmn("signal") {
            if let Some(name) = node.attribute("name")
                && !signal_names.insert(name)
            {
                problems.error(node, format!("duplicate signal name '{name}'."));
            }
        }
        let messages = named("message", problems);
        let signals = named("signal", problems);
        let mut errors = HashMap::new();
        for node in root.bpmn("error") {
            let Some(id) = node.id() else {
                problems.error(node, "'id' is mandatory on error definition");
                continue;
            };
            let code = node
                .attribute("errorCode")
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
                    let code = node.attribute("escalationCode").filter(|code| !code.is_empty());
                    escalations.insert(id.to_owned(), code.map(str::to_owned));
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
