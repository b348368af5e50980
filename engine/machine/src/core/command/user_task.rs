//! Commands on user tasks.

use crate::command::VariableInput;
use crate::core::halt::{Halt, Run};
use crate::core::work::Work;
use crate::error::MachineError;
use crate::id::Id;

impl Work<'_> {
    pub(super) fn complete_task(&mut self, id: Id, variables: &[VariableInput]) -> Run<()> {
        let text = self.text(id);
        let Some(task) = self.task(id)?.cloned() else {
            // Camunda has no status of its own for this.
            return Err(MachineError::NotFound {
                kind: crate::error::Entity::Task,
                message: format!("Cannot find task with id {text}: task is null"),
            }
            .into());
        };
        if task.suspended {
            return Err(Halt::Error(MachineError::Suspended(format!(
                "ENGINE-03043 task with id '{text}' is suspended."
            ))));
        }
        self.attempt(|work| {
            work.set_variables(task.execution, variables)?;
            work.complete_user_task(id)
        })?;
        self.run_agenda()
    }
}
