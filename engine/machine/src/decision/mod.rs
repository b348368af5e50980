//! Decisions: DMN 1.1 to 1.5 as Camunda Modeler writes it, and what Camunda 7.24 makes of it.
//!
//! A file is compiled once ([`parse`]) and a decision of it is evaluated with all that it requires ([`evaluate`]): no
//! I/O, and no more steps than its budget has. What Camunda finds out only when it evaluates (an expression that
//! cannot be parsed) fails here then too, and is a warning before.

mod cell;
mod error;
mod evaluate;
mod hit_policy;
mod language;
mod model;
mod read;
mod read_table;
mod result;
mod scope;
mod table;
mod types;

pub use self::cell::Cell;
pub use self::error::DecisionError;
pub use self::evaluate::{Evaluation, InputValue, OutputValue, evaluate};
pub use self::hit_policy::{Aggregation, HitPolicy};
pub use self::model::{Decision, DecisionFile};
pub use self::result::{DecisionResult, Mapper, MapperError};
pub use self::scope::Variables;

use std::sync::Arc;

use crate::error::Problem;

/// What the name of a DMN file ends with.
const SUFFIXES: [&str; 2] = [".dmn11.xml", ".dmn"];

/// Whether a file holds decisions, by its name.
#[must_use]
pub fn is_file_of_decisions(name: &str) -> bool {
    SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// What a DMN file holds.
#[derive(Debug)]
pub struct ParsedDecisions {
    /// The file.
    pub file: Arc<DecisionFile>,
    /// What is accepted, but worth a word.
    pub warnings: Vec<Problem>,
}

/// Compiles a DMN file.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse(bytes: &[u8]) -> Result<ParsedDecisions, Box<Problem>> {
    read::read(bytes)
}

#[cfg(test)]
mod tests;
