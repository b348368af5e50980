//! FEEL, the expression language of decisions, in the dialect of Camunda 7.24.
//!
//! An [`Expression`] gives a value; [`UnaryTests`] say whether a value fits the entry of a decision table. Both are
//! parsed once, with their model, and evaluated over a [`Scope`]. What is wrong within an expression (a name that
//! nobody knows, operands that do not fit) is null and no error. Evaluation does no I/O and ends: the symbols and the
//! depth of an expression are limited, and so are the steps of a whole decision ([`Budget`]) and the length of texts
//! and lists.

mod ast;
mod budget;
mod builtin;
mod compare;
mod convert;
mod eval;
mod format;
mod function;
mod lexer;
mod names;
mod operator;
mod parser;
mod property;
mod temporal;
mod test;
mod value;

pub use self::budget::{Budget, FeelError, Scope};
pub use self::temporal::{Moment, TimeOfDay};
pub use self::value::{Bound, Feel, Range};

/// Why a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to parse expression '{source_text}': {reason} at position {position}")]
pub struct SyntaxError {
    /// The text.
    pub source_text: String,
    /// What is wrong.
    pub reason: String,
    /// In bytes, from 0.
    pub position: usize,
}

/// A parsed expression.
#[derive(Clone, Debug)]
pub struct Expression {
    root: ast::Node,
}

impl Expression {
    /// Parses a text. One that is blank gives null.
    ///
    /// # Errors
    /// It is malformed, too long or too deep.
    pub fn parse(source: &str) -> Result<Self, SyntaxError> {
        let root = match source.trim() {
            "" => ast::Node::Literal(Feel::Null),
            _ => parser::expression(source)?,
        };
        Ok(Self { root })
    }

    /// Evaluates it.
    ///
    /// # Errors
    /// A limit is reached, or an assertion does not hold.
    pub fn evaluate(&self, scope: &dyn Scope, budget: &mut Budget) -> Result<Feel, FeelError> {
        eval::Evaluator::new(scope, None, budget).node(&self.root)
    }
}

/// The parsed entry of a decision table's input.
#[derive(Clone, Debug)]
pub struct UnaryTests {
    root: ast::Tests,
}

impl UnaryTests {
    /// Parses a text. `-` and a blank text fit every value.
    ///
    /// # Errors
    /// It is malformed, too long or too deep.
    pub fn parse(source: &str) -> Result<Self, SyntaxError> {
        let root = match source.trim() {
            "" | "-" => ast::Tests::Any,
            _ => parser::tests(source)?,
        };
        Ok(Self { root })
    }

    /// Whether a value fits.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn fit(&self, input: &Feel, scope: &dyn Scope, budget: &mut Budget) -> Result<bool, FeelError> {
        test::fit(&self.root, input, &mut eval::Evaluator::new(scope, Some(input), budget))
    }
}

#[cfg(test)]
mod tests;
