//! Completes at once with `done = true` and a copy of the variable `orderId`, of whatever type it is.

use handoff_sdk::{Completion, Task};

#[handoff_sdk::handler]
fn handle(task: Task) -> Completion {
    let completion = Completion::new().variable("done", true);
    match task.variables().value("orderId") {
        Some(order_id) => completion.variable("orderId", order_id.clone()),
        None => completion,
    }
}

#[cfg(test)]
mod tests {
    use handoff_sdk::{TaskRef, Variable};

    use super::*;

    #[test]
    fn the_order_is_copied_as_it_is() {
        let mut task = Task::new(TaskRef::new("order", "1"), "c7bench");
        assert_eq!(handle(task.clone()), Completion::new().variable("done", true));
        task.variables = vec![Variable::new("amount", 5), Variable::new("orderId", "o-1")];
        assert_eq!(
            handle(task),
            Completion::new().variable("done", true).variable("orderId", "o-1")
        );
    }
}
