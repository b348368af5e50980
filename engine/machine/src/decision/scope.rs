//! What a decision's expressions see: the results of decisions before it, the inputs of its rules, and variables.

use std::cell::RefCell;
use std::collections::HashMap;

use super::cell::Cell;
use super::error::DecisionError;
use crate::expression::{Context, Datum, EvalError, Expression, HostObject};
use crate::feel::{Budget, Feel, FeelError, Scope};
use crate::id::Millis;
use crate::value::Value;
use crate::view::{Seen, ViewError};

/// The variables outside.
pub trait Variables {
    /// A variable's value; none where there is no such one.
    ///
    /// # Errors
    /// It could not be read.
    fn value(&mut self, name: &str) -> Seen<Option<Value>>;
}

impl Variables for &[(String, Value)] {
    fn value(&mut self, name: &str) -> Seen<Option<Value>> {
        Ok(self
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone()))
    }
}

/// All that is around an expression.
pub(super) struct Surroundings<'v> {
    names: Names<'v>,
    pub(super) budget: &'v mut Budget,
    now: Millis,
}

struct Names<'v> {
    cells: HashMap<String, Cell>,
    variables: RefCell<&'v mut dyn Variables>,
    /// Variables that have been read, as FEEL has them.
    read: RefCell<HashMap<String, Option<Feel>>>,
    failure: RefCell<Option<ViewError>>,
}

impl Scope for Names<'_> {
    fn resolve(&self, name: &str) -> Option<Feel> {
        if let Some(cell) = self.cells.get(name) {
            return Some(cell.feel.clone());
        }
        if let Some(known) = self.read.borrow().get(name) {
            return known.clone();
        }
        let value = match self.variables.borrow_mut().value(name) {
            Ok(value) => value.as_ref().map(Feel::from),
            Err(error) => {
                *self.failure.borrow_mut() = Some(error);
                None
            }
        };
        self.read.borrow_mut().insert(name.to_owned(), value.clone());
        value
    }
}

impl<'v> Surroundings<'v> {
    pub(super) fn new(variables: &'v mut dyn Variables, budget: &'v mut Budget, now: Millis) -> Self {
        Self {
            names: Names {
                cells: HashMap::new(),
                variables: RefCell::new(variables),
                read: RefCell::default(),
                failure: RefCell::default(),
            },
            budget,
            now,
        }
    }

    /// Gives a name to a value; what had the name before.
    pub(super) fn put(&mut self, name: &str, cell: Cell) -> Option<Cell> {
        self.names.cells.insert(name.to_owned(), cell)
    }

    /// Takes a name back, or gives it to what had it before.
    pub(super) fn restore(&mut self, name: &str, before: Option<Cell>) {
        match before {
            Some(cell) => self.names.cells.insert(name.to_owned(), cell),
            None => self.names.cells.remove(name),
        };
    }

    pub(super) fn feel<T>(
        &mut self,
        evaluate: impl FnOnce(&dyn Scope, &mut Budget) -> Result<T, FeelError>,
    ) -> Result<T, DecisionError> {
        let value = evaluate(&self.names, self.budget);
        match self.names.failure.take() {
            Some(error) => Err(error.into()),
            None => Ok(value?),
        }
    }

    pub(super) fn juel(&mut self, expression: &Expression) -> Result<Datum, DecisionError> {
        expression.evaluate(self).map_err(|error| match error {
            EvalError::Failed(reason) | EvalError::Unknown(reason) => DecisionError::juel(expression.source(), reason),
            EvalError::View(error) => error.into(),
        })
    }
}

impl Context for Surroundings<'_> {
    fn resolve(&mut self, name: &str) -> Result<Option<Datum>, EvalError> {
        if let Some(cell) = self.names.cells.get(name) {
            return Ok(Some(cell.to_datum()));
        }
        let value = self.names.variables.get_mut().value(name)?;
        Ok(value.as_ref().map(Datum::from))
    }

    fn property(&mut self, _: HostObject, _: &str) -> Result<Option<Datum>, EvalError> {
        Ok(None)
    }

    fn call(&mut self, _: HostObject, _: &str, _: &[Datum]) -> Result<Option<Datum>, EvalError> {
        Ok(None)
    }

    fn now(&self) -> Millis {
        self.now
    }
}
