//! Ships the goods of an order: sets `shipped` and a `trackingCode`, the same in every delivery of the task.

use handoff_sdk::{Completion, Result, Task, log};

#[handoff_sdk::handler]
fn handle(task: Task) -> Result<Completion> {
    let item: String = task.get("item")?;
    let order = task.business_key.as_deref().unwrap_or(&task.process_instance_id);
    let tracking_code = format!("parcel-{order}");
    log::info!(item, order, trackingCode = tracking_code; "shipped");
    Ok(Completion::new()
        .variable("shipped", true)
        .variable("trackingCode", tracking_code))
}

#[cfg(test)]
mod tests {
    use handoff_sdk::{TaskRef, Variable};

    use super::*;

    #[test]
    fn a_parcel_is_named_after_its_order() {
        let mut task = Task::new(TaskRef::new("order", "1"), "ship-goods");
        task.business_key = Some("o-1".into());
        task.variables.push(Variable::new("item", "lamp"));
        let expected = Completion::new()
            .variable("shipped", true)
            .variable("trackingCode", "parcel-o-1");
        assert_eq!(handle(task), Ok(expected));
    }
}
