//! The syntax tree.

use super::datum::Datum;

/// A whole text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Composite {
    /// No expression at all.
    Text(Box<str>),
    /// Exactly one expression and nothing around it: its result keeps its type.
    Single(Node),
    /// Texts and expressions in turn: the result is a text.
    Mixed(Vec<Part>),
}

/// A part of a mixed text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Text(Box<str>),
    Expression(Node),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Literal(Datum),
    Identifier(Box<str>),
    /// `name(…)`, with `prefix:name` in one.
    Function(Box<str>, Vec<Node>),
    /// `base.name` and `base['name']`
    Property(Box<Node>, Box<Node>),
    /// `base.name(…)`
    Method(Box<Node>, Box<str>, Vec<Node>),
    Unary(Unary, Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    Ternary(Box<Node>, Box<Node>, Box<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Not,
    Negate,
    Empty,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}
