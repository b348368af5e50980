//! The second half: completes the task that Inventory's process was started for.

use handoff_sdk::tasks::{self, Ending};
use handoff_sdk::{BpmnError, Completion, Execution, Result, TaskRef, log};

use crate::{TASK_ENGINE, TASK_ID};

/// The BPMN error of an instance that was started for a task which somebody else had ended: it has nothing to do.
/// Where the process model does not catch it, the engine ends the instance.
const DUPLICATE: &str = "DUPLICATE";

#[handoff_sdk::delegate]
fn complete_external_task(execution: Execution) -> Result<()> {
    let task = TaskRef::new(execution.get::<String>(TASK_ENGINE)?, execution.get::<String>(TASK_ID)?);
    let ending = tasks::complete(&task, &Completion::new())?;
    log::info!(
        task = task.id,
        instance = execution.process_instance_id,
        attempt = execution.attempt,
        ending:? = ending;
        "asked to complete Order Management's task"
    );
    judge(ending, execution.attempt, &task)
}

/// A task that is gone was completed by this very instance, if it tried before: then its engine lost the commit that
/// followed. In the first attempt somebody else ended the task, and this instance is a duplicate.
fn judge(ending: Ending, attempt: u32, task: &TaskRef) -> Result<()> {
    match ending {
        Ending::Completed => Ok(()),
        Ending::Gone if attempt > 1 => Ok(()),
        Ending::Gone => Err(BpmnError::new(DUPLICATE)
            .message(format!("the task {task} was ended by another"))
            .into()),
    }
}

#[cfg(test)]
mod tests {
    use handoff_sdk::Error;

    use super::*;

    #[test]
    fn gone_is_success_only_for_who_tried_before() {
        let task = TaskRef::new("order", "t1");
        assert_eq!(judge(Ending::Completed, 1, &task), Ok(()));
        assert_eq!(judge(Ending::Gone, 2, &task), Ok(()));
        let duplicate = judge(Ending::Gone, 1, &task);
        assert!(matches!(duplicate, Err(Error::Bpmn(error)) if error.code == DUPLICATE));
    }
}
