//! What each history level keeps, as Camunda's levels have it.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use handoff_engine::HistoryLevel;
use serde_json::{Value as Json, json};

use super::models;
use super::server::{TestServer, read};

const PASSWORD: &str = "secret";

/// Kinds of history, by their paths.
const KINDS: [&str; 10] = [
    "process-instance",
    "activity-instance",
    "task",
    "variable-instance",
    "detail",
    "incident",
    "job-log",
    "external-task-log",
    "identity-link-log",
    "user-operation",
];

/// A user submits a form, a job runs, and an external task fails for good.
async fn counts(level: HistoryLevel) -> Result<BTreeMap<&'static str, i64>> {
    let directory = tempfile::tempdir()?;
    std::fs::write(directory.path().join("password"), PASSWORD)?;
    let file = directory.path().join("auth.toml");
    std::fs::write(&file, "[[users]]\nname = \"eve\"\npassword-file = \"password\"\n")?;
    let server = TestServer::start_with(|config| {
        config.history = level;
        config.auth_file = Some(file);
    })
    .await?;
    let call =
        async |request: reqwest::RequestBuilder| read(request.basic_auth("eve", Some(PASSWORD)).send().await?).await;
    let get = async |path: &str| call(server.client.get(server.url(path))).await;
    let post = async |path: &str, body: Json| call(server.client.post(server.url(path)).json(&body)).await;

    let model = models::process(
        r#"<startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="u"/>
    <userTask id="u" camunda:assignee="eve"><extensionElements><camunda:formData>
      <camunda:formField id="f" type="string"/></camunda:formData></extensionElements></userTask>
    <sequenceFlow id="f2" sourceRef="u" targetRef="work"/>
    <serviceTask id="work" camunda:type="external" camunda:topic="t" camunda:asyncBefore="true"/>"#,
    );
    let form =
        reqwest::multipart::Form::new().part("p.bpmn", reqwest::multipart::Part::text(model).file_name("p.bpmn"));
    call(server.client.post(server.url("/deployment/create")).multipart(form)).await?;
    post("/process-definition/key/p/start", json!({})).await?;
    let task = get("/task").await?.json()[0]["id"]
        .as_str()
        .context("a task")?
        .to_owned();
    post(
        &format!("/task/{task}/submit-form"),
        json!({"variables": {"f": {"value": "v"}}}),
    )
    .await?;
    let job = get("/job").await?.json()[0]["id"].as_str().map(str::to_owned);
    if let Some(job) = job {
        // The job executor may have been first.
        post(&format!("/job/{job}/execute"), json!({})).await?;
    }
    let fetch = json!({
        "workerId": "w", "maxTasks": 1, "asyncResponseTimeout": 20_000,
        "topics": [{"topicName": "t", "lockDuration": 60_000}],
    });
    let fetched = post("/external-task/fetchAndLock", fetch).await?.json();
    let id = fetched[0]["id"].as_str().context("an external task")?.to_owned();
    let failure = json!({"workerId": "w", "errorMessage": "broken", "retries": 0});
    assert_eq!(
        post(&format!("/external-task/{id}/failure"), failure).await?.status,
        204
    );

    let mut counts = BTreeMap::new();
    for kind in KINDS {
        let count = get(&format!("/history/{kind}/count")).await?.json();
        counts.insert(
            kind,
            count["count"].as_i64().with_context(|| format!("{kind}: {count}"))?,
        );
    }
    server.stop().await?;
    Ok(counts)
}

#[tokio::test]
async fn each_level_keeps_what_camunda_keeps_at_it() -> Result<()> {
    let kept = async |level| -> Result<Vec<&'static str>> {
        let counts = counts(level).await?;
        Ok(KINDS.into_iter().filter(|kind| counts[kind] > 0).collect())
    };
    assert_eq!(kept(HistoryLevel::None).await?, [""; 0]);
    assert_eq!(kept(HistoryLevel::Activity).await?, KINDS[..3]);
    assert_eq!(kept(HistoryLevel::Audit).await?, KINDS[..5]);
    assert_eq!(kept(HistoryLevel::Full).await?, KINDS);
    // Of details, only what was submitted with a form is there before `full`.
    assert_eq!(counts(HistoryLevel::Audit).await?["detail"], 1);
    Ok(())
}
