//! Locks: who holds a task, and for how long.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Bench, text};
use crate::models::task_only;

pub(super) fn long(bench: &Bench) -> Result<&'static str> {
    // Longer than three locks of the manifest.
    let millis = json!({"millis": {"type": "Integer", "value": 5000}});
    let instance = bench.run("long", &task_only("long", "probe-long"), millis)?;
    let task = bench.until("its task", || bench.task(&instance))?;
    let id = task["id"].as_str().unwrap();
    bench.until_completed(&instance)?;
    let extensions = bench.calls(id, "/extendLock");
    ensure!(
        extensions.len() >= 3,
        "its lock was extended {} times",
        extensions.len()
    );
    ensure!(extensions.iter().all(|one| one.status == 204), "{extensions:?}");
    ensure!(bench.deliveries(id) == 1, "it came {} times", bench.deliveries(id));
    Ok("yes")
}

/// Has a worker complete the task: what it found, and the task by which it did.
fn complete(bench: &Bench, process: &str, task: &str) -> Result<(Value, Value)> {
    let completer = bench.run(
        process,
        &task_only(process, "probe-complete"),
        json!({"taskId": text(task)}),
    )?;
    let own = bench.until("the task of who completes", || Ok(by(bench, &completer)))?;
    bench.until_completed(&completer)?;
    Ok((bench.variable(&completer, "ending")?, own))
}

/// The id of the instance's task, which may be gone already.
fn by(bench: &Bench, instance: &str) -> Option<Value> {
    let fetches = bench.proxy.exchanges().into_iter().filter(|one| one.is_fetch());
    let tasks = fetches.flat_map(|one| one.response_json().as_array().cloned().unwrap_or_default());
    tasks
        .into_iter()
        .find(|task| task["processInstanceId"] == instance)
        .map(|task| task["id"].clone())
}

pub(super) fn deferred(bench: &Bench) -> Result<&'static str> {
    let instance = bench.run("deferred", &task_only("deferred", "probe-defer"), json!({}))?;
    let task = bench.until("the task to be deferred", || {
        let task = bench.task(&instance)?;
        let id = task
            .as_ref()
            .and_then(|task| task["id"].as_str())
            .unwrap_or_default()
            .to_owned();
        // The lock that the deferral asked for.
        Ok(task.filter(|_| !bench.calls(&id, "/extendLock").is_empty()))
    })?;
    let id = task["id"].as_str().unwrap();
    let (ending, own) = complete(bench, "completer", id)?;
    ensure!(ending == "completed", "{ending}");
    bench.until_completed(&instance)?;
    ensure!(bench.variable(&instance, "completedBy")? == own);
    ensure!(bench.deliveries(id) == 1, "it came {} times", bench.deliveries(id));
    Ok("yes")
}

pub(super) fn foreign(bench: &Bench) -> Result<&'static str> {
    let held = bench.run("held", &task_only("held", "a-topic-of-strangers"), json!({}))?;
    let fetch = json!({"workerId": "a stranger", "maxTasks": 1,
        "topics": [{"topicName": "a-topic-of-strangers", "lockDuration": 600_000}]});
    let fetched = bench
        .rest
        .post("/external-task/fetchAndLock", &fetch)?
        .unwrap_or_default();
    let id = fetched[0]["id"].as_str().unwrap();
    let (ending, _) = complete(bench, "completer-of-held", id)?;
    ensure!(ending == "completed", "{ending}");
    bench.until_completed(&held)?;
    let completions = bench.calls(id, "/complete");
    ensure!(
        completions.len() == 1 && completions[0].request_json()["workerId"] == "a stranger",
        "{completions:?}"
    );

    let free = bench.run("free", &task_only("free", "a-topic-of-nobody"), json!({}))?;
    let task = bench.until("its task", || bench.task(&free))?;
    let id = task["id"].as_str().unwrap();
    let (ending, _) = complete(bench, "completer-of-free", id)?;
    ensure!(ending == "completed", "{ending}");
    bench.until_completed(&free)?;
    let (ending, _) = complete(bench, "completer-of-gone", id)?;
    ensure!(ending == "gone", "{ending}");
    Ok("yes")
}
