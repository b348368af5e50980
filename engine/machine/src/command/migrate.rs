//! Migration: running instances go on by another process definition.

use serde::{Deserialize, Serialize};

use super::VariableInput;
use crate::id::Id;

/// `POST /migration/execute`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Migration {
    /// The definition that the instances are of.
    pub source: Id,
    /// The definition that they go on by.
    pub target: Id,
    /// What becomes what. The plan is valid: [`crate::migration::validate`] has no reports.
    pub instructions: Vec<MigratingInstruction>,
    /// Set on the instance when it has migrated.
    pub variables: Vec<VariableInput>,
    /// Without calling execution listeners.
    pub skip_custom_listeners: bool,
    /// Without evaluating input and output parameters.
    pub skip_io_mappings: bool,
}

/// One activity that becomes another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigratingInstruction {
    /// The id of the activity in the source.
    pub source: String,
    /// The id of the activity in the target.
    pub target: String,
    /// The message, signal, condition or due date is that of the target from now on.
    pub update_event_trigger: bool,
}
