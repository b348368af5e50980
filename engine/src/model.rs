//! Reading and judging models without an engine: what `handoff lint` is made of.

pub use handoff_machine::decision::{ParsedDecisions, is_file_of_decisions, parse as parse_decisions};
pub use handoff_machine::error::Problem;
pub use handoff_machine::model::{ParseError, ParsedResource, lint, parse};
