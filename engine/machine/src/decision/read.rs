//! The reader: XML tree to compiled decisions.

use std::collections::HashMap;
use std::sync::Arc;

use super::language::{Broken, Code, Language};
use super::model::{Decision, DecisionFile, Logic};
use super::read_table;
use super::types::TypeRef;
use super::{ParsedDecisions, model};
use crate::error::Problem;
use crate::model::read::time_to_live;
use crate::model::xml::{self, Node, Ns, Place};

/// More are not listed.
const WARNINGS_MAX: usize = 100;

/// Decisions that each require the next.
const CHAIN_MAX: usize = 100;

pub(super) type Read<T> = Result<T, Box<Problem>>;

/// What is known while a file is read.
pub(super) struct Reader {
    language: Language,
    warnings: Vec<Problem>,
    /// The decision that is being read.
    owner: String,
}

pub(super) fn problem(owner: Option<&str>, place: Place, message: impl Into<String>) -> Box<Problem> {
    Box::new(Problem {
        message: message.into(),
        line: place.line,
        column: place.column,
        main_element: owner.map(str::to_owned),
        elements: owner.map(str::to_owned).into_iter().collect(),
    })
}

impl Reader {
    pub(super) fn error(&self, node: &Node, message: impl Into<String>) -> Box<Problem> {
        problem(Some(&self.owner), node.place, message)
    }

    fn warn(&mut self, node: &Node, message: String) {
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(*self.error(node, message));
        }
    }

    /// The language of an element.
    ///
    /// # Errors
    /// It is neither FEEL nor JUEL.
    pub(super) fn language(&self, node: &Node) -> Read<Language> {
        let Some(name) = node
            .attribute("expressionLanguage")
            .filter(|name| !name.trim().is_empty())
        else {
            return Ok(self.language);
        };
        Language::of(name).ok_or_else(|| {
            let message = format!("the expression language '{name}' is not executed: write it in FEEL or JUEL");
            self.error(node, message)
        })
    }

    pub(super) fn code(&mut self, node: &Node, text: &str) -> Read<Code> {
        let code = Code::parse(self.language(node)?, text);
        if let Code::Broken(broken) = &code {
            self.warn_of(node, broken);
        }
        Ok(code)
    }

    /// What cannot be parsed fails only when it is reached, as in Camunda.
    pub(super) fn warn_of(&mut self, node: &Node, broken: &Broken) {
        let message = format!("{}: this fails when it is reached", broken.reason());
        self.warn(node, message);
    }
}

/// The text of a `text` child.
pub(super) fn text(node: &Node) -> &str {
    node.dmn("text").next().map_or("", |text| text.text.as_str())
}

pub(super) fn read(bytes: &[u8]) -> Read<ParsedDecisions> {
    let root = xml::read(bytes).map_err(|error| problem(None, error.place, error.message))?;
    if root.ns != Ns::Dmn || root.name != "definitions" {
        let message = format!(
            "the root element is '{}', not 'definitions' of DMN 1.1 to 1.5",
            root.name
        );
        return Err(problem(None, root.place, message));
    }
    let key = root
        .id()
        .ok_or_else(|| problem(None, root.place, "'definitions' has no id"))?;
    let mut reader = Reader {
        language: Language::Feel,
        warnings: Vec::new(),
        owner: key.to_owned(),
    };
    reader.language = reader.language(&root)?;
    let mut decisions = Vec::new();
    let mut nodes = Vec::new();
    for node in root.dmn("decision") {
        if let Some(decision) = decision(&mut reader, node)? {
            if decisions.iter().any(|other: &Decision| other.key == decision.key) {
                return Err(reader.error(node, format!("the id '{}' is used more than once", decision.key)));
            }
            decisions.push(decision);
            nodes.push(node);
        }
    }
    require(&reader, &mut decisions, &nodes)?;
    let file = DecisionFile {
        key: key.to_owned(),
        name: root.attribute("name").map(str::to_owned),
        category: root.attribute("namespace").map(str::to_owned),
        decisions,
    };
    Ok(ParsedDecisions {
        file: Arc::new(file),
        warnings: reader.warnings,
    })
}

/// A decision; none where its logic is of a kind that Camunda does not execute.
fn decision(reader: &mut Reader, node: &Node) -> Read<Option<Decision>> {
    let Some(key) = node.id() else {
        return Err(problem(None, node.place, "a decision has no id"));
    };
    key.clone_into(&mut reader.owner);
    let Some(name) = node.attribute("name") else {
        return Err(reader.error(node, format!("the decision '{key}' has no name")));
    };
    let Some(logic) = logic(reader, node)? else {
        let message = format!(
            "the decision '{key}' is neither a decision table nor a literal expression, and is left out, as in Camunda"
        );
        reader.warn(node, message);
        return Ok(None);
    };
    let history_time_to_live =
        time_to_live::parse(node.camunda("historyTimeToLive")).map_err(|message| reader.error(node, message))?;
    Ok(Some(Decision {
        key: key.to_owned(),
        name: name.to_owned(),
        version_tag: node.camunda("versionTag").map(str::to_owned),
        history_time_to_live,
        requires: Vec::new(),
        logic,
        line: node.place.line,
        column: node.place.column,
    }))
}

fn logic(reader: &mut Reader, node: &Node) -> Read<Option<model::Logic>> {
    if let Some(table) = node.dmn("decisionTable").next() {
        return Ok(Some(Logic::Table(read_table::read(reader, table)?)));
    }
    let Some(literal) = node.dmn("literalExpression").next() else {
        return Ok(None);
    };
    let variable = node.dmn("variable").next();
    let Some((variable, name)) = variable.and_then(|variable| Some((variable, variable.attribute("name")?))) else {
        let message = "a literal expression needs a variable with a name, which has its result";
        return Err(reader.error(literal, message));
    };
    Ok(Some(Logic::Literal {
        variable: name.to_owned(),
        kind: TypeRef::of(variable.attribute("typeRef")),
        code: reader.code(literal, text(literal))?,
    }))
}

/// Finds what each decision requires.
fn require(reader: &Reader, decisions: &mut [Decision], nodes: &[&Node]) -> Read<()> {
    let positions: HashMap<String, usize> = decisions
        .iter()
        .enumerate()
        .map(|(position, decision)| (decision.key.clone(), position))
        .collect();
    for (decision, node) in decisions.iter_mut().zip(nodes) {
        for required in node
            .dmn("informationRequirement")
            .flat_map(|node| node.dmn("requiredDecision"))
        {
            let href = required.attribute("href").unwrap_or_default();
            let found = href.strip_prefix('#').and_then(|key| positions.get(key));
            let Some(position) = found else {
                let message = format!(
                    "the decision '{}' requires '{href}', which is no decision of this file that is executed",
                    decision.key
                );
                return Err(reader.error(required, message));
            };
            decision.requires.push(*position);
        }
    }
    let mut lengths = vec![None; decisions.len()];
    for start in 0..decisions.len() {
        chain(decisions, start, &mut lengths, 0).map_err(|()| {
            let message = format!(
                "the decision '{}' requires itself, or others over more than {CHAIN_MAX} steps",
                decisions[start].key
            );
            problem(Some(&decisions[start].key), nodes[start].place, message)
        })?;
    }
    Ok(())
}

/// How many decisions a decision requires one after the other.
fn chain(decisions: &[Decision], at: usize, lengths: &mut [Option<usize>], depth: usize) -> Result<usize, ()> {
    if let Some(known) = lengths[at] {
        return Ok(known);
    }
    if depth > CHAIN_MAX {
        return Err(());
    }
    let mut longest = 0;
    for required in &decisions[at].requires {
        longest = longest.max(1 + chain(decisions, *required, lengths, depth + 1)?);
    }
    if longest > CHAIN_MAX {
        return Err(());
    }
    lengths[at] = Some(longest);
    Ok(longest)
}
