//! A command that waits for its delegate keeps nobody else waiting.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use handoff_harness::{
    Engine,
    proxy::{Exchange, Faults, Gate, Proxy, Request},
};
use serde_json::json;

use crate::scene::Ground;

/// How long the delegate takes at least.
const SLOW: Duration = Duration::from_secs(5);
/// Commands that run meanwhile.
const COMMANDS: usize = 1_000;
const CONNECTIONS: usize = 8;

/// A delegate that answers when it is allowed to, and has taken its time.
struct SlowDelegate {
    called: Arc<Gate>,
    allowed: Arc<Gate>,
}

impl Faults for SlowDelegate {
    fn request(&self, _: &Exchange) -> Request {
        let start = Instant::now();
        self.called.open();
        self.allowed.wait();
        thread::sleep(SLOW.saturating_sub(start.elapsed()));
        Request::Answer(json!({"version": 1, "variables": {}, "localVariables": {}}).to_string())
    }
}

fn model(id: &str, task: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="definitions" targetNamespace="test">
  <bpmn:process id="{id}" isExecutable="true" camunda:historyTimeToLive="P1D">
    <bpmn:startEvent id="start"><bpmn:outgoing>a</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="task" />
    <bpmn:serviceTask id="task" {task}><bpmn:incoming>a</bpmn:incoming><bpmn:outgoing>b</bpmn:outgoing></bpmn:serviceTask>
    <bpmn:sequenceFlow id="b" sourceRef="task" targetRef="end" />
    <bpmn:endEvent id="end"><bpmn:incoming>b</bpmn:incoming></bpmn:endEvent>
  </bpmn:process>
</bpmn:definitions>"#
    )
}

#[test]
fn a_thousand_commands_run_while_a_delegate_takes_five_seconds() {
    let ground = Ground::new();
    let (called, allowed) = (Arc::new(Gate::shut()), Arc::new(Gate::shut()));
    let faults = SlowDelegate {
        called: Arc::clone(&called),
        allowed: Arc::clone(&allowed),
    };
    // Nothing is behind this proxy: it answers for the host.
    let delegates = Proxy::start("127.0.0.1:9", faults).unwrap();
    let engine = Engine::start(ground.places.engine("engine", Some(&delegates.address())).unwrap()).unwrap();
    let rest = engine.rest();
    rest.deploy("slow.bpmn", &model("slow", r#"camunda:delegateExpression="${slow}""#))
        .unwrap();
    rest.deploy(
        "quick.bpmn",
        &model("quick", r#"camunda:type="external" camunda:topic="quick""#),
    )
    .unwrap();

    thread::scope(|scope| {
        let slow = scope.spawn(|| rest.start("slow", "slow", json!({})));
        assert!(called.wait(), "the delegate is called");
        let quick = || -> Duration {
            let mut longest = Duration::ZERO;
            for _ in 0..COMMANDS / CONNECTIONS {
                let start = Instant::now();
                rest.start("quick", "quick", json!({"a": {"value": 1}})).unwrap();
                longest = longest.max(start.elapsed());
            }
            longest
        };
        let running: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(quick)).collect();
        let longest = running.into_iter().map(|one| one.join().unwrap()).max().unwrap();
        // The delegate may not answer before this: whoever had waited for it would be waiting still.
        assert!(!slow.is_finished());
        assert!(longest < SLOW, "one command took {longest:?}");
        allowed.open();
        slow.join().unwrap().unwrap();
    });
    assert_eq!(rest.count("/process-instance/count").unwrap(), COMMANDS as u64);
    let ended = rest.count("/history/process-instance/count?processDefinitionKey=slow&finished=true");
    assert_eq!(ended.unwrap(), 1);
}
