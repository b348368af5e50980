//! Starting once (F2 of the design): `dedupeKey` and `ifRunning`, by definition and by message.

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use serde_json::{Value as Json, json};

use super::models;
use super::server::TestServer;

const START: &str = "/process-definition/key/p/start";

/// The id of the instance that a start answers with, and how it came out.
fn started(answer: &Json) -> Result<(String, String)> {
    let id = answer["id"].as_str().with_context(|| format!("no id: {answer}"))?;
    let status = answer["handoff"]["status"]
        .as_str()
        .with_context(|| format!("no status: {answer}"))?;
    Ok((id.to_owned(), status.to_owned()))
}

async fn start(server: &TestServer, body: Json) -> Result<(String, String)> {
    let answer = server.post(START, &body).await?;
    ensure!(answer.status == 200, "{answer:?}");
    started(&answer.json())
}

/// Completes the one task that there is.
async fn complete_task(server: &TestServer) -> Result<()> {
    let fetch = json!({"workerId": "w", "maxTasks": 2, "topics": [{"topicName": "t", "lockDuration": 60_000}]});
    let tasks = server.post("/external-task/fetchAndLock", &fetch).await?.json();
    ensure!(
        tasks.as_array().is_some_and(|tasks| tasks.len() == 1),
        "one task, and no other: {tasks}"
    );
    let path = format!("/external-task/{}/complete", tasks[0]["id"].as_str().context("an id")?);
    ensure!(server.post(&path, &json!({"workerId": "w"})).await?.status == 204);
    Ok(())
}

#[tokio::test]
async fn a_dedupe_key_starts_once_also_after_the_end() -> Result<()> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &models::external_task()).await?;
    let body = json!({"businessKey": "b", "dedupeKey": "order:task-1"});
    let (first, status) = start(&server, body.clone()).await?;
    assert_eq!(status, "created");
    assert_eq!(
        start(&server, body.clone()).await?,
        (first.clone(), "already-running".to_owned())
    );
    complete_task(&server).await?;
    assert_eq!(
        start(&server, body).await?,
        (first, "already-ended".to_owned()),
        "a late repeat starts no other"
    );
    assert_eq!(
        server.get("/history/process-instance/count").await?.json(),
        json!({"count": 1})
    );
    server.stop().await
}

#[tokio::test]
async fn starts_at_the_same_time_are_one() -> Result<()> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &models::message_start()).await?;
    let body = json!({"messageName": "begin", "businessKey": "b", "dedupeKey": "k", "resultEnabled": true});
    let answers = try_join_all((0..20).map(|_| server.post("/message", &body))).await?;
    let mut created = 0;
    let mut ids = Vec::new();
    for answer in answers {
        ensure!(answer.status == 200, "{answer:?}");
        let result = answer.json()[0].clone();
        created += u32::from(result["handoff"]["status"] == "created");
        ids.push(result["processInstance"]["id"].as_str().context("an id")?.to_owned());
    }
    ids.dedup();
    assert_eq!((created, ids.len()), (1, 1));
    assert_eq!(server.get("/process-instance/count").await?.json(), json!({"count": 1}));
    server.stop().await
}

#[tokio::test]
async fn what_runs_already_is_joined_rejected_or_left_alone() -> Result<()> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &models::external_task()).await?;
    let (first, _) = start(&server, json!({"businessKey": "b", "ifRunning": "join"})).await?;
    let joined = start(&server, json!({"businessKey": "b", "ifRunning": "join"})).await?;
    assert_eq!(joined, (first.clone(), "already-running".to_owned()));
    let rejected = server
        .post(START, &json!({"businessKey": "b", "ifRunning": "reject"}))
        .await?;
    let (status, kind, _) = rejected.refusal()?;
    assert_eq!(
        (status, kind.as_str(), &rejected.json()["code"]),
        (400, "HandoffAlreadyRunning", &Json::Null)
    );
    let (other_key, status) = start(&server, json!({"businessKey": "c", "ifRunning": "reject"})).await?;
    assert!(other_key != first && status == "created");
    for body in [
        json!({"businessKey": "b"}),
        json!({"businessKey": "b", "ifRunning": "another"}),
    ] {
        let (another, status) = start(&server, body).await?;
        assert!(another != first && status == "created");
    }
    let (status, kind, message) = server.post(START, &json!({"ifRunning": "maybe"})).await?.refusal()?;
    assert_eq!((status, kind.as_str()), (400, "InvalidRequestException"));
    assert!(message.contains("'join', 'reject' or 'another'"), "{message}");
    server.stop().await
}

#[tokio::test]
async fn the_extension_says_what_it_can_and_counts_mismatches() -> Result<()> {
    let server = TestServer::start_with(|config| config.name = "inventory".into()).await?;
    let handoff = server.get("/handoff").await?.json();
    assert_eq!(
        (&handoff["name"], &handoff["engine"]),
        (&json!("handoff"), &json!("inventory"))
    );
    assert_eq!(
        (&handoff["dedupeKey"], &handoff["mismatchedMessages"]),
        (&json!(true), &json!(0))
    );
    let (status, kind, _) = server
        .post("/message", &json!({"messageName": "nobody"}))
        .await?
        .refusal()?;
    assert_eq!((status, kind.as_str()), (400, "RestException"));
    assert_eq!(server.get("/handoff").await?.json()["mismatchedMessages"], json!(1));
    let metrics = server
        .client
        .get(format!("{}/metrics", server.origin))
        .send()
        .await?
        .text()
        .await?;
    assert!(
        metrics.contains("\nhandoff_engine_message_mismatches_total 1\n"),
        "{metrics}"
    );
    server.stop().await
}
