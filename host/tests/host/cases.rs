//! What happens to tasks while they are worked on, against a real engine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use handoff_host::worker::Workforce;
use handoff_runtime::CallErrorKind;
use serde_json::{Value as Json, json};

use crate::{
    real_engine::RealEngine,
    support::{NativeWorker, TestHost, call_error, completing, config, gated, topic},
};

const MODEL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="t">
  <message id="m" name="cancel"/>
  <process id="p" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
    <serviceTask id="work" camunda:type="external" camunda:topic="t"/>
    <boundaryEvent id="cancelled" attachedToRef="work"><messageEventDefinition messageRef="m"/></boundaryEvent>
    <sequenceFlow id="f2" sourceRef="work" targetRef="done"/>
    <sequenceFlow id="f3" sourceRef="cancelled" targetRef="stopped"/>
    <userTask id="done"/>
    <userTask id="stopped"/>
  </process>
</definitions>"#;

/// Runs until it is cancelled, and says so.
fn until_cancelled(cancelled: &Arc<AtomicBool>) -> NativeWorker {
    let cancelled = cancelled.clone();
    NativeWorker::new("w", move |_, context| {
        let (cancel, cancelled) = (context.cancel.clone(), cancelled.clone());
        // Told also when the run is dropped rather than polled again.
        tokio::spawn(async move {
            cancel.cancelled().await;
            cancelled.store(true, Ordering::SeqCst);
        });
        async move {
            context.cancel.cancelled().await;
            Err(call_error(CallErrorKind::Cancelled, "cancelled"))
        }
    })
}

struct Case {
    engine: RealEngine,
    host: TestHost,
    worker: Arc<NativeWorker>,
}

impl Case {
    /// A worker for topic `t`, under locks that are extended often.
    async fn start(worker: NativeWorker) -> Self {
        let engine = RealEngine::start().await;
        engine.deploy(MODEL, None).await;
        let worker = Arc::new(worker);
        let workforce = Workforce::default().with_topic("order", topic("t"), worker.clone());
        let mut config = config(&engine.url, "");
        config.engines.get_mut("order").unwrap().lock_duration_ms = 1_000;
        let host = TestHost::start(config, workforce).await;
        Self { engine, host, worker }
    }

    /// Starts an instance and waits until its task is worked on; answers the task's id.
    async fn working(&self) -> String {
        let begun = self.worker.runs();
        self.engine
            .post("/process-definition/key/p/start", json!({ "businessKey": "b" }))
            .await;
        self.worker.until_runs(begun + 1).await;
        let tasks = self.engine.get("/external-task").await;
        tasks[0]["id"].as_str().unwrap().to_owned()
    }

    /// Waits until the engine answers something that is as it should be.
    async fn until(&self, what: &str, path: &str, condition: impl Fn(&Json) -> bool) -> Json {
        let until = Instant::now() + Duration::from_secs(15);
        loop {
            let answer = self.engine.get(path).await;
            if condition(&answer) {
                return answer;
            }
            assert!(Instant::now() < until, "not reached: {what}; {path} answers {answer}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn until_at(&self, activity: &str) {
        self.until(&format!("the instance is at {activity}"), "/task", |tasks| {
            tasks[0]["taskDefinitionKey"] == activity
        })
        .await;
    }

    /// How often the external task's work was completed, by the engine's own log.
    async fn completions(&self) -> Json {
        self.engine
            .get("/history/external-task-log/count?successLog=true")
            .await["count"]
            .clone()
    }
}

#[tokio::test]
async fn lock_lost_while_working() {
    let cancelled = Arc::new(AtomicBool::new(false));
    // At its cap, so that this host does not take the task again.
    let case = Case::start(until_cancelled(&cancelled).with(|profile| profile.concurrency = 1)).await;
    let id = case.working().await;
    case.engine
        .post(&format!("/external-task/{id}/unlock"), Json::Null)
        .await;
    let fetch = json!({ "workerId": "other", "maxTasks": 1, "topics": [{ "topicName": "t", "lockDuration": 60_000 }] });
    let fetched = case.engine.post("/external-task/fetchAndLock", fetch).await;
    assert_eq!(fetched[0]["id"], id.as_str());
    crate::support::until("the run is cancelled", || cancelled.load(Ordering::SeqCst)).await;
    let task = case.engine.get(&format!("/external-task/{id}")).await;
    assert_eq!(
        (&task["workerId"], &task["retries"]),
        (&json!("other"), &Json::Null),
        "it is the other's, and no failure was reported"
    );
    case.engine
        .post(&format!("/external-task/{id}/complete"), json!({ "workerId": "other" }))
        .await;
    case.until_at("done").await;
    assert_eq!(case.completions().await, 1);
}

#[tokio::test]
async fn task_cancelled_by_a_boundary_event_while_working() {
    let cancelled = Arc::new(AtomicBool::new(false));
    let case = Case::start(until_cancelled(&cancelled)).await;
    case.working().await;
    case.engine
        .post("/message", json!({ "messageName": "cancel", "businessKey": "b" }))
        .await;
    crate::support::until("the run is cancelled", || cancelled.load(Ordering::SeqCst)).await;
    case.until_at("stopped").await;
    assert_eq!(case.completions().await, 0);
    let readiness = case.host.host.status().readiness();
    assert!(readiness.ready, "{readiness:?}");
    crate::support::until("nothing is in hand", || {
        case.host.host.status().readiness().engines["order"].running == 0
    })
    .await;
}

#[tokio::test]
async fn the_same_task_delivered_twice() {
    let (worker, gate) = gated("w");
    let case = Case::start(worker).await;
    let id = case.working().await;
    case.engine
        .post(&format!("/external-task/{id}/unlock"), Json::Null)
        .await;
    // This host polls on, and is given it again.
    case.until("it is locked again", &format!("/external-task/{id}"), |task| {
        task["workerId"].is_string()
    })
    .await;
    gate.add_permits(2);
    case.until_at("done").await;
    assert_eq!((case.worker.runs(), case.completions().await), (1, json!(1)));
}

#[tokio::test]
async fn poison_task_ends_in_retries_0() {
    for kind in [CallErrorKind::Trap, CallErrorKind::OutOfMemory] {
        let poison = NativeWorker::new("w", move |_, _| async move {
            Err(call_error(kind, "it kills its instance"))
        });
        let case = Case::start(poison.with(|profile| {
            profile.retries = 2;
            profile.retry_after = Duration::from_millis(20);
        }))
        .await;
        case.working().await;
        case.until("an incident", "/incident", |incidents| {
            incidents[0]["incidentType"] == "failedExternalTask"
        })
        .await;
        let task = &case.engine.get("/external-task").await[0];
        assert_eq!(
            (&task["retries"], &task["errorMessage"]),
            (&json!(0), &json!("worker w: it kills its instance"))
        );
        assert_eq!(case.worker.runs(), 3, "the first try and two more");
    }
}

#[tokio::test]
async fn task_that_makes_the_host_panic_ends_in_retries_0_too() {
    let poison = NativeWorker::new("w", |task, _| async move {
        assert!(task.topic.is_empty(), "a defect of the host");
        Ok(crate::support::done())
    });
    let case = Case::start(poison.with(|profile| {
        profile.retries = 1;
        profile.retry_after = Duration::from_millis(20);
    }))
    .await;
    case.working().await;
    case.until("an incident", "/incident/count", |count| count["count"] == 1)
        .await;
    let task = &case.engine.get("/external-task").await[0];
    assert!(
        task["errorMessage"].as_str().unwrap().contains("the host panicked"),
        "{task}"
    );
}

#[tokio::test]
async fn topic_nobody_subscribes() {
    let case = Case::start(completing("w")).await;
    let nobodys = MODEL
        .replace("topic=\"t\"", "topic=\"nobodys\"")
        .replace("id=\"p\"", "id=\"q\"");
    case.engine.deploy(&nobodys, None).await;
    for _ in 0..3 {
        case.engine.post("/process-definition/key/q/start", json!({})).await;
    }
    case.engine.post("/process-definition/key/p/start", json!({})).await;
    case.until_at("done").await;
    let left = case.engine.get("/external-task?notLocked=true").await;
    assert_eq!(left.as_array().unwrap().len(), 3, "what nobody asked for is not locked");
    assert!(case.host.host.status().readiness().ready);
}

#[tokio::test]
async fn topic_at_its_cap_beside_a_free_one() {
    let engine = RealEngine::start().await;
    engine.deploy(MODEL, None).await;
    let free = MODEL
        .replace("topic=\"t\"", "topic=\"free\"")
        .replace("id=\"p\"", "id=\"q\"");
    engine.deploy(&free, None).await;
    let (slow, gate) = gated("slow");
    let slow = Arc::new(slow.with(|profile| profile.concurrency = 1));
    let workforce = Workforce::default()
        .with_topic("order", topic("t"), slow.clone())
        .with_topic("order", topic("free"), Arc::new(completing("fast")));
    let _host = TestHost::start(config(&engine.url, ""), workforce).await;
    let start = async |key: &str| {
        engine
            .post(&format!("/process-definition/key/{key}/start"), json!({}))
            .await
    };
    start("p").await;
    slow.until_runs(1).await;
    start("p").await;
    for _ in 0..10 {
        start("q").await;
    }
    let count = async |path: &str| engine.get(path).await["count"].as_u64().unwrap();
    let reached = async |path: &str, expected: u64| {
        let until = Instant::now() + Duration::from_secs(10);
        while count(path).await != expected {
            assert!(Instant::now() < until, "{path} is not {expected}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    reached("/task/count?processDefinitionKey=q", 10).await;
    assert_eq!(
        count("/external-task/count?locked=true").await,
        1,
        "no slot, no lock: the second one of the slow topic is anybody's"
    );
    // A long poll of 20 s for the free topic is under way: the other does not wait for it.
    let freed = Instant::now();
    gate.add_permits(2);
    reached("/task/count?processDefinitionKey=p", 2).await;
    assert!(freed.elapsed() < Duration::from_secs(5), "{:?}", freed.elapsed());
}
