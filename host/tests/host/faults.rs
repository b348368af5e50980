//! What goes wrong between host and engine: no task is lost, none is done twice in effect, nothing is tried in a busy
//! loop, and the host recovers by itself.

use std::time::{Duration, Instant};

use handoff_runtime::wit::types::{Completion, Outcome};
use serde_json::json;

use crate::{
    fake_engine::{FakeEngine, Fault},
    support::{TestHost, completing, config, topic},
};

#[tokio::test]
async fn an_engine_that_is_not_there_yet_is_waited_for() {
    // A port that nobody listens at: bound once, and free again.
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let workforce = handoff_host::worker::Workforce::default().with_topic(
        "order",
        topic("t"),
        std::sync::Arc::new(completing("w")),
    );
    let host = TestHost::start(config(&format!("http://{address}/engine-rest"), ""), workforce).await;
    let status = host.host.status().clone();
    tokio::time::timeout(Duration::from_secs(5), async {
        while !status
            .readiness()
            .problems
            .iter()
            .any(|problem| problem.contains("cannot connect"))
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("readiness says that the engine cannot be reached");
    assert!(!status.readiness().ready);
    let engine = FakeEngine::start_at(address).await;
    engine.add("a", "t");
    engine.until_ended("a").await;
    // A probe that was refused a moment before may have been noted after the poll that succeeded.
    tokio::time::timeout(Duration::from_secs(10), async {
        while !status.readiness().ready {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("readiness says that the engine is there");
}

#[tokio::test]
async fn a_half_open_poll_ends_by_the_hosts_own_time() {
    let engine = FakeEngine::start().await;
    engine.fault("fetchAndLock", Fault::Hang);
    let workforce = handoff_host::worker::Workforce::default().with_topic(
        "order",
        topic("t"),
        std::sync::Arc::new(completing("w")),
    );
    let mut config = config(&engine.url(), "");
    config.engines.get_mut("order").unwrap().long_poll_ms = 200;
    config.engines.get_mut("order").unwrap().request_timeout_ms = 300;
    let _host = TestHost::start(config, workforce).await;
    engine.add("a", "t");
    engine.until_ended("a").await;
    let polls = engine.calls_to("fetchAndLock");
    assert!(
        polls[1].at - polls[0].at >= Duration::from_millis(500),
        "the first poll had its time"
    );
}

#[tokio::test]
async fn tasks_that_a_cut_off_answer_locked_are_given_back() {
    let engine = FakeEngine::start().await;
    engine.fault("fetchAndLock", Fault::Truncate);
    engine.add("a", "t");
    engine.add("b", "t");
    let began = Instant::now();
    let (_host, worker) = TestHost::with(&engine, "", completing("w")).await;
    engine.until_ended("a").await;
    engine.until_ended("b").await;
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "their lock would have lasted a minute"
    );
    assert_eq!(worker.runs(), 2);
    assert_eq!(engine.calls_to("unlock").len(), 2);
}

#[tokio::test]
async fn what_is_locked_on_purpose_is_not_given_back() {
    let engine = FakeEngine::start().await;
    engine.add_with("defer", "t", json!({}));
    engine.add_with("fail", "t", json!({}));
    let worker = crate::support::NativeWorker::new("w", |task, _| async move {
        use handoff_runtime::wit::types::{Deferral, Outcome};
        match task.id.id.as_str() {
            "defer" => Ok(Outcome::Deferred(Deferral {
                lock_for_ms: None,
                reason: None,
            })),
            "fail" => Err(crate::support::call_error(
                handoff_runtime::CallErrorKind::Trap,
                "unreachable",
            )),
            _ => Ok(crate::support::done()),
        }
    })
    .with(|profile| profile.retry_after = Duration::from_secs(600));
    let (_host, _) = TestHost::with(&engine, "", worker).await;
    engine
        .until("the failure is reported", |engine| {
            engine.task("fail").retries == Some(3)
        })
        .await;
    // The poll that waits now returns with this task; the next one locks the ghost and is cut off.
    engine.fault("fetchAndLock", Fault::Truncate);
    let polls = engine.calls_to("fetchAndLock").len();
    engine.add("next", "t");
    engine.until_ended("next").await;
    engine
        .until("the next poll waits", |engine| {
            engine.calls_to("fetchAndLock").len() > polls
        })
        .await;
    engine.add("ghost", "t");
    engine.until_ended("ghost").await;
    let unlocked: Vec<_> = engine.calls_to("unlock").into_iter().map(|call| call.path).collect();
    assert_eq!(unlocked, ["external-task/ghost/unlock"]);
}

#[tokio::test]
async fn optimistic_locking_is_tried_again_without_running_the_worker_again() {
    let engine = FakeEngine::start().await;
    let conflict = json!({ "type": "OptimisticLockingException", "message": "m", "code": 1 }).to_string();
    engine.fault("complete", Fault::Answer(500, conflict.clone()));
    engine.fault("complete", Fault::Answer(500, conflict));
    engine.add("a", "t");
    let (_host, worker) = TestHost::with(&engine, "", completing("w")).await;
    engine.until_ended("a").await;
    assert_eq!((worker.runs(), engine.calls_to("complete").len()), (1, 3));
}

#[tokio::test]
async fn a_busy_engine_gets_the_time_that_it_asks_for() {
    let engine = FakeEngine::start().await;
    engine.fault("complete", Fault::Busy(1));
    engine.fault("fetchAndLock", Fault::Busy(1));
    engine.add("a", "t");
    let (_host, worker) = TestHost::with(&engine, "", completing("w")).await;
    engine.until_ended("a").await;
    for suffix in ["fetchAndLock", "complete"] {
        let calls = engine.calls_to(suffix);
        assert!(calls[1].at - calls[0].at >= Duration::from_secs(1), "{suffix}");
    }
    assert_eq!(worker.runs(), 1);
}

#[tokio::test]
async fn an_error_page_is_neither_an_answer_nor_a_busy_loop() {
    let engine = FakeEngine::start().await;
    for status in [200, 502, 404] {
        engine.fault("fetchAndLock", Fault::Answer(status, "<html>Sorry</html>".into()));
    }
    // A proxy's 404 is not the engine's word that the task is gone.
    engine.fault("complete", Fault::Answer(404, "<html>nginx</html>".into()));
    engine.add("a", "t");
    let (_host, worker) = TestHost::with(&engine, "", completing("w")).await;
    engine.until_ended("a").await;
    assert_eq!((worker.runs(), engine.calls_to("complete").len()), (1, 2));
    let polls = engine.calls_to("fetchAndLock");
    assert!(
        polls[3].at - polls[0].at >= Duration::from_millis(300),
        "errors back off"
    );
}

#[tokio::test]
async fn a_completion_whose_answer_is_lost_counts_once() {
    let engine = FakeEngine::start().await;
    engine.fault("complete", Fault::Break);
    engine.add("a", "t");
    let (host, worker) = TestHost::with(&engine, "", completing("w")).await;
    engine
        .until("the completion is repeated", |engine| {
            engine.calls_to("complete").len() == 2
        })
        .await;
    host.stop(2_000).await;
    assert_eq!(worker.runs(), 1);
    assert!(engine.calls_to("failure").is_empty() && engine.calls_to("unlock").is_empty());
}

#[tokio::test]
async fn a_file_that_cannot_be_read_now_is_read_later() {
    let engine = FakeEngine::start().await;
    let path = "process-instance/execution-a/variables/scan/data";
    engine.answer(&format!("GET {path}"), 200, json!("content"));
    engine.fault(path, Fault::Answer(502, "<html>Bad Gateway</html>".into()));
    engine.fault(path, Fault::Busy(0));
    let scan = json!({ "scan": { "type": "File", "value": null, "valueInfo": { "filename": "a.txt" } } });
    engine.add_with("a", "t", scan);
    let worker = crate::support::NativeWorker::new("w", |mut task, _| async move {
        let mut copy = task.variables.remove(0);
        copy.name = "copy".into();
        Ok(Outcome::Complete(Completion {
            variables: vec![copy],
            local_variables: Vec::new(),
        }))
    });
    let (_host, worker) = TestHost::with(&engine, "", worker).await;
    let completed = engine.until_ended("a").await;
    assert_eq!(completed["variables"]["copy"]["value"], "ImNvbnRlbnQi");
    assert_eq!((worker.runs(), engine.calls_to(path).len()), (1, 3));
    assert!(engine.calls_to("failure").is_empty());
}

#[tokio::test]
async fn a_result_that_the_engine_does_not_take_becomes_a_failure() {
    let engine = FakeEngine::start().await;
    let refused =
        json!({ "type": "InvalidRequestException", "message": "Unsupported value type 'Json'", "code": null });
    engine.fault("complete", Fault::Answer(400, refused.to_string()));
    engine.add("a", "t");
    let (_host, _) = TestHost::with(&engine, "", completing("w")).await;
    engine
        .until("the failure is reported", |engine| engine.task("a").retries == Some(3))
        .await;
    assert!(
        engine
            .task("a")
            .error_message
            .unwrap()
            .contains("Unsupported value type")
    );
}

#[tokio::test]
async fn a_task_that_is_too_large_by_itself_fails_for_good_and_keeps_no_other_from_ending() {
    let engine = FakeEngine::start().await;
    let text = |bytes: usize| json!({ "v": { "type": "String", "value": "x".repeat(bytes), "valueInfo": {} } });
    // In the middle: those before it fit into the answer, those behind it are locked by an answer that is cut off.
    for id in ["a", "b", "c", "y", "z"] {
        engine.add_with(id, "t", text(1 << 10));
    }
    engine.add_with("giant", "t", text(3 << 20));
    let (host, worker) = TestHost::with(&engine, "max-answer-mb = 1", completing("w")).await;
    engine
        .until("the giant failed", |engine| {
            engine.task("giant").error_message.is_some()
        })
        .await;
    for id in ["a", "b", "c", "y", "z"] {
        engine.until_ended(id).await;
    }
    let giant = engine.task("giant");
    let reason = giant.error_message.unwrap();
    for said in [
        "task giant",
        "max-answer-mb = 1",
        "[engines.order]",
        "`variables` of topic `t`",
    ] {
        assert!(reason.contains(said), "{said} in {reason}");
    }
    assert_eq!(giant.retries, Some(0), "another try would not help");
    assert_eq!(worker.runs(), 5, "the giant is not run");
    assert_eq!(engine.calls_to("failure").len(), 1);
    // What comes later is fetched many at a time again, and the host is well.
    engine.add("later", "t");
    engine.until_ended("later").await;
    assert!(
        host.host.status().readiness().ready,
        "{:?}",
        host.host.status().readiness()
    );
    host.stop(1_000).await;
}

#[tokio::test]
async fn tasks_that_are_too_large_together_are_fetched_apart() {
    let engine = FakeEngine::start().await;
    for index in 0..8 {
        let large = json!({ "v": { "type": "String", "value": "x".repeat(300 << 10), "valueInfo": {} } });
        engine.add_with(&index.to_string(), "t", large);
    }
    let (host, worker) = TestHost::with(&engine, "max-answer-mb = 1", completing("w")).await;
    for index in 0..8 {
        engine.until_ended(&index.to_string()).await;
    }
    assert_eq!(worker.runs(), 8);
    assert_eq!(engine.calls_to("fetchAndLock")[0].body["maxTasks"], 8);
    assert!(engine.calls_to("failure").is_empty());
    host.stop(1_000).await;
}
