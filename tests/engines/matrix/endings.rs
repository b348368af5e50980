//! How a task ends, or does not yet.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Bench, text};
use crate::models::{PASS, around_task, flow, process, task_only};

pub(super) fn caught_error(bench: &Bench) -> Result<&'static str> {
    let caught = [
        r#"    <bpmn:boundaryEvent id="boundary" attachedToRef="work"><bpmn:errorEventDefinition id="by-error" errorRef="error" camunda:errorCodeVariable="code_caught" camunda:errorMessageVariable="message_caught" /></bpmn:boundaryEvent>"#,
        r#"    <bpmn:endEvent id="repaired" />"#,
        &flow("boundary", "repaired"),
    ];
    let content = around_task("probe-error", "", "", PASS) + "\n" + &caught.join("\n");
    let instance = bench.run(
        "caught",
        &process("caught", &content),
        json!({"code": text("OUT_OF_ORDER")}),
    )?;
    let id = bench.until_completed(&instance)?["id"].clone();
    ensure!(id == json!(instance));
    ensure!(bench.ended(&instance, "repaired")? == 1 && bench.ended(&instance, "end")? == 0);
    ensure!(bench.variable(&instance, "code_caught")? == "OUT_OF_ORDER");
    ensure!(bench.variable(&instance, "message_caught")? == "as it was asked to");
    ensure!(bench.variable(&instance, "thrownBy")?.is_string());
    Ok("yes")
}

pub(super) fn uncaught_error(bench: &Bench) -> Result<&'static str> {
    let model = task_only("uncaught", "probe-error");
    let instance = bench.run("uncaught", &model, json!({"code": text("NOBODY_CATCHES_IT")}))?;
    bench.until_completed(&instance)?;
    ensure!(bench.ended(&instance, "end")? == 0, "it went on");
    ensure!(
        bench
            .rest
            .count(&format!("/incident/count?processInstanceId={instance}"))?
            == 0
    );
    Ok("ends the path, without an incident")
}

pub(super) fn retry(bench: &Bench) -> Result<&'static str> {
    const WAIT: Duration = Duration::from_millis(2000);
    let wait = json!({"waitMs": {"type": "Integer", "value": WAIT.as_millis() as u64}});
    let instance = bench.run("retry", &task_only("retry", "probe-retry"), wait)?;
    let task = bench.until("the failure", || {
        Ok(bench.task(&instance)?.filter(|task| task["errorMessage"].is_string()))
    })?;
    let failed = Instant::now();
    ensure!(
        task["errorMessage"] == "not at the first time" && task["retries"] == 1,
        "{task}"
    );
    let id = task["id"].as_str().unwrap();
    let details = bench.rest.try_get(&format!("/external-task/{id}/errorDetails"))?;
    ensure!(details.text == "the details of it", "{details:?}");
    bench.until_completed(&instance)?;
    // It was looked at within a moment of its failure.
    ensure!(
        failed.elapsed() + Duration::from_millis(1000) > WAIT,
        "it came after {:?}",
        failed.elapsed()
    );
    ensure!(bench.variable(&instance, "failed")? == true);
    ensure!(bench.variable(&instance, "retriesLeft")? == 1);
    ensure!(bench.variable(&instance, "lastError")? == "not at the first time");
    ensure!(bench.variable(&instance, "lastDetails")? == "the details of it");
    ensure!(bench.deliveries(id) == 2, "it came {} times", bench.deliveries(id));
    Ok("yes")
}

/// Waits for the instance's incident.
fn until_incident(bench: &Bench, instance: &str) -> Result<Value> {
    bench.until("an incident", || {
        let incidents = bench.rest.get(&format!("/incident?processInstanceId={instance}"))?;
        Ok(incidents.get(0).cloned())
    })
}

pub(super) fn incident(bench: &Bench) -> Result<&'static str> {
    let instance = bench.run("incident", &task_only("incident", "probe-incident"), json!({}))?;
    let incident = until_incident(bench, &instance)?;
    ensure!(incident["incidentType"] == "failedExternalTask", "{incident}");
    ensure!(incident["incidentMessage"] == "somebody has to repair it", "{incident}");
    let id = incident["configuration"].as_str().unwrap().to_owned();
    ensure!(bench.deliveries(&id) == 1, "a task without retries came again");
    let repaired = json!({"type": "Boolean", "value": true});
    bench
        .rest
        .put(&format!("/process-instance/{instance}/variables/repaired"), &repaired)?;
    bench
        .rest
        .put(&format!("/external-task/{id}/retries"), &json!({"retries": 1}))?;
    bench.until_completed(&instance)?;
    ensure!(
        bench
            .rest
            .count(&format!("/incident/count?processInstanceId={instance}"))?
            == 0
    );
    Ok("yes")
}

pub(super) fn panic(bench: &Bench) -> Result<&'static str> {
    let instance = bench.run("panic", &task_only("panic", "probe-panic"), json!({}))?;
    let incident = until_incident(bench, &instance)?;
    let id = incident["configuration"].as_str().unwrap().to_owned();
    // The incident is there before the answer to the last failure has passed the proxy.
    let failures = bench.until("the last failure", || {
        let failures = bench.calls(&id, "/failure");
        Ok((failures.len() >= 3).then_some(failures))
    })?;
    let left: Vec<Value> = failures
        .iter()
        .map(|one| one.request_json()["retries"].clone())
        .collect();
    ensure!(left == [2, 1, 0], "the retries were {left:?}");
    let waits: Vec<u64> = failures
        .iter()
        .filter_map(|one| one.request_json()["retryTimeout"].as_u64())
        .collect();
    ensure!(waits[0] >= 50 && waits[1] > waits[0], "the waits were {waits:?}");
    let details = bench.rest.try_get(&format!("/external-task/{id}/errorDetails"))?.text;
    let said = format!("{incident} {details}");
    ensure!(said.contains("the probe panics in task"), "{said}");
    Ok("yes")
}
