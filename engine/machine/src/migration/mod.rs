//! Migration plans: which activity of one definition becomes which of another, what is the same in both
//! ([`generate`]), and what is wrong with a plan ([`validate`]). Pure functions over two models; how an instance goes
//! along is the core's affair.

mod behaviour;
mod generate;
mod report;
#[cfg(test)]
mod tests;
mod validate;

pub(crate) use self::behaviour::{Scope, compensation_trigger, event_scope, flow_scope, supports_instances};
pub use self::generate::generate;
pub use self::report::{ActivityReport, InstanceReport, InstructionReport};
pub use self::validate::validate;

use crate::model::ProcessModel;

/// One side of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Side<'m> {
    /// The model of the definition.
    pub model: &'m ProcessModel,
    /// The definition's id outside, for what is said of it.
    pub id: &'m str,
}
