//! The evaluation of a syntax tree.

mod call;
mod list;

use std::sync::Arc;

use indexmap::IndexMap;

pub(super) use self::call::Given;
use super::ast::{Binary, Node};
pub(super) use super::budget::{Budget, FeelError, Scope};
use super::function::Function;
use super::value::{Bound, Feel, Range};
use super::{compare, operator, property, test};

/// Expressions and calls within each other.
const DEPTH_MAX: u32 = 200;

pub(super) type Evaluated = Result<Feel, FeelError>;

pub(super) struct Evaluator<'a> {
    scope: &'a dyn Scope,
    input: Option<&'a Feel>,
    pub(super) budget: &'a mut Budget,
    /// Names of loops, contexts and functions, the innermost last.
    local: Vec<(Arc<str>, Feel)>,
    depth: u32,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(scope: &'a dyn Scope, input: Option<&'a Feel>, budget: &'a mut Budget) -> Self {
        Self {
            scope,
            input,
            budget,
            local: Vec::new(),
            depth: 0,
        }
    }

    pub(super) fn node(&mut self, node: &Node) -> Evaluated {
        self.budget.spend(1)?;
        if self.depth >= DEPTH_MAX {
            return Err(FeelError::Limit("an expression calls itself too deeply".to_owned()));
        }
        self.depth += 1;
        let value = self.inner(node);
        self.depth -= 1;
        value
    }

    fn inner(&mut self, node: &Node) -> Evaluated {
        match node {
            Node::Literal(value) => Ok(value.clone()),
            Node::Name(name) => Ok(self.resolve(name).unwrap_or(Feel::Null)),
            Node::Input => Ok(self.input.cloned().unwrap_or(Feel::Null)),
            Node::List(items) => {
                let items = items.iter().map(|item| self.node(item)).collect::<Result<_, _>>()?;
                Ok(Feel::list(items))
            }
            Node::Context(entries) => self.context(entries),
            Node::Range(ends, closed) => {
                let (start, end) = (self.node(&ends.0)?, self.node(&ends.1)?);
                let bound = |value, closed| Bound { value, closed };
                Ok(Feel::Range(Arc::new(Range {
                    start: bound(start, closed[0]),
                    end: bound(end, closed[1]),
                })))
            }
            Node::Negate(operand) => Ok(operator::negate(&self.node(operand)?)),
            Node::Binary(Binary::And, sides) => self.junction(sides, false),
            Node::Binary(Binary::Or, sides) => self.junction(sides, true),
            Node::Binary(binary, sides) => {
                let (left, right) = (self.node(&sides.0)?, self.node(&sides.1)?);
                operator::binary(*binary, &left, &right, self.budget)
            }
            Node::Between(parts) => {
                let (value, low, high) = (self.node(&parts.0)?, self.node(&parts.1)?, self.node(&parts.2)?);
                let low = compare::ordering(&value, &low).map(|order| order.is_ge());
                let high = compare::ordering(&value, &high).map(|order| order.is_le());
                Ok(low.zip(high).map(|(low, high)| low && high).into())
            }
            Node::In(value, tests) => {
                let value = self.node(value)?;
                test::any(tests, &value, self).map(Feel::Boolean)
            }
            Node::InstanceOf(value, wanted) => {
                let found = self.node(value)?;
                let is = match &**wanted {
                    "Any" | "any" => !found.is_null(),
                    wanted => found.type_name() == wanted,
                };
                Ok(Feel::Boolean(is))
            }
            Node::If(parts) => match self.node(&parts.0)? {
                Feel::Boolean(true) => self.node(&parts.1),
                _ => self.node(&parts.2),
            },
            Node::For(sources, body) => self.collect(sources, body),
            Node::Quantified(some, sources, condition) => {
                let mut results = Vec::new();
                self.each(sources, &mut |evaluator| {
                    results.push(evaluator.node(condition)?);
                    Ok(())
                })?;
                Ok(operator::junction(&results, *some))
            }
            Node::Path(base, name) => {
                let base = self.node(base)?;
                Ok(property::of(&base, name))
            }
            Node::Filter(parts) => self.filter(&parts.0, &parts.1),
            Node::Call(name, arguments) => self.call(name, arguments),
            Node::Invoke(function, arguments) => {
                let function = self.node(function)?;
                let arguments = self.arguments(arguments)?;
                self.apply(&function, arguments)
            }
            Node::Function(parameters, body) => Ok(Feel::Function(Arc::new(Function {
                parameters: parameters.clone(),
                body: Arc::clone(body),
                seen: self.local.iter().cloned().collect(),
            }))),
        }
    }

    pub(super) fn resolve(&self, name: &str) -> Option<Feel> {
        let local = self.local.iter().rev().find(|(known, _)| &**known == name);
        match local {
            Some((_, value)) => Some(value.clone()),
            None => self.scope.resolve(name),
        }
    }

    fn with<T>(
        &mut self,
        names: Vec<(Arc<str>, Feel)>,
        run: impl FnOnce(&mut Self) -> Result<T, FeelError>,
    ) -> Result<T, FeelError> {
        let before = self.local.len();
        self.local.extend(names);
        let result = run(self);
        self.local.truncate(before);
        result
    }

    /// `and` and `or` look at their right side only where it matters.
    fn junction(&mut self, sides: &(Node, Node), decisive: bool) -> Evaluated {
        let left = self.node(&sides.0)?;
        if matches!(left, Feel::Boolean(truth) if truth == decisive) {
            return Ok(left);
        }
        let right = self.node(&sides.1)?;
        Ok(operator::junction(&[left, right], decisive))
    }

    /// Each entry sees those before it.
    fn context(&mut self, entries: &[(Arc<str>, Node)]) -> Evaluated {
        self.with(Vec::new(), |evaluator| {
            let mut context = IndexMap::new();
            for (name, node) in entries {
                let value = evaluator.node(node)?;
                evaluator.local.push((Arc::clone(name), value.clone()));
                context.insert(name.to_string(), value);
            }
            Ok(Feel::context(context))
        })
    }
}
