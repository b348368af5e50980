//! What the tests over real engines ask of a worker: a topic for each of its abilities.

mod ending;
mod processes;
mod variables;

use handoff_sdk::{Failure, Outcome, Result, Task};

#[handoff_sdk::handler]
fn handle(task: Task) -> Result<Outcome> {
    match task.topic.as_str() {
        "probe-types" => variables::copy(&task),
        "probe-error" => ending::error(&task),
        "probe-retry" => ending::retry(&task),
        "probe-incident" => ending::incident(&task),
        "probe-panic" => ending::panic(&task),
        "probe-long" => ending::long(&task),
        "probe-defer" => ending::defer(&task),
        "probe-complete" => ending::complete(&task),
        "probe-start" => processes::start(&task),
        "probe-correlate" => processes::correlate(&task),
        other => Err(Failure::new(format!("nothing is known of the topic `{other}`"))
            .retries(0)
            .into()),
    }
}
