//! What is asked for, and when.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use handoff_host::worker::Workforce;
use serde_json::json;

use crate::{
    fake_engine::FakeEngine,
    support::{TestHost, completing, config, gated, topic},
};

fn topics(call: &crate::fake_engine::Call) -> Vec<String> {
    call.body["topics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|topic| topic["topicName"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn without_topics_nothing_is_asked_for() {
    let engine = FakeEngine::start().await;
    let host = TestHost::start(config(&engine.url(), ""), Workforce::default()).await;
    engine
        .until("the engine was asked what it can do", |engine| {
            !engine.calls_to("version").is_empty()
        })
        .await;
    // Nothing to await: this is about what does not happen.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(engine.calls().len() <= 2, "{:?}", engine.calls());
    assert!(host.host.status().readiness().ready);
    host.workforce.send_replace(Arc::new(Workforce::default().with_topic(
        "order",
        topic("t"),
        Arc::new(completing("w")),
    )));
    engine.add("a", "t");
    engine.until_ended("a").await;
}

#[tokio::test]
async fn one_long_poll_asks_for_all_topics() {
    let engine = FakeEngine::start().await;
    let workforce = ["t1", "t2", "t3"]
        .into_iter()
        .fold(Workforce::default(), |workforce, name| {
            workforce.with_topic("order", topic(name), Arc::new(completing(name)))
        });
    let _host = TestHost::start(config(&engine.url(), ""), workforce).await;
    engine
        .until("polled", |engine| !engine.calls_to("fetchAndLock").is_empty())
        .await;
    engine.add("a", "t2");
    engine.until_ended("a").await;
    let first = &engine.calls_to("fetchAndLock")[0];
    assert_eq!(topics(first), ["t1", "t2", "t3"]);
    assert_eq!(first.body["asyncResponseTimeout"], 20_000);
    assert_eq!(first.body["usePriority"], true);
    assert_eq!(first.body["topics"][0]["lockDuration"], 60_000);
    assert_eq!(first.body["maxTasks"], 8, "what the workers can run now");
}

#[tokio::test]
async fn a_topic_at_its_cap_is_left_out_beside_a_free_one() {
    let engine = FakeEngine::start().await;
    let (slow, gate) = gated("slow");
    let workforce = Workforce::default()
        .with_topic(
            "order",
            topic("slow"),
            Arc::new(slow.with(|profile| profile.concurrency = 1)),
        )
        .with_topic("order", topic("fast"), Arc::new(completing("fast")));
    let _host = TestHost::start(config(&engine.url(), ""), workforce).await;
    engine.add("s1", "slow");
    engine
        .until("the slow worker has its task", |engine| {
            engine.task("s1").worker.is_some()
        })
        .await;
    engine.add("s2", "slow");
    for index in 0..20 {
        let id = format!("f{index}");
        engine.add(&id, "fast");
        engine.until_ended(&id).await;
    }
    assert!(engine.task("s2").worker.is_none(), "no slot, no lock");
    // A long poll of 20 s for the fast topic is under way: the freed topic does not wait for it.
    let freed = Instant::now();
    gate.add_permits(2);
    engine.until_ended("s2").await;
    assert!(freed.elapsed() < Duration::from_secs(3), "{:?}", freed.elapsed());
}

#[tokio::test]
async fn tasks_are_fetched_only_for_free_slots() {
    let engine = FakeEngine::start().await;
    for index in 0..50 {
        engine.add(&format!("{index:02}"), "t");
    }
    let (worker, gate) = gated("w");
    let (_host, worker) = TestHost::with(&engine, "", worker.with(|profile| profile.concurrency = 5)).await;
    engine.until("the slots are full", |engine| locked(engine) == 5).await;
    for _ in 0..45 {
        gate.add_permits(1);
    }
    engine.until("45 ended", |engine| ended(engine) == 45).await;
    engine.until("and 5 run", |engine| locked(engine) == 50).await;
    gate.add_permits(5);
    engine.until("all ended", |engine| ended(engine) == 50).await;
    assert_eq!(worker.runs(), 50);
    assert!(engine.calls_to("unlock").is_empty());
}

fn locked(engine: &FakeEngine) -> usize {
    (0..50)
        .filter(|index| engine.task(&format!("{index:02}")).worker.is_some())
        .count()
}

fn ended(engine: &FakeEngine) -> usize {
    (0..50)
        .filter(|index| engine.task(&format!("{index:02}")).ended.is_some())
        .count()
}

#[tokio::test]
async fn an_engine_that_does_not_wait_is_not_asked_in_a_busy_loop() {
    let engine = FakeEngine::start().await;
    engine.answer_at_once();
    let (_host, _) = TestHost::with(&engine, "", completing("w")).await;
    engine
        .until("polled", |engine| !engine.calls_to("fetchAndLock").is_empty())
        .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(
        engine.calls_to("fetchAndLock").len() <= 15,
        "{}",
        engine.calls_to("fetchAndLock").len()
    );
    engine.add("a", "t");
    engine.until_ended("a").await;
}

#[tokio::test]
async fn all_filters_are_sent_and_all_values_arrive() {
    let engine = FakeEngine::start().await;
    let mut subscription = topic("t");
    subscription.variables = Some(vec!["orderId".into()]);
    subscription.local_variables = true;
    subscription.business_key = Some("key".into());
    subscription.process_definition_key_in = vec!["p".into(), "q".into()];
    subscription.process_definition_version_tag = Some("v1".into());
    subscription.process_variables.insert("vip".into(), json!(true));
    subscription.tenant_ids = vec!["blue".into()];
    subscription.include_extension_properties = true;
    subscription.lock_duration_ms = Some(1_234);
    let seen = Arc::new(parking_lot::Mutex::new(None));
    let worker = crate::support::NativeWorker::new("w", {
        let seen = seen.clone();
        move |task, _| {
            *seen.lock() = Some(task);
            async { Ok(crate::support::done()) }
        }
    });
    let workforce = Workforce::default().with_topic("order", subscription, Arc::new(worker));
    let _host = TestHost::start(config(&engine.url(), ""), workforce).await;
    engine.add_with(
        "a",
        "t",
        json!({ "orderId": { "type": "Long", "value": 9_007_199_254_740_993_i64, "valueInfo": {} },
                "file": { "type": "File", "value": null, "valueInfo": { "filename": "a.txt" } } }),
    );
    engine.until_ended("a").await;
    let sent = &engine.calls_to("fetchAndLock")[0].body["topics"][0];
    let expected = json!({
        "topicName": "t", "lockDuration": 1234, "variables": ["orderId"], "localVariables": true, "businessKey": "key",
        "processDefinitionKeyIn": ["p", "q"], "processDefinitionVersionTag": "v1", "processVariables": { "vip": true },
        "tenantIdIn": ["blue"], "includeExtensionProperties": true, "deserializeValues": false,
    });
    assert_eq!(sent, &expected);
    let task = seen.lock().take().unwrap();
    assert_eq!(task.business_key.as_deref(), Some("key-a"));
    use handoff_runtime::wit::types::{FileContent, Value};
    let value = |name: &str| task.variables.iter().find(|v| v.name == name).unwrap().value.clone();
    assert_eq!(value("orderId"), Value::Long(9_007_199_254_740_993));
    assert!(
        matches!(value("file"), Value::File(file) if matches!(&file.content, FileContent::Reference(r) if r.execution_id == "execution-a"))
    );
}
