//! Queries: the criteria of a `GET` or of a `POST` query, made into one SELECT.
//!
//! Invariant: no text of a request ever becomes a part of an SQL text. Conditions, columns and orders are `&'static
//! str` by their types; what a request says is bound.

mod params;
mod select;
mod variables;

pub(crate) use self::params::{Criteria, Params, PostParams};
pub(crate) use self::select::{Bound, Select, Stored};
pub(crate) use self::variables::{VariableTable, by_variables, variable_table};
