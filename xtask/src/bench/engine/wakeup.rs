//! How soon a long poll that waits is answered, once there is something for it: a new instance, a lock that runs out, a
//! time to retry that comes.
//!
//! After a start it is the time from the start's request to the poll's answer, so that both ways and the commit are in
//! it; otherwise from the millisecond that the engine itself has named.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use handoff_harness::history;
use serde_json::{Value, json};

use super::{
    Bench, block_on,
    client::{LONG_LOCK, id_of, one_of, waiting},
    http::Connection,
    models::{Step, WORKER, chain},
    table::Table,
    times::Times,
};

const KEY: &str = "wakeup";
/// Of each kind.
const ROUNDS: usize = 200;
/// How long a lock and a pause before a retry are, in milliseconds: time for the next poll to be waiting.
const SHORT: u64 = 50;
/// How long a poll waits at most, in milliseconds.
const PATIENCE: u64 = 10_000;

pub(super) fn run(bench: &Bench<'_>, table: &mut Table) -> Result<()> {
    let engine = bench.engine("wakeup")?;
    engine.rest().deploy("wakeup.bpmn", &chain(KEY, 1, Step::External))?;
    let address = engine.address();
    let (after_start, after_expiry, after_retry) = block_on(async {
        let mut poller = Connection::open(&address).await?;
        let mut other = Connection::open(&address).await?;
        Ok((
            after_start(&mut poller, &mut other).await?,
            after_expiry(&mut poller, &mut other).await?,
            after_retry(&mut poller, &mut other).await?,
        ))
    })?;
    for (what, mut times) in [
        ("a start", after_start),
        ("a lock's expiry", after_expiry),
        ("retryTimeout", after_retry),
    ] {
        table.value(format!("after {what}, p50 of {}", times.len()), times.p50(), "ms");
        table.at_most(format!("after {what}, p99"), times.p99(), "ms", 10.0);
    }
    bench.discard(engine)
}

async fn after_start(poller: &mut Connection, other: &mut Connection) -> Result<Times> {
    let poll = waiting(one_of(KEY, LONG_LOCK, json!({})), PATIENCE).to_string();
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        poller.send("POST", "/external-task/fetchAndLock", &poll).await?;
        // An engine does not say that a poll waits; it takes a fraction of this until it does.
        tokio::time::sleep(Duration::from_millis(10)).await;
        let began = Instant::now();
        let (started, answer) = tokio::join!(other.start(KEY, json!({})), async {
            let answer = poller.receive().await;
            (answer, began.elapsed())
        });
        started?;
        let (answer, time) = answer;
        let task = first(answer?.json()?)?;
        times.push(time);
        other.complete(&task).await?;
    }
    Ok(times)
}

/// Fetches the same task again and again, each time when the lock of the time before runs out.
async fn after_expiry(poller: &mut Connection, other: &mut Connection) -> Result<Times> {
    other.start(KEY, json!({})).await?;
    let fetch = one_of(KEY, SHORT, json!({}));
    let mut task = poller.fetch(&fetch).await?;
    let poll = waiting(fetch, PATIENCE);
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        let due = due(&task)?;
        task = poller.fetch(&poll).await?;
        times.push(since(due)?);
    }
    other.complete(&task).await?;
    Ok(times)
}

/// Lets a task fail with a pause, and waits for it.
async fn after_retry(poller: &mut Connection, other: &mut Connection) -> Result<Times> {
    other.start(KEY, json!({})).await?;
    let fetch = one_of(KEY, LONG_LOCK, json!({}));
    let mut task = poller.fetch(&fetch).await?;
    let poll = waiting(fetch, PATIENCE);
    let failure = json!({"workerId": WORKER, "retries": 3, "retryTimeout": SHORT});
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        let path = format!("/external-task/{}", id_of(&task)?);
        other.post(&format!("{path}/failure"), &failure).await?;
        let due = due(&other.get(&path).await?)?;
        task = poller.fetch(&poll).await?;
        times.push(since(due)?);
    }
    other.complete(&task).await?;
    Ok(times)
}

fn first(mut tasks: Value) -> Result<Value> {
    let first = tasks.get_mut(0).map(Value::take);
    first.context("a poll that waited got nothing")
}

/// When a task is offered again, in milliseconds since 1970.
fn due(task: &Value) -> Result<i64> {
    history::date(&task["lockExpirationTime"])?.with_context(|| format!("no lock in {task}"))
}

/// How long ago that was.
fn since(due: i64) -> Result<Duration> {
    let due = UNIX_EPOCH + Duration::from_millis(due.try_into()?);
    // The engine names whole milliseconds: an answer within the same one is no answer too early.
    Ok(SystemTime::now().duration_since(due).unwrap_or_default())
}
