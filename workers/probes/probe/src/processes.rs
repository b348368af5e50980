//! Starting processes, and sending messages.

use handoff_sdk::processes::{self, IfRunning, Message, StartRequest};
use handoff_sdk::{Completion, EngineError, Outcome, Result, Task};

/// Starts what the message of the variable `message` starts: once for the task, and none where one with the business key
/// runs.
pub(crate) fn start(task: &Task) -> Result<Outcome> {
    let request = StartRequest::message(&task.id.engine, task.get::<String>("message")?)
        .if_running(IfRunning::Join)
        .business_key(task.get::<String>("target")?)
        .variable("startedBy", task.id.id.clone());
    let first = task.start(request.clone())?;
    let second = task.start(request)?;
    Ok(Completion::new()
        .variable("instance", first.process_instance_id)
        .variable("status", format!("{:?}", first.status))
        .variable("again", format!("{:?}", second.status))
        .variable("againInstance", second.process_instance_id)
        .into())
}

/// Sends the message of the variable `message`, to the business key `target` or to the instances with the value `key`.
pub(crate) fn correlate(task: &Task) -> Result<Outcome> {
    let mut message = Message::new(&task.id.engine, task.get::<String>("message")?).variable("sentBy", &task.id.id);
    if let Some(target) = task.get::<Option<String>>("target")? {
        message = message.business_key(target);
    }
    if let Some(key) = task.get::<Option<String>>("key")? {
        message = message.correlation_key("key", key);
    }
    if task.get::<Option<bool>>("all")? == Some(true) {
        message = message.to_all();
    }
    let (received, answer) = match processes::correlate(&message) {
        Ok(receivers) => (
            i32::try_from(receivers.len()).unwrap_or(i32::MAX),
            "received".to_owned(),
        ),
        Err(EngineError::Mismatch(_)) => (0, "mismatch".to_owned()),
        Err(error) => return Err(error.into()),
    };
    Ok(Completion::new()
        .variable("received", received)
        .variable("answer", answer)
        .into())
}
