//! The evaluation of a syntax tree.

use std::sync::Arc;

use indexmap::IndexMap;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::ast::{Arguments, Binary, Node, Source};
use super::value::{Bound, Feel, Range};
use super::{builtin, compare, names, operator, property, test};
use crate::id::Millis;

/// Expressions and calls within each other.
const DEPTH_MAX: u32 = 200;

/// Why an evaluation ended without a value. Everything else that goes wrong is null.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeelError {
    /// A limit was reached.
    #[error("{0}")]
    Limit(String),
    /// `assert(…)` did not hold.
    #[error("{0}")]
    Assertion(String),
}

/// What an expression can see.
pub trait Scope {
    /// A variable; none where there is no such name.
    fn resolve(&self, name: &str) -> Option<Feel>;
}

impl Scope for IndexMap<String, Feel> {
    fn resolve(&self, name: &str) -> Option<Feel> {
        self.get(name).cloned()
    }
}

/// What evaluations may use, and the time they see. One budget is for a whole decision, with all that it requires.
#[derive(Clone, Debug)]
pub struct Budget {
    steps: u32,
    /// Bytes of a text, items of a list.
    length: usize,
    pub(super) now: Millis,
    /// Where random numbers begin: the machine has no source of its own.
    pub(super) seed: u64,
}

impl Budget {
    /// At most so many steps; `now()` and `today()` are of `now`, and random numbers come from `seed`.
    #[must_use]
    pub fn new(steps: u32, now: Millis, seed: u64) -> Self {
        Self {
            steps,
            length: 1 << 20,
            now,
            seed,
        }
    }

    /// Takes so many steps.
    ///
    /// # Errors
    /// They are used up.
    pub fn spend(&mut self, steps: usize) -> Result<(), FeelError> {
        let left = u32::try_from(steps).ok().and_then(|steps| self.steps.checked_sub(steps));
        self.steps = left.unwrap_or(0);
        left.map(drop)
            .ok_or_else(|| FeelError::Limit("the decision takes too many steps".to_owned()))
    }

    /// Takes the length of a text or a list; it costs steps too.
    pub(super) fn check_length(&mut self, length: usize) -> Result<(), FeelError> {
        if length > self.length {
            return Err(FeelError::Limit(format!("a value is longer than {}", self.length)));
        }
        self.spend(length / 16)
    }
}

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
            Node::Function(parameters, body) => Ok(Feel::Function(Arc::new(super::function::Function {
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

    fn with<T>(&mut self, names: Vec<(Arc<str>, Feel)>, run: impl FnOnce(&mut Self) -> Result<T, FeelError>) -> Result<T, FeelError> {
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

    fn collect(&mut self, sources: &[(Arc<str>, Source)], body: &Node) -> Evaluated {
        let mut items = Vec::new();
        let complete = self.each(sources, &mut |evaluator| {
            items.push(evaluator.node(body)?);
            Ok(())
        })?;
        Ok(if complete { Feel::list(items) } else { Feel::Null })
    }

    /// Runs once for each combination of the sources' items; false where a source is no list.
    fn each(&mut self, sources: &[(Arc<str>, Source)], run: &mut dyn FnMut(&mut Self) -> Result<(), FeelError>) -> Result<bool, FeelError> {
        let Some(((name, source), rest)) = sources.split_first() else {
            run(self)?;
            return Ok(true);
        };
        let items = match source {
            Source::List(node) => match self.node(node)? {
                Feel::List(items) => items,
                Feel::Range(range) => match (&range.start.value, &range.end.value) {
                    (Feel::Number(from), Feel::Number(to)) => Arc::new(self.span(*from, *to)?),
                    _ => return Ok(false),
                },
                _ => return Ok(false),
            },
            Source::Span(from, to) => match (self.node(from)?, self.node(to)?) {
                (Feel::Number(from), Feel::Number(to)) => Arc::new(self.span(from, to)?),
                _ => return Ok(false),
            },
        };
        for item in items.iter() {
            self.budget.spend(1)?;
            let complete = self.with(vec![(Arc::clone(name), item.clone())], |inner| inner.each(rest, run))?;
            if !complete {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The whole numbers from one to another.
    fn span(&mut self, from: Decimal, to: Decimal) -> Result<Vec<Feel>, FeelError> {
        let (Some(first), Some(last)) = (from.trunc().to_i64(), to.trunc().to_i64()) else {
            return Ok(Vec::new());
        };
        self.budget.spend(usize::try_from(first.abs_diff(last)).unwrap_or(usize::MAX))?;
        let numbers: Box<dyn Iterator<Item = i64>> = match first <= last {
            true => Box::new(first..=last),
            false => Box::new((last..=first).rev()),
        };
        Ok(numbers.map(Feel::whole).collect())
    }

    /// `list[2]`, `list[-1]`, or the items for which a condition holds.
    fn filter(&mut self, base: &Node, filter: &Node) -> Evaluated {
        let items = match self.node(base)? {
            Feel::List(items) => items,
            _ => return Ok(Feel::Null),
        };
        if let Some(index) = self.index(filter)? {
            return Ok(operator::item(&items, index));
        }
        let mut kept = Vec::new();
        for item in items.iter() {
            let mut names: Vec<(Arc<str>, Feel)> = match item {
                Feel::Context(entries) => entries
                    .iter()
                    .map(|(name, value)| (Arc::from(name.as_str()), value.clone()))
                    .collect(),
                _ => Vec::new(),
            };
            self.budget.spend(names.len())?;
            if !names.iter().any(|(name, _)| &**name == "item") {
                names.push(("item".into(), item.clone()));
            }
            match self.with(names, |inner| inner.node(filter))? {
                Feel::Boolean(true) => kept.push(item.clone()),
                // A variable that holds the position.
                Feel::Number(index) => return Ok(operator::item(&items, index)),
                _ => {}
            }
        }
        Ok(Feel::list(kept))
    }

    fn index(&mut self, filter: &Node) -> Result<Option<Decimal>, FeelError> {
        match filter {
            Node::Literal(Feel::Number(index)) => Ok(Some(*index)),
            Node::Negate(inner) if matches!(**inner, Node::Literal(Feel::Number(_))) => match self.node(filter)? {
                Feel::Number(index) => Ok(Some(index)),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn arguments(&mut self, arguments: &Arguments) -> Result<Given, FeelError> {
        Ok(match arguments {
            Arguments::Positional(nodes) => {
                Given::Positional(nodes.iter().map(|node| self.node(node)).collect::<Result<_, _>>()?)
            }
            Arguments::Named(nodes) => Given::Named(
                nodes
                    .iter()
                    .map(|(name, node)| Ok((Arc::clone(name), self.node(node)?)))
                    .collect::<Result<_, FeelError>>()?,
            ),
        })
    }

    fn call(&mut self, name: &str, arguments: &Arguments) -> Evaluated {
        // These look at what is written, not at what it gives.
        if name == "is defined"
            && let Arguments::Positional(nodes) = arguments
            && let [node] = nodes.as_slice()
        {
            return Ok(Feel::Boolean(!self.node(node)?.is_null()));
        }
        let given = self.arguments(arguments)?;
        if let Some(function @ Feel::Function(_)) = self.resolve(name) {
            return self.apply(&function, given);
        }
        match given.for_builtin(name) {
            Some(values) => builtin::call(name, &values, self),
            None => Ok(Feel::Null),
        }
    }

    /// Calls a function that an expression has defined.
    pub(super) fn apply(&mut self, function: &Feel, given: Given) -> Evaluated {
        let Feel::Function(function) = function else {
            return Ok(Feel::Null);
        };
        let Some(values) = given.for_parameters(&function.parameters) else {
            return Ok(Feel::Null);
        };
        let mut names: Vec<_> = function.seen.iter().map(|(name, value)| (Arc::clone(name), value.clone())).collect();
        self.budget.spend(names.len())?;
        names.extend(function.parameters.iter().cloned().zip(values));
        // A function sees where it was defined, not where it is called.
        let around = std::mem::replace(&mut self.local, names);
        let result = self.node(&function.body);
        self.local = around;
        result
    }
}

/// The arguments of a call.
pub(super) enum Given {
    Positional(Vec<Feel>),
    Named(Vec<(Arc<str>, Feel)>),
}

impl Given {
    fn for_parameters(self, parameters: &[Arc<str>]) -> Option<Vec<Feel>> {
        match self {
            Self::Positional(values) => (values.len() == parameters.len()).then_some(values),
            Self::Named(values) => {
                let find = |name: &Arc<str>| values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
                Some(parameters.iter().map(|name| find(name).unwrap_or(Feel::Null)).collect())
            }
        }
    }

    fn for_builtin(self, function: &str) -> Option<Vec<Feel>> {
        let values = match self {
            Self::Positional(values) => return Some(values),
            Self::Named(values) => values,
        };
        let known = names::parameters(function).iter().find(|names| {
            names.len() == values.len() && names.iter().all(|name| values.iter().any(|(given, _)| &**given == *name))
        })?;
        let find = |name: &&str| values.iter().find(|(given, _)| &**given == *name).map(|(_, value)| value.clone());
        known.iter().map(find).collect()
    }
}
