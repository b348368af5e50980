//! A first worker: greets whoever the task names.

use handoff_sdk::{Completion, Result, Task, config, log};

#[handoff_sdk::handler]
fn handle(task: Task) -> Result<Completion> {
    let name: String = task.get("name")?;
    let salutation = config::get("salutation").unwrap_or_else(|| "Hello".into());
    log::info!(name; "greeting");
    Ok(Completion::new().variable("greeting", format!("{salutation}, {name}!")))
}

#[cfg(test)]
mod tests {
    use handoff_sdk::{TaskRef, Variable};

    use super::*;

    #[test]
    fn it_greets_by_name() {
        let mut task = Task::new(TaskRef::new("order", "1"), "hello");
        assert!(handle(task.clone()).is_err(), "nobody to greet");
        task.variables.push(Variable::new("name", "Ada"));
        assert_eq!(handle(task), Ok(Completion::new().variable("greeting", "Hello, Ada!")));
    }
}
