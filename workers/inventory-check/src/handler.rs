//! The first half: starts Inventory's process, and leaves the task open.

use handoff_sdk::processes::{IfRunning, StartRequest, StartStatus};
use handoff_sdk::{Deferral, Failure, Result, Task, log, run};

use crate::{CHECK_NEEDED, INVENTORY, TASK_ENGINE, TASK_ID};

#[handoff_sdk::handler]
fn handle(task: Task) -> Result<Deferral> {
    let started = task.start(request(&task)?)?;
    log::info!(
        task = task.id.id,
        businessKey = task.business_key.as_deref().unwrap_or_default(),
        instance = started.process_instance_id,
        status:? = started.status;
        "handed over to Inventory"
    );
    match started.status {
        StartStatus::Created | StartStatus::AlreadyRunning => Ok(Deferral::new().reason(format!(
            "Inventory's instance {} completes it",
            started.process_instance_id
        ))),
        // Whoever completes a task ends it before the instance can end, so either it is gone by now, and this failure
        // with it, or the instance was removed and nobody will complete the task: somebody has to know.
        StartStatus::AlreadyEnded => Err(Failure::new(format!(
            "Inventory's instance {} for this task has ended",
            started.process_instance_id
        ))
        .into()),
    }
}

/// What starts Inventory's process: the task's variables that it needs, the task itself, to be completed, and the trace
/// that both processes are part of, if there is one.
fn request(task: &Task) -> Result<StartRequest> {
    let item: String = task.get("item")?;
    let quantity: i32 = task.get("quantity")?;
    let request = StartRequest::message(INVENTORY, CHECK_NEEDED)
        .if_running(IfRunning::Join)
        .variable(TASK_ID, &task.id.id)
        .variable(TASK_ENGINE, &task.id.engine)
        .variable("item", item)
        .variable("quantity", quantity);
    Ok(match run::traceparent() {
        Some(trace) => request.variable("traceparent", trace),
        None => request,
    })
}

#[cfg(test)]
mod tests {
    use handoff_sdk::{TaskRef, Variable};

    use super::*;

    #[test]
    fn inventory_learns_the_task_and_what_is_ordered() {
        let mut task = Task::new(TaskRef::new("order", "t1"), "check-inventory");
        assert!(request(&task).is_err(), "an order of nothing");
        task.variables = vec![
            Variable::new("item", "lamp"),
            Variable::new("quantity", 2),
            Variable::new("card", "private"),
        ];
        let variables = request(&task).map(|request| request.variables);
        let expected = vec![
            Variable::new(TASK_ID, "t1"),
            Variable::new(TASK_ENGINE, "order"),
            Variable::new("item", "lamp"),
            Variable::new("quantity", 2),
        ];
        assert_eq!(variables, Ok(expected));
    }
}
