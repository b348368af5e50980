//! Processes that are started, and messages that are received.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Bench, text};
use crate::models::{receiver, started_by_message, task_only};

pub(super) fn start_once(bench: &Bench) -> Result<&'static str> {
    bench.deploy("started", &started_by_message("started"))?;
    let asked = json!({"message": text("message-of-started"), "target": text("target-1")});
    let first = bench.run("starter", &task_only("starter", "probe-start"), asked.clone())?;
    bench.until_completed(&first)?;
    let instance = bench.variable(&first, "instance")?;
    ensure!(
        bench.variable(&first, "status")? == "StartStatus::Created",
        "{}",
        bench.variable(&first, "status")?
    );
    // Asked again by the same task, and by another one for the same business key.
    ensure!(bench.variable(&first, "again")? == "StartStatus::AlreadyRunning");
    ensure!(bench.variable(&first, "againInstance")? == instance);
    let second = bench.rest.start("starter", "starter", asked)?;
    bench.until_completed(&second)?;
    ensure!(bench.variable(&second, "status")? == "StartStatus::AlreadyRunning");
    ensure!(bench.variable(&second, "instance")? == instance);
    let there = "/history/process-instance/count?processDefinitionKey=started&processInstanceBusinessKey=target-1";
    ensure!(bench.rest.count(there)? == 1);
    Ok("yes")
}

/// Sends, by a worker: how many received it, and what was answered.
fn send(bench: &Bench, variables: Value) -> Result<(Value, Value)> {
    let sender = bench.rest.start("sender", "sender", variables)?;
    bench.until_completed(&sender)?;
    Ok((bench.variable(&sender, "received")?, bench.variable(&sender, "answer")?))
}

pub(super) fn correlate(bench: &Bench) -> Result<&'static str> {
    bench.deploy("receiver", &receiver("receiver"))?;
    bench.deploy("sender", &task_only("sender", "probe-correlate"))?;
    let wait = |business_key: &str, key: &str| bench.rest.start("receiver", business_key, json!({"key": text(key)}));
    let one = wait("r-1", "blue")?;
    let message = || text("message-of-receiver");
    let (received, answer) = send(bench, json!({"message": message(), "target": text("r-1")}))?;
    ensure!(received == 1 && answer == "received", "{received} {answer}");
    bench.until_completed(&one)?;
    ensure!(bench.variable(&one, "sentBy")?.is_string());
    // Nobody waits any more; and where a key is named, no start event takes its place.
    let (received, answer) = send(bench, json!({"message": message(), "target": text("r-1")}))?;
    ensure!(received == 0 && answer == "mismatch", "{received} {answer}");
    let of_key = |key: &str, all: bool| json!({"message": message(), "key": text(key), "all": {"type": "Boolean", "value": all}});
    let (red, other_red, green) = (wait("r-2", "red")?, wait("r-3", "red")?, wait("r-4", "green")?);
    let (received, answer) = send(bench, of_key("red", false))?;
    ensure!(
        received == 0 && answer == "mismatch",
        "two receivers for one message: {received} {answer}"
    );
    let (received, _) = send(bench, of_key("red", true))?;
    ensure!(received == 2, "{received} received it");
    bench.until_completed(&red)?;
    bench.until_completed(&other_red)?;
    ensure!(bench.history(&green)?["state"] == "ACTIVE");
    let (received, answer) = send(bench, of_key("violet", true))?;
    ensure!(received == 0 && answer == "received", "{received} {answer}");
    Ok("yes")
}
