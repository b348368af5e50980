//! F2 and F3: starting once, and completing what somebody else holds.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use handoff_host::{
    Config,
    engines::{Engine, Fault, Holder, Settlement, camunda7::Camunda7},
};
use handoff_runtime::wit::{
    processes::{IfRunning, Message, StartRequest, StartStatus, StartTarget},
    tasks::Ending,
    types::Completion,
};
use serde_json::{Value as Json, json};

use crate::{
    fake_engine::{FakeEngine, Fault as Scripted},
    support::text,
};

fn connect(engine: &FakeEngine) -> Camunda7 {
    let text = format!(
        "[engines.inventory]\nurl = \"{}\"\n[workers]\ndir = \"none\"\n",
        engine.url()
    );
    let config = Config::parse(&text, Path::new("handoff.toml")).unwrap();
    Camunda7::new("inventory", "me", &config.engines["inventory"]).unwrap()
}

fn completion() -> Settlement {
    Settlement::Complete(Completion {
        variables: vec![text("x", "1")],
        local_variables: Vec::new(),
    })
}

#[tokio::test]
async fn a_locked_task_is_completed_in_its_holders_name() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    engine.change("a", |task| {
        (task.worker, task.locked_until) = (Some("other".into()), Some(Instant::now() + Duration::from_secs(60)))
    });
    assert_eq!(
        connect(&engine).settle_detached("a", &completion()).await,
        Ok(Ending::Completed)
    );
    assert_eq!(engine.task("a").ended.unwrap().1["workerId"], "other");
}

#[tokio::test]
async fn an_unlocked_task_is_locked_first_and_so_is_an_expired_one_where_that_matters() {
    for minds in [false, true] {
        let engine = FakeEngine::start().await;
        if minds {
            engine.mind_expiry();
        }
        engine.add("unlocked", "t");
        engine.add("expired", "t");
        engine.change("expired", |task| {
            (task.worker, task.locked_until) = (Some("other".into()), Some(Instant::now()))
        });
        let me = connect(&engine);
        assert_eq!(
            me.settle_detached("unlocked", &completion()).await,
            Ok(Ending::Completed)
        );
        assert_eq!(engine.task("unlocked").ended.unwrap().1["workerId"], "me");
        assert_eq!(
            me.settle_detached("expired", &completion()).await,
            Ok(Ending::Completed)
        );
        assert_eq!(
            engine.task("expired").ended.unwrap().1["workerId"],
            if minds { "me" } else { "other" }
        );
    }
}

#[tokio::test]
async fn a_task_that_is_gone_is_gone() {
    let engine = FakeEngine::start().await;
    let me = connect(&engine);
    assert_eq!(me.settle_detached("never", &completion()).await, Ok(Ending::Gone));
    assert_eq!(
        me.extend_detached("never", Duration::from_secs(1)).await,
        Ok(Ending::Gone)
    );
    assert_eq!(me.unlock_detached("never").await, Ok(Ending::Gone));
    assert_eq!(me.holder("never").await, Ok(Holder::Gone));
}

#[tokio::test]
async fn whoever_was_faster_is_asked_for_again_but_not_for_ever() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    engine.change("a", |task| {
        (task.worker, task.locked_until) = (Some("first".into()), Some(Instant::now() + Duration::from_secs(60)))
    });
    engine.fault("complete", Scripted::Rival("second".into()));
    engine.fault("complete", Scripted::Rival("third".into()));
    let me = connect(&engine);
    assert_eq!(me.settle_detached("a", &completion()).await, Ok(Ending::Completed));
    assert_eq!(engine.task("a").ended.unwrap().1["workerId"], "third");

    engine.add("b", "t");
    engine.change("b", |task| task.worker = Some("first".into()));
    for rival in 0..20 {
        engine.fault("b/complete", Scripted::Rival(format!("rival {rival}")));
    }
    assert!(matches!(
        me.settle_detached("b", &completion()).await,
        Err(Fault::Rejected(_))
    ));
    let reads = engine
        .calls()
        .into_iter()
        .filter(|call| call.method == "GET" && call.path == "external-task/b")
        .count();
    assert_eq!(reads, 5);
}

#[tokio::test]
async fn what_the_engine_rolled_back_is_tried_again_within_the_call() {
    let engine = FakeEngine::start().await;
    let failed = |message: &str| json!({ "type": "ProcessEngineException", "message": message, "code": 0 }).to_string();
    engine.add("a", "t");
    engine.fault(
        "a/complete",
        Scripted::Answer(500, failed("Timeout trying to lock table")),
    );
    let me = connect(&engine);
    assert_eq!(me.settle_detached("a", &completion()).await, Ok(Ending::Completed));
    assert_eq!(engine.calls_to("a/complete").len(), 2);

    engine.add("b", "t");
    for _ in 0..20 {
        engine.fault(
            "b/complete",
            Scripted::Answer(500, failed("the script behind it fails")),
        );
    }
    let result = me.settle_detached("b", &completion()).await;
    assert!(
        matches!(&result, Err(Fault::Failed(reason)) if reason.contains("the script behind it fails")),
        "{result:?}"
    );
    assert_eq!(engine.calls_to("b/complete").len(), 5);
}

#[tokio::test]
async fn what_the_engine_does_not_take_is_said_and_the_lock_is_not_kept() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    let refused =
        json!({ "type": "InvalidRequestException", "message": "Unsupported value type", "code": null }).to_string();
    for _ in 0..5 {
        engine.fault("complete", Scripted::Answer(400, refused.clone()));
    }
    let result = connect(&engine).settle_detached("a", &completion()).await;
    assert!(
        matches!(&result, Err(Fault::Rejected(reason)) if reason.contains("Unsupported value type")),
        "{result:?}"
    );
    assert_eq!(engine.task("a").worker, None);
}

fn start(target: StartTarget) -> StartRequest {
    StartRequest {
        engine: "inventory".into(),
        target,
        business_key: Some("o-1".into()),
        dedupe_key: Some("order/t1".into()),
        if_running: IfRunning::Join,
        variables: vec![text("EXTERNAL_TASK_ID", "t1")],
        tenant_id: None,
    }
}

fn by_message() -> StartRequest {
    start(StartTarget::Message("inventory_check_needed".into()))
}

#[tokio::test]
async fn our_engine_is_told_the_dedupe_key_and_says_what_it_did() {
    let engine = FakeEngine::start().await;
    engine.be_handoff();
    let instance = |status: &str| {
        json!([{ "resultType": "ProcessDefinition", "execution": null,
                 "processInstance": { "id": "p1", "definitionId": "inventory:1:1", "businessKey": "o-1" },
                 "handoff": { "status": status } }])
    };
    for status in ["created", "already-running", "already-ended"] {
        engine.answer("POST message", 200, instance(status));
    }
    let me = connect(&engine);
    for expected in [
        StartStatus::Created,
        StartStatus::AlreadyRunning,
        StartStatus::AlreadyEnded,
    ] {
        let started = me.start(&by_message()).await.unwrap();
        assert_eq!((started.process_instance_id.as_str(), started.status), ("p1", expected));
    }
    let sent = &engine.calls_to("message")[0].body;
    assert_eq!(
        (&sent["dedupeKey"], &sent["ifRunning"], &sent["resultEnabled"]),
        (&json!("order/t1"), &json!("join"), &json!(true))
    );
    assert_eq!(sent["processVariables"]["EXTERNAL_TASK_ID"]["value"], "t1");

    engine.answer(
        "POST process-definition/key/inventory/start",
        400,
        json!({ "type": "HandoffAlreadyRunning", "message": "runs", "code": null }),
    );
    let rejected = me
        .start(&StartRequest {
            if_running: IfRunning::Reject,
            ..start(StartTarget::DefinitionKey("inventory".into()))
        })
        .await;
    assert!(matches!(rejected, Err(Fault::Rejected(_))), "{rejected:?}");
}

/// A plain Camunda 7 in which nothing runs or ran, that starts `p1`.
async fn plain() -> FakeEngine {
    let engine = FakeEngine::start().await;
    engine.answer(
        "POST message",
        200,
        json!([{ "resultType": "ProcessDefinition", "execution": null,
        "processInstance": { "id": "p1", "definitionId": "inventory:1:1", "businessKey": "o-1" } }]),
    );
    engine
}

#[tokio::test]
async fn on_plain_camunda_one_key_starts_one_instance() {
    let engine = plain().await;
    let found = json!([{ "id": "p1", "processDefinitionId": "inventory:1:1", "businessKey": "o-1", "endTime": null }]);
    engine.answer("POST history/process-instance", 200, json!([]));
    engine.answer("POST history/process-instance", 200, found);
    engine.answer("POST process-instance", 200, json!([]));
    let me = connect(&engine);
    let request = by_message();
    let (first, second) = tokio::join!(me.start(&request), me.start(&request));
    let mut statuses = [first.unwrap().status, second.unwrap().status];
    statuses.sort_by_key(|status| *status as u8);
    assert_eq!(statuses, [StartStatus::Created, StartStatus::AlreadyRunning]);
    let sent = engine.calls_to("message");
    assert_eq!(sent.len(), 1);
    assert_eq!(
        sent[0].body["processVariables"]["handoffDedupeKey"]["value"],
        "order/t1"
    );
    assert_eq!(
        (&sent[0].body["dedupeKey"], &sent[0].body["ifRunning"]),
        (&Json::Null, &Json::Null),
        "what it does not know is not sent"
    );
}

#[tokio::test]
async fn on_plain_camunda_an_instance_that_has_ended_is_not_started_again() {
    let engine = plain().await;
    engine.answer(
        "POST history/process-instance",
        200,
        json!([{ "id": "old", "endTime": "2026-01-01T00:00:00.000+0000" }]),
    );
    let started = connect(&engine).start(&by_message()).await.unwrap();
    assert_eq!(
        (started.process_instance_id.as_str(), started.status),
        ("old", StartStatus::AlreadyEnded)
    );
    assert!(engine.calls_to("message").is_empty());
}

#[tokio::test]
async fn on_plain_camunda_only_instances_that_the_message_starts_count_as_running() {
    let engine = plain().await;
    engine.answer("POST history/process-instance", 200, json!([]));
    // First the two lookups by dedupe key and business key of one start, then those of the other.
    let order = json!({ "id": "o", "definitionId": "order:1:1", "businessKey": "o-1" });
    let inventory = json!({ "id": "i", "definitionId": "inventory:1:1", "businessKey": "o-1" });
    engine.answer("POST process-instance", 200, json!([]));
    engine.answer("POST process-instance", 200, json!([order]));
    engine.answer("POST process-instance", 200, json!([]));
    engine.answer("POST process-instance", 200, json!([order, inventory]));
    engine.answer("POST process-instance", 200, json!([]));
    engine.answer("POST process-instance", 200, json!([inventory]));
    let xml = |key: &str, message: &str| {
        json!({ "id": "x", "bpmn20Xml": format!(
            "<definitions><message id='m' name='{message}'/><process id='{key}'><startEvent id='s'><messageEventDefinition messageRef='m'/></startEvent></process></definitions>") })
    };
    engine.answer(
        "GET process-definition/order:1:1/xml",
        200,
        xml("order", "order_placed"),
    );
    engine.answer(
        "GET process-definition/inventory:1:1/xml",
        200,
        xml("inventory", "inventory_check_needed"),
    );
    let me = connect(&engine);
    assert_eq!(
        me.start(&by_message()).await.unwrap().status,
        StartStatus::Created,
        "another process with the same key"
    );
    let joined = me.start(&by_message()).await.unwrap();
    assert_eq!(
        (joined.process_instance_id.as_str(), joined.status),
        ("i", StartStatus::AlreadyRunning)
    );
    let rejected = me
        .start(&StartRequest {
            if_running: IfRunning::Reject,
            ..by_message()
        })
        .await;
    assert!(matches!(rejected, Err(Fault::Rejected(_))), "{rejected:?}");
    assert_eq!(engine.calls_to("message").len(), 1);
}

#[tokio::test]
async fn an_engine_that_cannot_say_what_it_is_starts_nothing() {
    let engine = plain().await;
    engine.fault("handoff", Scripted::Busy(0));
    assert!(matches!(
        connect(&engine).start(&by_message()).await,
        Err(Fault::Unavailable { .. })
    ));
    assert!(engine.calls_to("message").is_empty());
}

fn message() -> Message {
    Message {
        engine: "inventory".into(),
        name: "inventory checked".into(),
        business_key: Some("o-1".into()),
        process_instance_id: None,
        correlation_keys: Vec::new(),
        local_correlation_keys: Vec::new(),
        variables: vec![text("stock", "3")],
        local_variables: Vec::new(),
        tenant_id: None,
        all: false,
    }
}

#[tokio::test]
async fn a_message_without_a_receiver_is_a_mismatch() {
    let engine = FakeEngine::start().await;
    let mismatch = "org.camunda.bpm.engine.MismatchingMessageCorrelationException: Cannot correlate message 'inventory checked': No process definition or execution matches the parameters";
    engine.answer(
        "POST message",
        400,
        json!({ "type": "RestException", "message": mismatch, "code": 0 }),
    );
    assert!(matches!(
        connect(&engine).correlate(&message()).await,
        Err(Fault::Mismatch(_))
    ));
}

#[tokio::test]
async fn a_message_for_an_execution_never_starts_an_instance() {
    let engine = FakeEngine::start().await;
    engine.answer("POST execution", 200, json!([]));
    engine.answer(
        "POST execution",
        200,
        json!([{ "id": "e1", "processInstanceId": "p1" }]),
    );
    engine.answer(
        "POST message",
        200,
        json!([{ "resultType": "Execution", "processInstance": null,
        "execution": { "id": "e1", "processInstanceId": "p1", "ended": false } }]),
    );
    let me = connect(&engine);
    let to_instance = Message {
        process_instance_id: Some("p1".into()),
        ..message()
    };
    assert!(matches!(me.correlate(&to_instance).await, Err(Fault::Mismatch(_))));
    assert!(engine.calls_to("message").is_empty(), "Camunda would have started one");
    let receivers = me.correlate(&to_instance).await.unwrap();
    assert_eq!(
        (
            receivers[0].process_instance_id.as_str(),
            receivers[0].execution_id.as_deref()
        ),
        ("p1", Some("e1"))
    );
}
