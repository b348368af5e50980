//! Refunds the payment of an order whose goods are not available: sets `refunded`.

use handoff_sdk::{Completion, Task, log};

#[handoff_sdk::handler]
fn handle(task: Task) -> Completion {
    let order = task.business_key.as_deref().unwrap_or(&task.process_instance_id);
    log::info!(order; "refunded");
    Completion::new().variable("refunded", true)
}

#[cfg(test)]
mod tests {
    use handoff_sdk::TaskRef;

    use super::*;

    #[test]
    fn the_process_learns_of_the_refund() {
        let task = Task::new(TaskRef::new("order", "1"), "refund-payment");
        assert_eq!(handle(task), Completion::new().variable("refunded", true));
    }
}
