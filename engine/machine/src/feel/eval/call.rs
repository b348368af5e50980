//! Calls of functions.

use std::sync::Arc;

use super::{Evaluated, Evaluator, FeelError};
use crate::feel::ast::Arguments;
use crate::feel::value::Feel;
use crate::feel::{builtin, names};

impl Evaluator<'_> {
    pub(super) fn arguments(&mut self, arguments: &Arguments) -> Result<Given, FeelError> {
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

    pub(super) fn call(&mut self, name: &str, arguments: &Arguments) -> Evaluated {
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
    pub(in crate::feel) fn apply(&mut self, function: &Feel, given: Given) -> Evaluated {
        let Feel::Function(function) = function else {
            return Ok(Feel::Null);
        };
        let Some(values) = given.for_parameters(&function.parameters) else {
            return Ok(Feel::Null);
        };
        let mut names: Vec<_> = function
            .seen
            .iter()
            .map(|(name, value)| (Arc::clone(name), value.clone()))
            .collect();
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
pub(in crate::feel) enum Given {
    Positional(Vec<Feel>),
    Named(Vec<(Arc<str>, Feel)>),
}

impl Given {
    fn for_parameters(self, parameters: &[Arc<str>]) -> Option<Vec<Feel>> {
        match self {
            Self::Positional(values) => (values.len() == parameters.len()).then_some(values),
            Self::Named(values) => {
                let find = |name: &Arc<str>| {
                    values
                        .iter()
                        .find(|(known, _)| known == name)
                        .map(|(_, value)| value.clone())
                };
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
            names.len() == values.len()
                && names
                    .iter()
                    .all(|name| values.iter().any(|(given, _)| &**given == *name))
        })?;
        let find = |name: &&str| {
            values
                .iter()
                .find(|(given, _)| &**given == *name)
                .map(|(_, value)| value.clone())
        };
        known.iter().map(find).collect()
    }
}
