//! JUEL, the expression language of BPMN models: `${…}`, `#{…}`, and text around them.
//!
//! An [`Expression`] is parsed once, with its model, and evaluated over a [`Context`], which knows the variables and
//! the objects (`execution`, `task`, …) of the place. Evaluation does no I/O and ends: the depth of an expression and
//! the steps, the length of texts and of lists of an evaluation are limited.

mod ast;
mod convert;
mod datum;
mod decision_result;
mod eval;
mod lexer;
mod method;
mod operator;
mod parser;
mod spin;

pub use self::datum::{Datum, HostObject};
pub use self::eval::{Context, EvalError, Limits};
pub(crate) use self::method::decapitalise;

use crate::value::Value;

/// Why a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Error while parsing '{source_text}': {reason} at position {position}")]
pub struct SyntaxError {
    /// The text.
    pub source_text: String,
    /// What is wrong.
    pub reason: String,
    /// In bytes, from 0.
    pub position: usize,
}

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    source: Box<str>,
    root: ast::Composite,
}

impl Expression {
    /// Parses a text, which may hold no, one or several expressions.
    ///
    /// # Errors
    /// An expression in it is malformed or too deep.
    pub fn parse(source: &str) -> Result<Self, SyntaxError> {
        Ok(Self {
            source: source.into(),
            root: parser::parse(source)?,
        })
    }

    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Text without an expression in it, or none where it is one.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match &self.root {
            ast::Composite::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The identifier of `${identifier}`: how a model names a delegate.
    #[must_use]
    pub fn identifier(&self) -> Option<&str> {
        match &self.root {
            ast::Composite::Single(ast::Node::Identifier(name)) => Some(name),
            _ => None,
        }
    }

    /// Evaluates it. Text around expressions makes the result a text.
    ///
    /// # Errors
    /// A name, property or method is unknown, operands do not fit, or a limit is reached.
    pub fn evaluate(&self, context: &mut dyn Context) -> Result<Datum, EvalError> {
        eval::Evaluator::new(context, Limits::default())
            .composite(&self.root)
            .map_err(|error| error.within(&self.source))
    }

    /// Evaluates it to a value as a process variable holds it.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn value(&self, context: &mut dyn Context) -> Result<Value, EvalError> {
        Ok(self.evaluate(context)?.into_value())
    }

    /// Evaluates it to a text; null is none.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn text(&self, context: &mut dyn Context) -> Result<Option<String>, EvalError> {
        if let Some(text) = self.literal() {
            return Ok(Some(text.to_owned()));
        }
        Ok(self.evaluate(context)?.into_text())
    }

    /// Evaluates a condition.
    ///
    /// # Errors
    /// As [`Self::evaluate`], and where the result is not a boolean.
    pub fn condition(&self, context: &mut dyn Context) -> Result<bool, EvalError> {
        match self.evaluate(context)? {
            Datum::Boolean(truth) => Ok(truth),
            Datum::Null => Err(EvalError::Failed(format!(
                "condition expression returns null: {}",
                self.source
            ))),
            _ => Err(EvalError::Failed(format!(
                "condition expression returns non-Boolean: {}",
                self.source
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
