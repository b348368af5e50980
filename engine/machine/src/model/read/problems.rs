//! What is wrong with a file.

use std::collections::HashSet;

use super::super::xml::{Node, Ns};
use super::super::{ParseError, ParsedResource};
use crate::error::Problem;
use crate::expression::Expression;

/// More are not listed.
const PROBLEMS_MAX: usize = 100;

#[derive(Default)]
pub(super) struct Problems {
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
    malformed: Option<String>,
}

fn problem(node: &Node, message: String) -> Problem {
    let element = node.id().map(str::to_owned);
    Problem {
        message,
        line: node.place.line,
        column: node.place.column,
        elements: element.clone().into_iter().collect(),
        main_element: element,
    }
}

impl Problems {
    pub(super) fn error(&mut self, node: &Node, message: impl Into<String>) {
        if self.errors.len() < PROBLEMS_MAX {
            self.errors.push(problem(node, message.into()));
        }
    }

    /// Of a part of an element that has no id of its own.
    pub(super) fn error_in(&mut self, element: &str, node: &Node, message: impl Into<String>) {
        if self.errors.len() < PROBLEMS_MAX {
            let mut problem = problem(node, message.into());
            problem.main_element = Some(element.to_owned());
            problem.elements = vec![element.to_owned()];
            self.errors.push(problem);
        }
    }

    pub(super) fn warn(&mut self, node: &Node, message: impl Into<String>) {
        if self.warnings.len() < PROBLEMS_MAX {
            self.warnings.push(problem(node, message.into()));
        }
    }

    /// Of a part of an element that has no id of its own.
    pub(super) fn warn_in(&mut self, element: &str, node: &Node, message: impl Into<String>) {
        if self.warnings.len() < PROBLEMS_MAX {
            let mut problem = problem(node, message.into());
            problem.main_element = Some(element.to_owned());
            problem.elements = vec![element.to_owned()];
            self.warnings.push(problem);
        }
    }

    pub(super) fn push_error(&mut self, problem: Problem) {
        if self.errors.len() < PROBLEMS_MAX {
            self.errors.push(problem);
        }
    }

    pub(super) fn push_warning(&mut self, problem: Problem) {
        if self.warnings.len() < PROBLEMS_MAX {
            self.warnings.push(problem);
        }
    }

    /// Refuses what would change a token's path and is not executed.
    pub(super) fn unsupported(&mut self, node: &Node, what: &str, remedy: &str) {
        self.error(node, format!("{what} is not executed: {remedy}"));
    }

    pub(super) fn expression(&mut self, node: &Node, text: &str) -> Option<Expression> {
        match Expression::parse(text) {
            Ok(expression) => Some(expression),
            Err(error) => {
                if self.malformed.is_none() {
                    self.malformed = Some(format!(
                        "{error} | line {} | column {}",
                        node.place.line, node.place.column
                    ));
                }
                None
            }
        }
    }

    /// A refusal that Camunda makes by an exception of its own kind.
    pub(super) fn malformed(&mut self, node: &Node, message: String) {
        if self.malformed.is_none() {
            self.malformed = Some(format!(
                "{message} | line {} | column {}",
                node.place.line, node.place.column
            ));
        }
    }

    /// An attribute of Camunda's that may hold an expression.
    pub(super) fn attribute(&mut self, node: &Node, name: &str) -> Option<Expression> {
        node.camunda(name).and_then(|text| self.expression(node, text))
    }

    /// A priority: a number, or an expression that gives one.
    pub(super) fn priority(&mut self, node: &Node, name: &str) -> Option<Expression> {
        let text = node.camunda(name)?;
        if !text.contains(['$', '#']) && text.parse::<i32>().is_err() {
            let message = format!("Value '{text}' for attribute '{name}' is not a valid number");
            self.error(node, message);
            return None;
        }
        self.expression(node, text)
    }

    /// Ids are unique in a file.
    pub(super) fn check_ids(&mut self, root: &Node) {
        let mut seen = HashSet::new();
        let mut open = vec![root];
        while let Some(node) = open.pop() {
            if node.ns == Ns::Bpmn
                && let Some(id) = node.id()
                && !seen.insert(id)
            {
                self.error(node, format!("the id '{id}' is used more than once"));
            }
            open.extend(node.children.iter().rev());
        }
    }

    pub(super) fn into_error(self) -> ParseError {
        match self.malformed {
            Some(message) => ParseError::Malformed(message),
            None => ParseError::Refused(self.errors, self.warnings),
        }
    }

    pub(super) fn finish(self, parsed: ParsedResource) -> Result<ParsedResource, ParseError> {
        if self.errors.is_empty() && self.malformed.is_none() {
            Ok(ParsedResource {
                warnings: self.warnings,
                ..parsed
            })
        } else {
            Err(self.into_error())
        }
    }
}
