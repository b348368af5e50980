//! What can be called.

use std::sync::Arc;

use indexmap::IndexMap;

use super::ast::Node;
use super::value::Feel;

/// A function that an expression defines, with the names that it can see.
#[derive(Debug)]
pub struct Function {
    pub(super) parameters: Vec<Arc<str>>,
    pub(super) body: Arc<Node>,
    pub(super) seen: IndexMap<Arc<str>, Feel>,
}
