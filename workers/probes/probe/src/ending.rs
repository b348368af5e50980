//! Each way in which a task ends, or does not yet.

use std::time::Duration;

use handoff_sdk::tasks::{self, Ending};
use handoff_sdk::{BpmnError, Completion, Deferral, Failure, Outcome, Result, Task, TaskRef};

/// A business error with the code that the variable `code` says.
pub(crate) fn error(task: &Task) -> Result<Outcome> {
    let code: String = task.get("code")?;
    Ok(BpmnError::new(code)
        .message("as it was asked to")
        .variable("thrownBy", task.id.id.clone())
        .into())
}

/// Fails the first time, with one more try a little later, and is done then.
pub(crate) fn retry(task: &Task) -> Result<Outcome> {
    let Some(retries) = task.retries else {
        let wait: u32 = task.get("waitMs")?;
        return Ok(Failure::new("not at the first time")
            .details("the details of it")
            .retries(1)
            .retry_after(Duration::from_millis(wait.into()))
            .variable("failed", true)
            .into());
    };
    Ok(Completion::new()
        .variable("retriesLeft", retries)
        .variable("lastError", task.error_message.clone())
        .variable("lastDetails", task.error_details.clone())
        .into())
}

/// Fails for good until the variable `repaired` is there.
pub(crate) fn incident(task: &Task) -> Result<Outcome> {
    if task.get::<Option<bool>>("repaired")? == Some(true) {
        return Ok(Completion::new().into());
    }
    Ok(Failure::new("somebody has to repair it").retries(0).into())
}

/// Panics each time: what the host makes of it is asked.
#[allow(clippy::panic, reason = "what it is for")]
pub(crate) fn panic(task: &Task) -> Result<Outcome> {
    panic!("the probe panics in task {}", task.id.id)
}

/// Takes as long as the variable `millis` says, which is longer than its lock.
pub(crate) fn long(task: &Task) -> Result<Outcome> {
    let millis: u64 = task.get("millis")?;
    std::thread::sleep(Duration::from_millis(millis));
    Ok(Completion::new().variable("slept", millis as i64).into())
}

/// Leaves it to somebody else.
pub(crate) fn defer(_: &Task) -> Result<Outcome> {
    Ok(Deferral::new().lock_for(Duration::from_secs(600)).into())
}

/// Completes the task that the variable `taskId` names, whoever holds it.
pub(crate) fn complete(task: &Task) -> Result<Outcome> {
    let other = TaskRef::new(&task.id.engine, task.get::<String>("taskId")?);
    let by = Completion::new().variable("completedBy", task.id.id.clone());
    let ending = match tasks::complete(&other, &by)? {
        Ending::Completed => "completed",
        Ending::Gone => "gone",
    };
    Ok(Completion::new().variable("ending", ending).into())
}
