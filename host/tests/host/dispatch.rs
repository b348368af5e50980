//! What becomes of a worker's outcome, and of a worker that has none.

use handoff_runtime::{
    CallErrorKind,
    wit::types::{BpmnError, Failure, Outcome},
};
use serde_json::json;

use crate::{
    fake_engine::FakeEngine,
    support::{NativeWorker, TestHost, call_error, done, text},
};

#[tokio::test]
async fn outcomes_reach_the_engine_with_their_variables() {
    let engine = FakeEngine::start().await;
    let worker = NativeWorker::new("w", |task, _| async move {
        Ok(match task.id.id.as_str() {
            "error" => Outcome::BpmnError(BpmnError {
                code: "out-of-stock".into(),
                message: Some("none left".into()),
                variables: vec![text("sku", "a1")],
            }),
            "failure" => Outcome::Failure(Failure {
                message: "the service is away".into(),
                details: Some("timeout".into()),
                retries: Some(7),
                retry_after_ms: Some(60_000),
                variables: Vec::new(),
                local_variables: Vec::new(),
            }),
            _ => done(),
        })
    });
    engine.add("complete", "t");
    engine.add("error", "t");
    engine.add("failure", "t");
    let (_host, _) = TestHost::with(&engine, "", worker).await;
    let completion = engine.until_ended("complete").await;
    assert_eq!(
        completion["variables"]["done"],
        json!({ "type": "String", "value": "yes" })
    );
    let error = engine.until_ended("error").await;
    assert_eq!(
        (&error["errorCode"], &error["errorMessage"]),
        (&json!("out-of-stock"), &json!("none left"))
    );
    engine
        .until("the failure is reported", |engine| {
            engine.task("failure").retries == Some(7)
        })
        .await;
    let failure = &engine.calls_to("failure/failure")[0].body;
    assert_eq!(
        (&failure["retryTimeout"], &failure["errorDetails"]),
        (&json!(60_000), &json!("timeout"))
    );
}

#[tokio::test]
async fn whatever_stops_a_worker_is_a_failure_that_says_why_until_no_retries_are_left() {
    let kinds = [
        CallErrorKind::Trap,
        CallErrorKind::Deadline,
        CallErrorKind::OutOfMemory,
        CallErrorKind::StackOverflow,
    ];
    for kind in kinds {
        let engine = FakeEngine::start().await;
        let worker = NativeWorker::new("w", move |_, context| async move {
            if kind == CallErrorKind::Deadline {
                let mut deadline = context.deadline;
                deadline.passed().await;
            }
            Err(call_error(kind, "this went wrong"))
        })
        .with(|profile| {
            profile.retries = 2;
            profile.retry_after = std::time::Duration::from_millis(20);
            profile.time_limit = std::time::Duration::from_millis(100);
        });
        engine.add("a", "t");
        let (_host, worker) = TestHost::with(&engine, "", worker).await;
        engine
            .until("an incident", |engine| engine.task("a").retries == Some(0))
            .await;
        let reported: Vec<_> = engine.calls_to("failure").into_iter().map(|call| call.body).collect();
        assert_eq!(
            reported
                .iter()
                .map(|body| body["retries"].as_u64().unwrap())
                .collect::<Vec<_>>(),
            [2, 1, 0],
            "{kind:?}"
        );
        assert_eq!(reported[0]["errorMessage"], "worker w: this went wrong");
        let details = reported[0]["errorDetails"].as_str().unwrap();
        assert!(
            details.contains("at spin") && details.contains("a last line"),
            "{details}"
        );
        assert_eq!(worker.runs(), 3);
    }
}

#[tokio::test]
async fn no_capacity_is_no_attempt() {
    let engine = FakeEngine::start().await;
    let first = std::sync::atomic::AtomicBool::new(true);
    let worker = NativeWorker::new("w", move |_, _| {
        let first = first.swap(false, std::sync::atomic::Ordering::SeqCst);
        async move {
            if first {
                Err(call_error(CallErrorKind::NoCapacity, "no instance is free"))
            } else {
                Ok(done())
            }
        }
    });
    engine.add("a", "t");
    let (_host, worker) = TestHost::with(&engine, "", worker).await;
    engine.until_ended("a").await;
    assert_eq!(
        (
            worker.runs(),
            engine.calls_to("unlock").len(),
            engine.calls_to("failure").len()
        ),
        (2, 1, 0)
    );
}

#[tokio::test]
async fn a_task_whose_values_are_broken_fails_and_says_which() {
    let engine = FakeEngine::start().await;
    engine.add_with("a", "t", json!({ "count": { "type": "Integer", "value": "many" } }));
    let (_host, worker) = TestHost::with(&engine, "", crate::support::completing("w")).await;
    engine
        .until("the failure is reported", |engine| engine.task("a").retries.is_some())
        .await;
    assert!(engine.task("a").error_message.unwrap().contains("count"));
    assert_eq!(worker.runs(), 0);
}
