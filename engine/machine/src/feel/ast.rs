//! The syntax tree.

use std::sync::Arc;

use super::value::Feel;

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Literal(Feel),
    Name(Arc<str>),
    /// `?`
    Input,
    List(Vec<Node>),
    Context(Vec<(Arc<str>, Node)>),
    Range(Box<(Node, Node)>, [bool; 2]),
    Negate(Box<Node>),
    Binary(Binary, Box<(Node, Node)>),
    /// `x between a and b`
    Between(Box<(Node, Node, Node)>),
    /// `x in …`
    In(Box<Node>, Vec<Test>),
    InstanceOf(Box<Node>, Arc<str>),
    If(Box<(Node, Node, Node)>),
    For(Vec<(Arc<str>, Source)>, Box<Node>),
    /// `some` is true, `every` false.
    Quantified(bool, Vec<(Arc<str>, Source)>, Box<Node>),
    Path(Box<Node>, Arc<str>),
    Filter(Box<(Node, Node)>),
    /// A function by its name.
    Call(Arc<str>, Arguments),
    /// A function that an expression gives.
    Invoke(Box<Node>, Arguments),
    Function(Vec<Arc<str>>, Arc<Node>),
}

#[derive(Clone, Debug)]
pub(super) enum Arguments {
    Positional(Vec<Node>),
    Named(Vec<(Arc<str>, Node)>),
}

/// What a loop goes over.
#[derive(Clone, Debug)]
pub(super) enum Source {
    List(Node),
    /// `1..n`, up or down.
    Span(Node, Node),
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
    Power,
}

/// One test of a value.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// `< 5`
    Compare(Binary, Node),
    /// `[1..5]`
    Range(Box<(Node, Node)>, [bool; 2]),
    /// Any other expression; whether it names the value by `?`.
    Expression(Node, bool),
    /// `not(…)`
    Not(Vec<Test>),
}

/// The entry of a decision table.
#[derive(Clone, Debug)]
pub(super) enum Tests {
    /// Every value fits.
    Any,
    /// `true` or `false` alone: nothing else than the same value fits.
    Exactly(bool),
    /// One of them fits.
    OneOf(Vec<Test>),
}
