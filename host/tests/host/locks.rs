//! Locks are extended while a worker runs; a lost one ends the run and drops its result.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use handoff_runtime::CallErrorKind;
use serde_json::json;
use tokio::sync::Notify;

use crate::{
    fake_engine::{FakeEngine, Fault},
    support::{NativeWorker, TestHost, call_error, completing, gated},
};

/// Runs until it is cancelled, and says so.
fn endless() -> (NativeWorker, Arc<Notify>) {
    let cancelled = Arc::new(Notify::new());
    let told = cancelled.clone();
    let worker = NativeWorker::new("w", move |_, context| {
        // Told also when the run is dropped rather than polled again.
        let tell = context.cancel.clone();
        let told = told.clone();
        tokio::spawn(async move {
            tell.cancelled().await;
            told.notify_one();
        });
        async move {
            context.cancel.cancelled().await;
            Err(call_error(CallErrorKind::Cancelled, "cancelled"))
        }
    });
    (worker, cancelled)
}

fn short_locks(engine: &FakeEngine) -> handoff_host::Config {
    let mut config = crate::support::config(&engine.url(), "");
    config.engines.get_mut("order").unwrap().lock_duration_ms = 400;
    config
}

async fn host(engine: &FakeEngine, worker: NativeWorker) -> (TestHost, Arc<NativeWorker>) {
    let worker = Arc::new(worker);
    let workforce =
        handoff_host::worker::Workforce::default().with_topic("order", crate::support::topic("t"), worker.clone());
    (TestHost::start(short_locks(engine), workforce).await, worker)
}

#[tokio::test]
async fn a_lock_is_extended_for_as_long_as_the_worker_runs() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    let (worker, gate) = gated("w");
    let (_host, worker) = host(&engine, worker).await;
    engine
        .until("extended five times", |engine| engine.calls_to("extendLock").len() >= 5)
        .await;
    gate.add_permits(1);
    engine.until_ended("a").await;
    assert_eq!(worker.runs(), 1, "the lock never ran out");
}

#[tokio::test]
async fn a_task_that_somebody_else_locked_is_dropped_with_its_result() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    let (worker, cancelled) = endless();
    let (host, _) = host(&engine, worker).await;
    engine
        .until("fetched", |engine| engine.task("a").worker.is_some())
        .await;
    engine.change("a", |task| {
        task.worker = Some("other".into());
        task.locked_until = Some(Instant::now() + Duration::from_secs(60));
    });
    cancelled.notified().await;
    host.stop(1_000).await;
    for action in ["complete", "failure", "bpmnError", "unlock"] {
        assert!(engine.calls_to(action).is_empty(), "{action}");
    }
}

#[tokio::test]
async fn a_task_that_was_cancelled_ends_its_run() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    let (worker, cancelled) = endless();
    let (host, _) = host(&engine, worker).await;
    engine
        .until("fetched", |engine| engine.task("a").worker.is_some())
        .await;
    engine.remove("a");
    cancelled.notified().await;
    host.stop(1_000).await;
}

#[tokio::test]
async fn extension_is_tried_again_while_the_lock_lasts() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    engine.fault("extendLock", Fault::Busy(0));
    engine.fault("extendLock", Fault::Break);
    let (worker, gate) = gated("w");
    let (_host, worker) = host(&engine, worker).await;
    engine
        .until("extended", |engine| engine.calls_to("extendLock").len() >= 6)
        .await;
    gate.add_permits(1);
    engine.until_ended("a").await;
    assert_eq!(worker.runs(), 1);
}

#[tokio::test]
async fn a_task_that_is_delivered_twice_runs_once() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    let (worker, gate) = gated("w");
    let (_host, worker) = TestHost::with(&engine, "", worker).await;
    engine
        .until("fetched", |engine| engine.task("a").worker.is_some())
        .await;
    engine.hand_out_twice(true);
    // Answered with the same task again, the poller asks once more.
    engine
        .until("delivered twice", |engine| engine.calls_to("fetchAndLock").len() >= 3)
        .await;
    gate.add_permits(2);
    engine.until_ended("a").await;
    assert_eq!(worker.runs(), 1);
}

#[tokio::test]
async fn a_task_that_loses_its_lock_again_and_again_ends_without_retries() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    let (worker, cancelled) = endless();
    let mut config = short_locks(&engine);
    config.limits.lost_locks = 2;
    let workforce =
        handoff_host::worker::Workforce::default().with_topic("order", crate::support::topic("t"), Arc::new(worker));
    let _host = TestHost::start(config, workforce).await;
    for _ in 0..2 {
        engine
            .until("fetched", |engine| {
                engine.task("a").worker.as_deref().is_some_and(|w| w != "other")
            })
            .await;
        engine.change("a", |task| task.worker = Some("other".into()));
        cancelled.notified().await;
        engine.change("a", |task| (task.worker, task.locked_until) = (None, None));
    }
    engine
        .until("an incident", |engine| engine.task("a").retries == Some(0))
        .await;
    assert!(
        engine
            .task("a")
            .error_message
            .unwrap()
            .contains("lost its lock 2 times")
    );
}

#[tokio::test]
async fn a_lock_that_ran_out_and_that_nobody_took_is_no_mark_against_its_task() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    let (worker, gate) = gated("w");
    // Nothing is fetched while it runs, so that nobody renews its lock by delivering it again.
    let worker = Arc::new(worker.with(|profile| profile.concurrency = 1));
    let mut config = short_locks(&engine);
    config.limits.lost_locks = 1;
    let workforce =
        handoff_host::worker::Workforce::default().with_topic("order", crate::support::topic("t"), worker.clone());
    let _host = TestHost::start(config, workforce).await;
    worker.until_runs(1).await;
    engine.change("a", |task| task.locked_until = Some(Instant::now()));
    worker.until_runs(2).await;
    gate.add_permits(1);
    engine.until_ended("a").await;
    assert!(engine.calls_to("failure").is_empty());
    assert_eq!(engine.completions("a"), 1);
}

#[tokio::test]
async fn the_lock_is_kept_while_the_report_is_tried_again() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    engine.fault("complete", Fault::Busy(1));
    let (_host, worker) = host(&engine, completing("w")).await;
    engine.until_ended("a").await;
    assert!(
        engine.calls_to("extendLock").len() >= 2,
        "a second is more than two locks of 400 ms"
    );
    assert_eq!(worker.runs(), 1);
}

#[tokio::test]
async fn a_deferred_task_gets_the_lock_it_asks_for_and_keeps_it_past_the_hosts_stop() {
    let engine = FakeEngine::start().await;
    engine.add_with("a", "t", json!({}));
    let worker = NativeWorker::new("w", |_, _| async {
        use handoff_runtime::wit::types::{Deferral, Outcome};
        Ok(Outcome::Deferred(Deferral {
            lock_for_ms: Some(3_600_000),
            reason: Some("the listener completes".into()),
        }))
    });
    let (host, _) = TestHost::with(&engine, "", worker).await;
    engine
        .until("the lock was made longer", |engine| {
            engine
                .calls_to("extendLock")
                .iter()
                .any(|call| call.body["newDuration"] == 3_600_000)
        })
        .await;
    host.stop(2_000).await;
    assert!(
        engine.calls_to("unlock").is_empty(),
        "a deferred task stays locked when the host stops"
    );
    assert!(engine.task("a").worker.is_some());
}
