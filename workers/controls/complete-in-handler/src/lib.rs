//! The negative control of the hand-off's tests: starts Inventory's process and completes the task in the same handler,
//! as workers do whose client ties the completion to the handler's return.
//!
//! Then Inventory may answer before Order Management has its subscriptions: the race that the pattern excludes. Its
//! manifest has no delegate, so Inventory's process must be one without the completion listener.

use handoff_sdk::processes::StartRequest;
use handoff_sdk::{Completion, Result, Task};

#[handoff_sdk::handler]
fn handle(task: Task) -> Result<Completion> {
    let item: String = task.get("item")?;
    let quantity: i32 = task.get("quantity")?;
    let request = StartRequest::message("inventory", "inventory_check_needed")
        .variable("EXTERNAL_TASK_ID", &task.id.id)
        .variable("EXTERNAL_TASK_ENGINE", &task.id.engine)
        .variable("item", item)
        .variable("quantity", quantity);
    task.start(request)?;
    Ok(Completion::new())
}
