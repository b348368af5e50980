//! The execution: what a command does to the rows, as Camunda 7 would have it.

use crate::Step;
use crate::command::Command;
use crate::env::Env;
use crate::error::MachineError;
use crate::request::Answer;
use crate::view::View;

/// Decides a command.
///
/// # Errors
/// The command is refused, and nothing of it has happened.
pub fn step(view: &dyn View, command: &Command, env: &Env, answers: &[Answer]) -> Result<Step, MachineError> {
    let _ = (view, env, answers);
    Err(MachineError::BadUserRequest(format!(
        "cannot be decided yet: {command:?}"
    )))
}
