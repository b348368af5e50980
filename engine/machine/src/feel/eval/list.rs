//! Loops over lists, and filters of them.

use std::sync::Arc;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::{Evaluated, Evaluator, FeelError};
use crate::feel::ast::{Node, Source};
use crate::feel::operator;
use crate::feel::value::Feel;

impl Evaluator<'_> {
    pub(super) fn collect(&mut self, sources: &[(Arc<str>, Source)], body: &Node) -> Evaluated {
        let mut items = Vec::new();
        let complete = self.each(sources, &mut |evaluator| {
            items.push(evaluator.node(body)?);
            Ok(())
        })?;
        Ok(if complete { Feel::list(items) } else { Feel::Null })
    }

    /// Runs once for each combination of the sources' items; false where a source is no list.
    pub(super) fn each(
        &mut self,
        sources: &[(Arc<str>, Source)],
        run: &mut dyn FnMut(&mut Self) -> Result<(), FeelError>,
    ) -> Result<bool, FeelError> {
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
        self.budget
            .spend(usize::try_from(first.abs_diff(last)).unwrap_or(usize::MAX))?;
        let numbers: Box<dyn Iterator<Item = i64>> = match first <= last {
            true => Box::new(first..=last),
            false => Box::new((last..=first).rev()),
        };
        Ok(numbers.map(Feel::whole).collect())
    }

    /// `list[2]`, `list[-1]`, or the items for which a condition holds.
    pub(super) fn filter(&mut self, base: &Node, filter: &Node) -> Evaluated {
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
}
