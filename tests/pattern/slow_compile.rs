//! A worker in Rust is replaced by one in JavaScript, and that one by one in Python: components that take seconds to
//! compile. Tasks flow meanwhile on the version before, and each takes over soon after it is compiled.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use handoff_harness::{Engine, Host, HostOptions, Rest, WorkersFolder, eventually, free_port, wait_until};
use serde_json::{Value, json};

use crate::{
    hot_swap::Stall,
    limits::{ORDERS_LIMIT, STATE_LIMIT},
    scene::Ground,
};

/// How much later than it is compiled a version may take over.
const TAKEOVER: Duration = Duration::from_secs(1);
/// How long compiling may take on a machine that does other things too.
const COMPILE_LIMIT: Duration = Duration::from_secs(300);
/// Tasks that are in flight at once.
const AT_ONCE: u64 = 4;

const MODEL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
    targetNamespace="http://handoff.example">
  <process id="greeting" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="greet"/>
    <serviceTask id="greet" camunda:type="external" camunda:topic="hello"/>
    <sequenceFlow id="b" sourceRef="greet" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>"#;

/// An engine, and a host whose cache of compiled components is its own.
struct Scene {
    engine: Engine,
    host: Host,
    folder: WorkersFolder,
    ground: Ground,
}

impl Scene {
    fn start() -> Self {
        let ground = Ground::new();
        let places = &ground.places;
        let folder = WorkersFolder::create(&places.workers, &places.dir.join("workers")).unwrap();
        folder.add("hello").unwrap();
        let engine = Engine::start(places.engine("order", None).unwrap()).unwrap();
        engine.rest().deploy("greeting.bpmn", MODEL).unwrap();
        let host = Host::start(HostOptions {
            program: places.program.clone(),
            name: "host".to_owned(),
            dir: places.dir.clone(),
            engines: vec![("order".to_owned(), engine.rest().base().to_owned())],
            engine_settings: String::new(),
            workers: folder.path().to_owned(),
            cache: places.dir.join("cache"),
            delegates_port: free_port().unwrap(),
            token_file: places.token_file().unwrap(),
            configuration: String::new(),
        })
        .unwrap();
        Self {
            engine,
            host,
            folder,
            ground,
        }
    }

    fn worker(&self) -> anyhow::Result<Value> {
        let workers = Rest::new(&format!("http://{}", self.host.admin_address())).get("/workers")?;
        Ok(workers[0].clone())
    }

    fn open(&self) -> anyhow::Result<u64> {
        self.engine.rest().count("/process-instance/count")
    }

    /// Starts instances for as long as `on`, a few at once.
    fn flow(&self, on: &AtomicBool) -> u64 {
        let mut begun = 0;
        while on.load(Ordering::Relaxed) {
            wait_until("tasks to be taken", STATE_LIMIT, || Ok(self.open()? < AT_ONCE)).unwrap();
            let variables = json!({ "name": { "value": "Ada", "type": "String" } });
            let key = format!("flow-{begun}");
            self.engine.rest().start("greeting", &key, variables).unwrap();
            begun += 1;
        }
        begun
    }

    /// Replaces the worker by another one, and asserts how that goes.
    fn replace(&self, by: &str, stall: &Stall) {
        let before = self.worker().unwrap();
        let component = std::fs::read(self.ground.places.workers.join(format!("{by}.wasm"))).unwrap();
        stall.reset();
        let written = Instant::now();
        self.folder.put("hello.wasm", &component).unwrap();
        wait_until("a compiler to run", STATE_LIMIT, || Ok(self.compiles())).unwrap();
        let after = eventually(&format!("{by} to take over"), COMPILE_LIMIT, || {
            Ok(Some(self.worker()?).filter(|worker| worker["version"] != before["version"]))
        })
        .unwrap();
        let (took, stall) = (written.elapsed(), stall.worst());
        let compiled = Duration::from_secs_f64(after["compileMs"].as_f64().expect("it was compiled") / 1e3);
        let meanwhile = after["ended"].as_u64().unwrap() - before["ended"].as_u64().unwrap();
        eprintln!("{by}: compiled in {compiled:?}, took over after {took:?}; {meanwhile} tasks ended meanwhile");
        assert!(
            took <= compiled + TAKEOVER + stall,
            "{by} took {took:?}, of which compiling {compiled:?}; the machine stalled for {stall:?}"
        );
        assert_eq!((&after["state"], &after["lastError"]), (&json!("ready"), &Value::Null));
        assert!(meanwhile >= 10, "{meanwhile} tasks ended while {by} was compiled");
        wait_until("tasks to end on the new version", STATE_LIMIT, || {
            Ok(self.worker()?["ended"].as_u64() > after["ended"].as_u64().map(|ended| ended + AT_ONCE))
        })
        .unwrap();
    }

    /// Whether a child process of the host compiles.
    fn compiles(&self) -> bool {
        let host = format!("PPid:\t{}\n", self.host.process().id());
        let compiles = |process: &Path| {
            // Processes end while they are looked at.
            let read = |file: &str| std::fs::read_to_string(process.join(file)).unwrap_or_default();
            read("cmdline").contains("compile-component") && read("status").contains(&host)
        };
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes.map(|entry| entry.path()).any(|process| compiles(&process))
    }
}

#[test]
fn tasks_flow_while_javascript_and_python_are_compiled() {
    let scene = Scene::start();
    let (flowing, stall) = (AtomicBool::new(true), Stall::default());
    let begun = std::thread::scope(|scope| {
        let flow = scope.spawn(|| scene.flow(&flowing));
        scope.spawn(|| stall.watch(&flowing));
        // A panic here must end the others too: the scope waits for them.
        let _stops = Stops(&flowing);
        for language in ["js-hello", "py-hello"] {
            scene.replace(language, &stall);
        }
        flowing.store(false, Ordering::Relaxed);
        flow.join().unwrap()
    });
    wait_until("all instances to end", ORDERS_LIMIT, || Ok(scene.open()? == 0)).unwrap();
    // Each task once; a task is counted after the engine has taken its end.
    wait_until("all tasks to be counted", STATE_LIMIT, || {
        Ok(scene.worker()?["ended"].as_u64() >= Some(begun))
    })
    .unwrap();
    let worker = scene.worker().unwrap();
    assert_eq!((worker["ended"].as_u64(), &worker["failed"]), (Some(begun), &json!(0)));
}

struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
