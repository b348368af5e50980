//! The engine is killed with SIGKILL under load, again and again. A ledger outside of it knows what was answered: after
//! each restart all of that is there, nothing is half done, and nothing twice.
//!
//! `HANDOFF_TEST_LONG=1` (`cargo xtask test --long`) runs 200 rounds.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use handoff_harness::{Engine, Rest, wait_until};
use serde_json::{Value, json};

use crate::{limits::STATE_LIMIT, scene::Ground};

const CLIENTS: usize = 6;
/// Rounds of the short form.
const ROUNDS: usize = 20;
const ROUNDS_LONG: usize = 200;

/// An external task, a message, a job, and then the end.
const MODEL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
             targetNamespace="ledger">
  <message id="go" name="go"/>
  <process id="ledger" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="work"/>
    <serviceTask id="work" camunda:type="external" camunda:topic="work"/>
    <sequenceFlow id="f2" sourceRef="work" targetRef="wait"/>
    <intermediateCatchEvent id="wait"><messageEventDefinition messageRef="go"/></intermediateCatchEvent>
    <sequenceFlow id="f3" sourceRef="wait" targetRef="end"/>
    <endEvent id="end" camunda:asyncBefore="true"/>
  </process>
</definitions>"#;

/// What is known of an instance from outside.
#[derive(Debug, Default)]
struct Known {
    completed: bool,
    correlated: bool,
    /// The value that was set and answered last, and the one whose answer never came.
    set: Option<i64>,
    tried: Option<i64>,
}

#[derive(Debug, Default)]
struct Ledger {
    /// By the id that a start answered.
    instances: BTreeMap<String, Known>,
    /// Business keys, also of starts that were not answered.
    keys: BTreeSet<String>,
    /// External tasks whose completion was answered.
    tasks: BTreeSet<String>,
}

/// The clients of one round: they share the ledger and stop at the first answer that does not come.
struct Load<'l> {
    rest: Rest,
    ledger: &'l Mutex<Ledger>,
    answers: &'l AtomicUsize,
    stop: &'l AtomicBool,
}

impl Load<'_> {
    /// Sends; none: no answer came.
    fn post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let answer = self.rest.try_post(path, body).ok()?;
        self.answers.fetch_add(1, Ordering::SeqCst);
        Some((answer.status, answer.json().unwrap_or(Value::Null)))
    }

    fn run(&self, round: usize, client: usize) {
        for number in 0.. {
            if self.stop.load(Ordering::SeqCst) || self.turn(round, client, number).is_none() {
                return;
            }
        }
    }

    fn turn(&self, round: usize, client: usize, number: usize) -> Option<()> {
        let key = format!("{round}-{client}-{number}");
        self.ledger.lock().unwrap().keys.insert(key.clone());
        let (status, started) = self.post(
            "/process-definition/key/ledger/start",
            &json!({"businessKey": key, "variables": {"amount": {"value": 0, "type": "Long"}}}),
        )?;
        assert_eq!(status, 200, "{started}");
        let id = started["id"].as_str().unwrap().to_owned();
        self.ledger
            .lock()
            .unwrap()
            .instances
            .insert(id.clone(), Known::default());
        self.set_variable(&id, number as i64 + 1)?;
        self.complete_some(client)?;
        self.correlate_some()
    }

    fn set_variable(&self, instance: &str, value: i64) -> Option<()> {
        self.ledger.lock().unwrap().instances.get_mut(instance).unwrap().tried = Some(value);
        let body = json!({"modifications": {"amount": {"value": value, "type": "Long"}}});
        let (status, answer) = self.post(&format!("/process-instance/{instance}/variables"), &body)?;
        // Other clients may have brought the instance to its end meanwhile.
        if status == 204 {
            self.ledger.lock().unwrap().instances.get_mut(instance).unwrap().set = Some(value);
        } else {
            assert!(status == 500 || status == 404, "{status} {answer}");
        }
        Some(())
    }

    fn complete_some(&self, client: usize) -> Option<()> {
        let worker = format!("client-{client}");
        let topic = json!({"topicName": "work", "lockDuration": 1000});
        let fetch = json!({"workerId": worker, "maxTasks": 2, "topics": [topic]});
        let (_, tasks) = self.post("/external-task/fetchAndLock", &fetch)?;
        for task in tasks.as_array().unwrap() {
            let id = task["id"].as_str().unwrap();
            let (status, _) = self.post(&format!("/external-task/{id}/complete"), &json!({"workerId": worker}))?;
            if status != 204 {
                continue;
            }
            let mut ledger = self.ledger.lock().unwrap();
            assert!(ledger.tasks.insert(id.to_owned()), "task {id} was completed twice");
            let instance = task["processInstanceId"].as_str().unwrap();
            // Its start may never have been answered.
            ledger.instances.entry(instance.to_owned()).or_default().completed = true;
        }
        Some(())
    }

    fn correlate_some(&self) -> Option<()> {
        let waiting: Vec<String> = {
            let ledger = self.ledger.lock().unwrap();
            let ready = ledger
                .instances
                .iter()
                .filter(|(_, known)| known.completed && !known.correlated);
            ready.map(|(id, _)| id.clone()).take(2).collect()
        };
        for instance in waiting {
            let body = json!({"messageName": "go", "processInstanceId": instance});
            let (status, answer) = self.post("/message", &body)?;
            if status == 204 {
                let mut ledger = self.ledger.lock().unwrap();
                let known = ledger.instances.get_mut(&instance).unwrap();
                assert!(!known.correlated, "{instance} was told twice");
                known.correlated = true;
            } else {
                // Another client was faster, or the answer to an earlier one was lost.
                assert_eq!(status, 400, "{answer}");
            }
        }
        Some(())
    }
}

fn list(rest: &Rest, path: &str) -> Vec<Value> {
    rest.get(path).unwrap().as_array().unwrap().clone()
}

fn text(row: &Value, field: &str) -> String {
    row[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {row}"))
        .to_owned()
}

/// What the engine has, in an order of its own.
fn state(rest: &Rest) -> Vec<Vec<Value>> {
    [
        "/history/process-instance",
        "/external-task",
        "/event-subscription",
        "/job",
        "/history/variable-instance",
    ]
    .map(|path| {
        let mut rows = list(rest, path);
        rows.sort_by_key(|row| text(row, "id"));
        rows
    })
    .to_vec()
}

/// Holds the engine against the ledger.
fn check(rest: &Rest, ledger: &Ledger) {
    // What jobs have to do is done first: an answered message leads to the end.
    wait_until(
        "the jobs to be done",
        STATE_LIMIT,
        || Ok(rest.count("/job/count")? == 0),
    )
    .unwrap();
    let history = list(rest, "/history/process-instance");
    let mut seen = BTreeMap::new();
    for row in &history {
        let key = text(row, "businessKey");
        assert!(ledger.keys.contains(&key), "nobody has asked for {key}");
        assert!(seen.insert(key.clone(), row).is_none(), "{key} was started twice");
    }
    let by_id: BTreeMap<String, &Value> = history.iter().map(|row| (text(row, "id"), row)).collect();
    let mut waits: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (what, path) in [("task", "/external-task"), ("message", "/event-subscription")] {
        for row in list(rest, path) {
            waits.entry(text(&row, "processInstanceId")).or_default().push(what);
        }
    }
    for (id, row) in &by_id {
        let found = waits.get(id).map_or(&[][..], Vec::as_slice);
        match row["state"].as_str() {
            Some("COMPLETED") => assert_eq!(found, [] as [&str; 0], "{id} has ended"),
            Some("ACTIVE") => assert_eq!(found.len(), 1, "{id} is half done: it waits for {found:?}"),
            other => panic!("{id} is {other:?}"),
        }
    }
    let values: BTreeMap<String, i64> = list(rest, "/history/variable-instance")
        .iter()
        .map(|row| (text(row, "processInstanceId"), row["value"].as_i64().unwrap()))
        .collect();
    for (id, known) in &ledger.instances {
        let row = by_id.get(id).unwrap_or_else(|| panic!("{id} was started, and is lost"));
        let waits = waits.get(id).map_or(&[][..], Vec::as_slice);
        if known.completed {
            assert_ne!(waits, ["task"], "the completion in {id} is lost");
        }
        if known.correlated {
            assert_eq!(row["state"], "COMPLETED", "the message to {id} is lost");
        }
        if let Some(set) = known.set {
            let value = values[id];
            assert!(
                value == set || Some(value) == known.tried,
                "{id} has {value}, not {set}"
            );
        }
    }
}

/// A number that looks random and is the same in every run of a seed.
fn scatter(seed: usize) -> usize {
    (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) % 150
}

#[test]
fn an_engine_that_is_killed_under_load_has_all_that_it_answered() {
    let ground = Ground::new();
    let mut engine = Engine::start(ground.places.engine("killed", None).unwrap()).unwrap();
    engine.rest().deploy("ledger.bpmn", MODEL).unwrap();
    let ledger = Mutex::new(Ledger::default());
    let rounds = match std::env::var_os("HANDOFF_TEST_LONG") {
        Some(_) => ROUNDS_LONG,
        None => ROUNDS,
    };
    for round in 0..rounds {
        let (answers, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let last = 20 + scatter(round);
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let load = Load {
                    rest: engine.rest().clone(),
                    ledger: &ledger,
                    answers: &answers,
                    stop: &stop,
                };
                scope.spawn(move || load.run(round, client));
            }
            let enough = wait_until("enough answers", Duration::from_secs(120), || {
                Ok(answers.load(Ordering::SeqCst) >= last)
            });
            engine.kill().unwrap();
            stop.store(true, Ordering::SeqCst);
            enough.unwrap();
        });
        engine.restart().unwrap();
        check(engine.rest(), &ledger.lock().unwrap());
    }
    let before = state(engine.rest());
    engine.kill().unwrap();
    engine.restart().unwrap();
    assert!(state(engine.rest()) == before, "a second recovery changes something");

    // The database is sound, seen from another process while the engine runs, and so is its copy.
    let backup = ground.places.dir.join("backup.db");
    let run = |arguments: &[&std::ffi::OsStr]| {
        let output = Command::new(&ground.places.program)
            .arg("engine")
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let data = engine.data_dir();
    run(&["backup".as_ref(), "--data-dir".as_ref(), data.as_ref(), backup.as_ref()]);
    for file in [&data, &backup] {
        let said = run(&["check".as_ref(), file.as_ref()]);
        assert!(said.contains("is sound"), "{said}");
    }
    assert!(ledger.lock().unwrap().instances.len() >= rounds);
}
