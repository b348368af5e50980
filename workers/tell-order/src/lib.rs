//! Tells Order Management what Inventory found, by a message to the order with the same business key.
//!
//! Sets `orderTold`: false if nobody waited for the answer any more.

use handoff_sdk::processes::{self, Message};
use handoff_sdk::{Completion, EngineError, Failure, Result, Task, log};

/// Order Management's engine, where the process does not say which engine it was started from.
const ORDER: &str = "order";

#[handoff_sdk::handler]
fn handle(task: Task) -> Result<Completion> {
    let message = message(&task)?;
    let told = was_told(processes::correlate(&message))?;
    log::info!(message = message.name, businessKey = message.business_key.as_deref().unwrap_or_default(), told; "told");
    Ok(Completion::new().variable("orderTold", told))
}

fn message(task: &Task) -> Result<Message> {
    let name = match task.topic.as_str() {
        "tell-order-checked" => "inventory checked",
        "tell-order-no-goods" => "no goods available",
        other => {
            return Err(Failure::new(format!("no message is known for the topic `{other}`"))
                .retries(0)
                .into());
        }
    };
    let Some(business_key) = &task.business_key else {
        return Err(Failure::new("without a business key no order can be told")
            .retries(0)
            .into());
    };
    let engine: Option<String> = task.get("EXTERNAL_TASK_ENGINE")?;
    let counted_by: Option<String> = task.get("countedBy")?;
    let message = Message::new(engine.unwrap_or_else(|| ORDER.into()), name).business_key(business_key);
    Ok(match counted_by {
        Some(counted_by) => message.variable("countedBy", counted_by),
        None => message,
    })
}

/// Whether an order received the message. That it waits for it is certain since its task was completed, before Inventory
/// could count. So a message without a receiver was delivered before, by an earlier run whose answer was lost, or the
/// order has been cancelled. Trying again would change neither.
fn was_told<T>(answer: Result<T, EngineError>) -> Result<bool> {
    match answer {
        Ok(_) => Ok(true),
        Err(EngineError::Mismatch(reason)) => {
            log::warn!(reason; "no order waits for the answer");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use handoff_sdk::{TaskRef, Variable};

    use super::*;

    fn task(topic: &str) -> Task {
        let mut task = Task::new(TaskRef::new("inventory", "1"), topic);
        task.business_key = Some("o-1".into());
        task
    }

    #[test]
    fn each_topic_has_its_message() {
        let expected = Message::new("order", "inventory checked").business_key("o-1");
        assert_eq!(message(&task("tell-order-checked")), Ok(expected));
        let mut from_elsewhere = task("tell-order-no-goods");
        from_elsewhere.variables = vec![
            Variable::new("EXTERNAL_TASK_ENGINE", "shop"),
            Variable::new("countedBy", "1"),
        ];
        let expected = Message::new("shop", "no goods available")
            .business_key("o-1")
            .variable("countedBy", "1");
        assert_eq!(message(&from_elsewhere), Ok(expected));
        assert!(message(&task("another")).is_err());
    }

    #[test]
    fn nobody_waiting_is_no_failure_but_an_engine_down_is() {
        assert_eq!(was_told(Ok(())), Ok(true));
        assert_eq!(
            was_told::<()>(Err(EngineError::Mismatch("no execution".into()))),
            Ok(false)
        );
        assert!(was_told::<()>(Err(EngineError::Unavailable("refused".into()))).is_err());
    }
}
