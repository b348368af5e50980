//! Ten thousand long polls that wait for nothing: what they need, and what others notice of them.

use std::time::Instant;

use anyhow::{Result, ensure};
use handoff_harness::Engine;
use serde_json::json;
use tokio::sync::mpsc;

use super::{
    Bench, block_on,
    client::{LONG_LOCK, one_of, waiting},
    http::{Answer, Connection},
    machinery::{allow_files, settle},
    megabytes,
    models::{Step, chain},
    table::Table,
    times::Times,
};

/// What the polls wait for, and what others do meanwhile.
const WAITED_FOR: &str = "waited-for";
const OTHER: &str = "other";
/// Instances that others run before and meanwhile, one after the other: three requests each.
const OTHERS: usize = 500;
/// Longer than the section, and not longer than an engine allows, in milliseconds.
const PATIENCE: u64 = 1_500_000;

pub(super) fn run(bench: &Bench<'_>, table: &mut Table) -> Result<()> {
    let count = bench.args.polls;
    allow_files(u64::from(count) + 1_000)?;
    let engine = bench.engine("polls")?;
    for key in [WAITED_FOR, OTHER] {
        engine
            .rest()
            .deploy(&format!("{key}.bpmn"), &chain(key, 1, Step::External))?;
    }
    block_on(measure(&engine, count, table))?;
    bench.discard(engine)
}

async fn measure(engine: &Engine, count: u32, table: &mut Table) -> Result<()> {
    others(engine).await?;
    let mut before = others(engine).await?;
    let idle = settle(|| megabytes(engine))?;

    let (answers, mut answered) = mpsc::unbounded_channel::<Result<Answer>>();
    let poll = waiting(one_of(WAITED_FOR, LONG_LOCK, json!({})), PATIENCE).to_string();
    let mut polls = Vec::new();
    for _ in 0..count {
        let mut connection = Connection::open(&engine.address()).await?;
        connection.send("POST", "/external-task/fetchAndLock", &poll).await?;
        let answers = answers.clone();
        polls.push(tokio::task::spawn_local(async move {
            // Nobody listens any more when the section has ended early.
            let _ = answers.send(connection.receive().await);
        }));
    }
    let full = settle(|| megabytes(engine))?;
    let mut during = others(engine).await?;
    if let Ok(answer) = answered.try_recv() {
        let Answer { status, body } = answer?;
        anyhow::bail!("a poll does not wait: {status} {}", String::from_utf8_lossy(&body));
    }
    // They have waited, and one of them is served.
    let mut connection = Connection::open(&engine.address()).await?;
    connection.start(WAITED_FOR, json!({})).await?;
    let served = answered.recv().await.transpose()?;
    let served = served.map(Answer::json).transpose()?.unwrap_or_default();
    ensure!(served[0]["topicName"] == WAITED_FOR, "a poll was answered {served}");
    for poll in polls {
        poll.abort();
    }

    table.at_most(
        format!("memory for each of {count} polls"),
        (full - idle) * 1024.0 / f64::from(count),
        "KB",
        32.0,
    );
    table.value("other requests before, p50", before.p50(), "ms");
    table.value("other requests before, p99", before.p99(), "ms");
    table.at_most("other requests meanwhile, p50", during.p50(), "ms", before.p50() * 1.25);
    table.at_most("other requests meanwhile, p99", during.p99(), "ms", before.p99() * 1.5);
    Ok(())
}

/// The times of the requests that run instances from their start to their end.
async fn others(engine: &Engine) -> Result<Times> {
    // A connection of their own: an engine closes one that is idle for long.
    let mut connection = Connection::open(&engine.address()).await?;
    let fetch = one_of(OTHER, LONG_LOCK, json!({}));
    let mut times = Times::default();
    for _ in 0..OTHERS {
        let began = Instant::now();
        connection.start(OTHER, json!({})).await?;
        let started = Instant::now();
        let task = connection.fetch(&fetch).await?;
        let fetched = Instant::now();
        connection.complete(&task).await?;
        for time in [started - began, fetched - started, fetched.elapsed()] {
            times.push(time);
        }
    }
    Ok(times)
}
