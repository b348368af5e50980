//! A smaller scene: one engine, one process with one external task, and a host with the one worker that handles it, of
//! which there are two versions. The variable `countedBy` says which one did.

use std::{collections::HashMap, path::PathBuf, process::Command, time::Duration};

use handoff_harness::{Engine, EngineOptions, Host, HostOptions, WorkersFolder, eventually, free_port, history};
use serde_json::{Value, json};

use crate::{limits::STATE_LIMIT, scene::Ground};

pub(crate) const PROCESS: &str = "counting";

/// A name of the engine's, beside its address.
pub(crate) const ENGINE_NAME: &str = "engine.example";

const MODEL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
    targetNamespace="http://handoff.example">
  <process id="counting" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="count"/>
    <serviceTask id="count" camunda:type="external" camunda:topic="count-stock"/>
    <sequenceFlow id="b" sourceRef="count" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>"#;

pub(crate) struct Counting {
    pub(crate) engine: Engine,
    pub(crate) host: Host,
    pub(crate) folder: WorkersFolder,
    pub(crate) ground: Ground,
}

impl Counting {
    pub(crate) fn start() -> Self {
        Self::start_with(|_, options| options)
    }

    /// With a host that is started otherwise.
    pub(crate) fn start_with(change: impl FnOnce(&Ground, HostOptions) -> HostOptions) -> Self {
        let mut scene = Self::spawn_with(change);
        scene.host.wait_ready().unwrap();
        scene
    }

    /// With a host that may not get ready.
    pub(crate) fn spawn_with(change: impl FnOnce(&Ground, HostOptions) -> HostOptions) -> Self {
        let ground = Ground::new();
        let places = &ground.places;
        let folder = WorkersFolder::create(&places.workers, &places.dir.join("workers")).unwrap();
        folder.add("count-stock").unwrap();
        let engine = Engine::start(EngineOptions {
            arguments: ["--allowed-host", ENGINE_NAME].map(str::to_owned).into(),
            ..places.engine("inventory", None).unwrap()
        })
        .unwrap();
        engine.rest().deploy("counting.bpmn", MODEL).unwrap();
        let options = HostOptions {
            program: places.program.clone(),
            name: "host".to_owned(),
            dir: places.dir.clone(),
            engines: vec![("inventory".to_owned(), engine.rest().base().to_owned())],
            engine_settings: String::new(),
            workers: folder.path().to_owned(),
            cache: places.cache.clone(),
            delegates_port: free_port().unwrap(),
            token_file: places.token_file().unwrap(),
            configuration: String::new(),
        };
        let host = Host::spawn(change(&ground, options)).unwrap();
        Self {
            engine,
            host,
            folder,
            ground,
        }
    }

    /// A component of the worker: 1 or 2.
    pub(crate) fn component(&self, version: u32) -> Vec<u8> {
        let name = match version {
            1 => "count-stock.wasm",
            _ => "variants/count-stock-2.wasm",
        };
        std::fs::read(self.ground.places.workers.join(name)).unwrap()
    }

    pub(crate) fn put(&self, component: &[u8]) {
        self.folder.put("count-stock.wasm", component).unwrap();
    }

    /// Starts one instance.
    pub(crate) fn begin(&self, business_key: &str) -> String {
        let variables = json!({ "item": { "value": "nut" }, "quantity": { "value": 1 } });
        self.engine.rest().start(PROCESS, business_key, variables).unwrap()
    }

    /// Runs one instance, and says which version counted.
    pub(crate) fn counted_by(&self, business_key: &str) -> String {
        let id = self.begin(business_key);
        let query = format!("/history/variable-instance?variableName=countedBy&processInstanceId={id}");
        eventually("the instance to be counted", STATE_LIMIT, || {
            Ok(self.engine.rest().get(&query)?[0]["value"].as_str().map(str::to_owned))
        })
        .unwrap()
    }

    /// Which version counted, by process instance.
    pub(crate) fn counts(&self) -> HashMap<String, Value> {
        history::variable(self.engine.rest(), "countedBy").unwrap()
    }

    /// The worker as `GET /workers` has it.
    pub(crate) fn worker(&self) -> anyhow::Result<Value> {
        let workers = handoff_harness::Rest::new(&format!("http://{}", self.host.admin_address())).get("/workers")?;
        Ok(workers[0].clone())
    }

    /// Waits until the worker is as expected.
    pub(crate) fn until(&self, what: &str, limit: Duration, expected: impl Fn(&Value) -> bool) -> Value {
        eventually(what, limit, || Ok(Some(self.worker()?).filter(&expected))).unwrap()
    }

    /// `handoff host ARGUMENTS`, with its configuration: whether it succeeded, and what it said.
    pub(crate) fn command(&self, arguments: &[&str]) -> (bool, String) {
        let config: PathBuf = self.host.config_file();
        let output = Command::new(&self.ground.places.program)
            .arg("host")
            .args(arguments)
            .arg("--config")
            .arg(config)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }
}
