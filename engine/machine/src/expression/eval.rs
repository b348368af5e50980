//! The evaluation of a syntax tree.

use std::sync::Arc;

use indexmap::IndexMap;

use super::ast::{Binary, Composite, Node, Part, Unary};
use super::datum::{Datum, HostObject};
use super::{method, operator, spin};
use crate::id::Millis;
use crate::view::ViewError;

/// Why an evaluation failed.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The expression itself: an unknown name, operands that do not fit, a limit.
    #[error("{0}")]
    Failed(String),
    /// A name or a property that nobody knows.
    #[error("{0}")]
    Unknown(String),
    /// A variable could not be read.
    #[error(transparent)]
    View(#[from] ViewError),
}

impl EvalError {
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// Names the expression.
    pub(super) fn within(self, source: &str) -> Self {
        match self {
            Self::Failed(cause) => {
                let what = if cause.starts_with("Unknown method") {
                    "Unknown method used in expression"
                } else {
                    "Error while evaluating expression"
                };
                Self::Failed(format!("{what}: {source}. Cause: {cause}"))
            }
            Self::Unknown(cause) => {
                Self::Unknown(format!("Unknown property used in expression: {source}. Cause: {cause}"))
            }
            view @ Self::View(_) => view,
        }
    }
}

/// What an expression can see.
pub trait Context {
    /// A variable or an object such as `execution`; none where there is no such name.
    ///
    /// # Errors
    /// It could not be read.
    fn resolve(&mut self, name: &str) -> Result<Option<Datum>, EvalError>;

    /// A property of an object; none where it has no such property.
    ///
    /// # Errors
    /// It could not be read.
    fn property(&mut self, object: HostObject, name: &str) -> Result<Option<Datum>, EvalError>;

    /// A method of an object; none where it has no such method for so many arguments.
    ///
    /// # Errors
    /// The method failed.
    fn call(&mut self, object: HostObject, method: &str, arguments: &[Datum]) -> Result<Option<Datum>, EvalError>;

    /// The time of the command.
    fn now(&self) -> Millis;
}

/// What one evaluation may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Nodes visited.
    pub steps: u32,
    /// Bytes of a text, items of a list.
    pub length: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 10_000,
            length: 4 << 20,
        }
    }
}

pub(super) struct Evaluator<'a> {
    context: &'a mut dyn Context,
    limits: Limits,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(context: &'a mut dyn Context, limits: Limits) -> Self {
        Self { context, limits }
    }

    pub(super) fn composite(&mut self, composite: &Composite) -> Result<Datum, EvalError> {
        match composite {
            Composite::Text(text) => Ok(Datum::text(text)),
            Composite::Single(node) => self.node(node),
            Composite::Mixed(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(literal) => text.push_str(literal),
                        Part::Expression(node) => text.push_str(&self.node(node)?.display()),
                    }
                    self.check_length(text.len())?;
                }
                Ok(Datum::text(text))
            }
        }
    }

    fn check_length(&self, length: usize) -> Result<(), EvalError> {
        if length > self.limits.length {
            return Err(EvalError::failed(format!(
                "a value is longer than {}",
                self.limits.length
            )));
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), EvalError> {
        match self.limits.steps.checked_sub(1) {
            Some(left) => {
                self.limits.steps = left;
                Ok(())
            }
            None => Err(EvalError::failed("the expression takes too many steps")),
        }
    }

    fn node(&mut self, node: &Node) -> Result<Datum, EvalError> {
        self.step()?;
        match node {
            Node::Literal(literal) => Ok(literal.clone()),
            Node::Identifier(name) => match self.context.resolve(name)? {
                Some(datum) => Ok(datum),
                None => Err(EvalError::Unknown(format!("Cannot resolve identifier '{name}'"))),
            },
            Node::Function(name, arguments) => {
                let arguments = self.arguments(arguments)?;
                self.function(name, &arguments)
            }
            Node::Property(base, name) => {
                let base = self.node(base)?;
                let name = self.node(name)?;
                self.property(&base, &name)
            }
            Node::Method(base, name, arguments) => {
                let base = self.node(base)?;
                let arguments = self.arguments(arguments)?;
                let result = match &base {
                    Datum::Host(object) => self.context.call(*object, name, &arguments)?,
                    Datum::Json(json) => spin::call(json, name, &arguments)?,
                    other => method::call(other, name, &arguments, self.limits.length)?,
                };
                result.ok_or_else(|| {
                    EvalError::failed(format!(
                        "Unknown method used: '{name}' with {} argument(s) on {}",
                        arguments.len(),
                        base.type_name()
                    ))
                })
            }
            Node::Unary(unary, operand) => {
                let operand = self.node(operand)?;
                match unary {
                    Unary::Not => Ok(Datum::Boolean(!operator::truth(&operand)?)),
                    Unary::Negate => operator::negate(&operand),
                    Unary::Empty => Ok(Datum::Boolean(operator::is_empty(&operand))),
                }
            }
            Node::Binary(Binary::And, left, right) => {
                let truth = operator::truth(&self.node(left)?)? && operator::truth(&self.node(right)?)?;
                Ok(Datum::Boolean(truth))
            }
            Node::Binary(Binary::Or, left, right) => {
                let truth = operator::truth(&self.node(left)?)? || operator::truth(&self.node(right)?)?;
                Ok(Datum::Boolean(truth))
            }
            Node::Binary(binary, left, right) => {
                let left = self.node(left)?;
                let right = self.node(right)?;
                operator::binary(*binary, &left, &right)
            }
            Node::Ternary(condition, yes, no) => {
                let truth = operator::truth(&self.node(condition)?)?;
                self.node(if truth { yes } else { no })
            }
        }
    }

    fn arguments(&mut self, nodes: &[Node]) -> Result<Vec<Datum>, EvalError> {
        nodes.iter().map(|node| self.node(node)).collect()
    }

    fn function(&mut self, name: &str, arguments: &[Datum]) -> Result<Datum, EvalError> {
        match (name, arguments) {
            ("now" | "dateTime", []) => Ok(Datum::Date(self.context.now())),
            ("currentUser", []) => Ok(Datum::Null),
            ("currentUserGroups", []) => Ok(Datum::list(Vec::new())),
            ("S" | "JSON" | "spin:S" | "spin:JSON", [value]) => spin::parse(value),
            _ => Err(EvalError::failed(format!("Could not resolve function '{name}'"))),
        }
    }

    fn property(&mut self, base: &Datum, name: &Datum) -> Result<Datum, EvalError> {
        let unknown = || {
            EvalError::Unknown(format!(
                "Unknown property used: '{}' of {}",
                name.display(),
                base.type_name()
            ))
        };
        match base {
            Datum::Null => Ok(Datum::Null),
            Datum::Map(fields) => Ok(fields.get(name.display().as_str()).cloned().unwrap_or(Datum::Null)),
            Datum::List(items) => match operator::index(name)? {
                Some(index) => Ok(items.get(index).cloned().unwrap_or(Datum::Null)),
                None => Err(unknown()),
            },
            Datum::Host(object) => self.context.property(*object, &name.display())?.ok_or_else(unknown),
            Datum::Json(json) => spin::property(json, &name.display()).ok_or_else(unknown),
            other => method::property(other, &name.display()).ok_or_else(unknown),
        }
    }
}

/// A context of plain values: for what has no execution, such as a start timer, and for tests.
impl Context for (Millis, &IndexMap<String, Datum>) {
    fn resolve(&mut self, name: &str) -> Result<Option<Datum>, EvalError> {
        Ok(self.1.get(name).cloned())
    }

    fn property(&mut self, _: HostObject, _: &str) -> Result<Option<Datum>, EvalError> {
        Ok(None)
    }

    fn call(&mut self, _: HostObject, _: &str, _: &[Datum]) -> Result<Option<Datum>, EvalError> {
        Ok(None)
    }

    fn now(&self) -> Millis {
        self.0
    }
}

/// Shares a list between data.
impl From<Vec<Datum>> for Datum {
    fn from(items: Vec<Datum>) -> Self {
        Self::List(Arc::new(items))
    }
}
