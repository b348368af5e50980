//! Long polls: they wake when there is something to do, and lock nothing for a client that has gone.

use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::models;
use super::server::TestServer;

/// Long enough for a request on this machine to be waiting, and short enough for a test.
const PARKED: Duration = Duration::from_millis(200);
/// Far below the polls' own time, and far above what a wake-up takes.
const SOON: Duration = Duration::from_secs(10);

fn fetch(worker: &str, lock: u64, wait: u64) -> Json {
    let topics = json!([{"topicName": "t", "lockDuration": lock}]);
    json!({"workerId": worker, "maxTasks": 1, "asyncResponseTimeout": wait, "topics": topics})
}

async fn fetched(server: &TestServer, worker: &str, lock: u64, wait: u64) -> Result<Option<String>> {
    let answer = server
        .post("/external-task/fetchAndLock", &fetch(worker, lock, wait))
        .await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(answer.json()[0]["id"].as_str().map(str::to_owned))
}

/// Waits with one fetch while `event` happens, and tells what it fetched and how long it took after that.
async fn wakes(server: &TestServer, event: impl Future<Output = Result<()>>) -> Result<(Option<String>, Duration)> {
    let mut waiting = pin!(fetched(server, "waiting", 60_000, 30_000));
    if let Ok(early) = tokio::time::timeout(PARKED, &mut waiting).await {
        anyhow::bail!("it should have waited: {early:?}");
    }
    event.await?;
    let since = Instant::now();
    let task = tokio::time::timeout(SOON, waiting).await.context("it did not wake")??;
    Ok((task, since.elapsed()))
}

async fn start(server: &TestServer) -> Result<()> {
    ensure!(server.post("/process-definition/key/p/start", &json!({})).await?.status == 200);
    Ok(())
}

async fn act(server: &TestServer, task: &str, action: &str, body: Json) -> Result<()> {
    let answer = server.post(&format!("/external-task/{task}/{action}"), &body).await?;
    ensure!(answer.status == 204, "{action}: {answer:?}");
    Ok(())
}

#[tokio::test]
async fn a_new_task_wakes_a_poll() -> Result<()> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &models::external_task()).await?;
    let (task, _) = wakes(&server, start(&server)).await?;
    ensure!(task.is_some());
    server.stop().await
}

#[tokio::test]
async fn what_becomes_free_again_wakes_a_poll() -> Result<()> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &models::external_task()).await?;
    start(&server).await?;
    let task = fetched(&server, "first", 60_000, 0).await?.context("a task")?;
    let (woken, _) = wakes(&server, act(&server, &task, "unlock", Json::Null)).await?;
    assert_eq!(woken.as_ref(), Some(&task), "unlocked");
    let failure = json!({"workerId": "waiting", "retries": 3, "retryTimeout": 0});
    let (woken, _) = wakes(&server, act(&server, &task, "failure", failure)).await?;
    assert_eq!(
        woken.as_ref(),
        Some(&task),
        "failed, with retries and no delay: Camunda would be up to 30 s late"
    );
    let failure = json!({"workerId": "waiting", "retries": 3, "retryTimeout": 400});
    let (woken, after) = wakes(&server, act(&server, &task, "failure", failure)).await?;
    assert_eq!(woken.as_ref(), Some(&task), "failed, with a delay");
    assert!(
        after >= Duration::from_millis(300),
        "not before its time, but after {after:?}"
    );
    server.stop().await
}

#[tokio::test]
async fn an_expired_lock_wakes_a_poll() -> Result<()> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &models::external_task()).await?;
    start(&server).await?;
    let lock = PARKED * 3;
    let millis = u64::try_from(lock.as_millis())?;
    let task = fetched(&server, "first", millis, 0).await?.context("a task")?;
    let (woken, _) = wakes(&server, async { Ok(()) }).await?;
    assert_eq!(woken, Some(task));
    server.stop().await
}

#[tokio::test]
async fn a_poll_whose_client_has_gone_locks_nothing() -> Result<()> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &models::external_task()).await?;
    let host = server.origin.strip_prefix("http://").context("an origin")?;
    let body = fetch("ghost", 60_000, 30_000).to_string();
    let mut ghost = TcpStream::connect(host).await?;
    let head = format!(
        "POST /engine-rest/external-task/fetchAndLock HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    ghost.write_all(format!("{head}{body}").as_bytes()).await?;
    let mut answer = Vec::new();
    ensure!(
        tokio::time::timeout(PARKED, ghost.read_buf(&mut answer)).await.is_err(),
        "it should have waited"
    );
    ghost.shutdown().await?;
    // The engine closes its side when it has noticed.
    tokio::time::timeout(SOON, ghost.read_to_end(&mut answer))
        .await
        .context("it was not noticed")??;
    ensure!(answer.is_empty(), "nobody was there to be answered");
    start(&server).await?;
    let task = fetched(&server, "living", 60_000, 0).await?;
    ensure!(task.is_some(), "the task was locked for a ghost");
    server.stop().await
}

#[tokio::test]
async fn a_poll_ends_empty_at_its_time() -> Result<()> {
    let server = TestServer::start().await?;
    let since = Instant::now();
    assert_eq!(fetched(&server, "w", 60_000, 300).await?, None);
    let waited = since.elapsed();
    assert!(waited >= Duration::from_millis(300) && waited < SOON, "{waited:?}");
    let (status, kind, message) = server
        .post("/external-task/fetchAndLock", &fetch("w", 1, 1_800_001))
        .await?
        .refusal()?;
    assert_eq!((status, kind.as_str()), (400, "InvalidRequestException"));
    assert!(
        message.contains("cannot be set to a value greater than 1800000 milliseconds"),
        "{message}"
    );
    server.stop().await
}

#[tokio::test]
async fn a_stopping_engine_answers_its_polls() -> Result<()> {
    let server = TestServer::start().await?;
    let url = server.url("/external-task/fetchAndLock");
    let client = server.client.clone();
    let mut waiting = tokio::spawn(async move { client.post(url).json(&fetch("w", 60_000, 30_000)).send().await });
    ensure!(
        tokio::time::timeout(PARKED, &mut waiting).await.is_err(),
        "it should have waited"
    );
    server.stop().await?;
    let answer = tokio::time::timeout(SOON, waiting)
        .await
        .context("it was not answered")???;
    let answer = super::server::read(answer).await?;
    assert_eq!(
        answer.refusal()?.2,
        "Request rejected due to shutdown of application server."
    );
    Ok(())
}
