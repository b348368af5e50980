//! Changing where an instance is: modification, restart, migration.

use serde::{Deserialize, Serialize};

use super::VariableInput;
use crate::id::Id;

/// `POST /process-instance/{id}/modification`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Modification {
    /// In their order.
    pub instructions: Vec<Instruction>,
    /// Without calling execution listeners.
    pub skip_custom_listeners: bool,
    /// Without evaluating input and output parameters.
    pub skip_io_mappings: bool,
    /// For the history, where nothing of the instance is left.
    pub reason: Option<String>,
    /// The definition that all instances are of, where the call is for many.
    #[serde(default)]
    pub definition: Option<Id>,
    /// For the log of what users do.
    #[serde(default)]
    pub annotation: Option<String>,
}

/// One step of a modification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Instruction {
    /// `cancel` with `activityId`: all instances of the activity.
    CancelActivity(String),
    /// `cancel` with `activityInstanceId`.
    CancelActivityInstance(Id),
    /// `cancel` with `transitionInstanceId`.
    CancelTransitionInstance(Id),
    /// `startBeforeActivity`, `startAfterActivity`, `startTransition`
    Start(StartAt),
}

/// A token that is put somewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StartAt {
    /// Where.
    pub point: StartPoint,
    /// `ancestorActivityInstanceId`: the scope instance that it is put into.
    pub ancestor: Option<Id>,
    /// Set where they exist, else on the instance.
    pub variables: Vec<VariableInput>,
    /// Set on the execution that enters the activity.
    pub local_variables: Vec<VariableInput>,
}

/// Where a token is put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StartPoint {
    /// Before an activity.
    Before(String),
    /// After an activity: on its only outgoing flow.
    After(String),
    /// On a sequence flow.
    Transition(String),
}

/// `POST /process-definition/{id}/restart`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Restart {
    /// The definition that all instances are of.
    pub definition: Id,
    /// Where to start.
    pub at: Vec<StartAt>,
    /// With the variables that the instance began with, not those that it ended with.
    pub initial_variables: bool,
    /// Without the business key.
    pub without_business_key: bool,
    /// Without calling execution listeners.
    pub skip_custom_listeners: bool,
    /// Without evaluating input and output parameters.
    pub skip_io_mappings: bool,
}
