//! What of a misbehaving worker reaches the engine, and what it costs the others: real components in a real host.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use handoff_host::{Config, Host, admin::WorkerStatus, runtime_config};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    fake_engine::FakeEngine,
    guests::{completes_with, guest, handler, raw_worker, spins},
};

/// A host over a folder of workers and a fake engine.
pub(crate) struct Scene {
    pub(crate) engine: FakeEngine,
    host: Host,
    folder: TempDir,
}

impl Scene {
    /// A host over a folder of workers, each of which handles the topic of its name.
    pub(crate) async fn start(workers: &[(&str, Vec<u8>, &str)], configuration: &str, settings: &str) -> Self {
        let engine = FakeEngine::start().await;
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("workers");
        std::fs::create_dir(&dir).unwrap();
        for (name, component, more) in workers {
            std::fs::write(dir.join(format!("{name}.wasm")), component).unwrap();
            let manifest = format!("engine = \"order\"\ntopics = [\"{name}\"]\nretries = 0\n{more}\n");
            std::fs::write(dir.join(format!("{name}.toml")), manifest).unwrap();
        }
        let text = format!(
            "[engines.order]\nurl = \"{}\"\n{settings}\n[workers]\ndir = \"workers\"\n{configuration}",
            engine.url()
        );
        let config = Config::parse(&text, &folder.path().join("handoff.toml")).unwrap();
        let host = Host::start(config.clone(), runtime_config(&config)).await.unwrap();
        for worker in host.status().workers() {
            assert_eq!(worker.last_error, None);
        }
        Self { engine, host, folder }
    }

    /// Waits until the workers are as expected: a state that has no event.
    pub(crate) async fn until(&self, what: &str, expected: impl Fn(&[WorkerStatus]) -> bool) {
        let reached = async {
            while !expected(&self.host.status().workers()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = tokio::time::timeout(Duration::from_secs(10), reached).await;
        assert!(
            reached.is_ok(),
            "not reached: {what}; {:#?}",
            self.host.status().workers()
        );
    }

    /// The workers' folder.
    pub(crate) fn workers(&self) -> PathBuf {
        self.folder.path().join("workers")
    }

    pub(crate) async fn stop(self) {
        self.host.shutdown(Duration::from_secs(2)).await;
    }

    async fn error_of(&self, task: &str) -> String {
        self.engine
            .until(&format!("{task} failed"), |engine| {
                engine.task(task).error_message.is_some()
            })
            .await;
        self.engine.task(task).error_message.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_misbehaviour_fails_its_task_with_a_reason_and_the_host_goes_on() {
    let never_allocates = raw_worker(
        r#"(module (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (loop $l (br $l)) (i32.const 0))
            (func (export "handoff:worker/handler@0.1.0#handle") (param i32) (result i32) (i32.const 8)))"#,
    );
    let in_handler = |code: &str| guest("worker", &handler(code));
    let recursion = format!(
        "(func $f (param i64) (call $f (i64.const 1)) (drop (local.get 0))) {}",
        handler("(call $f (i64.const 0))")
    );
    let outcome = "(drop (memory.grow (i32.const 1600))) (i32.store8 (i32.const 1024) (i32.const 2))
         (i32.store (i32.const 1028) (i32.const 65536)) (i32.store (i32.const 1032) (i32.const 100000000))";
    let time = "[limits]\ntime-ms = 100";
    let cases: [(&str, Vec<u8>, &str, &str); 7] = [
        ("loop", spins(), time, "stopped at its deadline"),
        ("realloc", never_allocates, time, "stopped at its deadline"),
        (
            "memory",
            in_handler("(loop $l (drop (memory.grow (i32.const 16))) (br $l))"),
            "[limits]\nmemory-mb = 8",
            "its limit is 8 MiB",
        ),
        ("recursion", guest("worker", &recursion), "", "recursed too deeply"),
        ("trap", in_handler("unreachable"), "", "trapped: wasm `unreachable`"),
        ("outcome", in_handler(outcome), "", "payload limit of 4096 KiB"),
        (
            "host-memory",
            in_handler("(drop (memory.grow (i32.const 1600)))"),
            "",
            "all workers together",
        ),
    ];
    let mut workers: Vec<_> = cases
        .iter()
        .map(|(name, component, more, _)| (*name, component.clone(), *more))
        .collect();
    workers.push(("good", completes_with("good"), ""));
    // The default of workers is as much as the host has, so that one is met by the host's limit.
    let limits = "[limits]\nconcurrency = 8\nmemory-mb = 64\nworker-default = { memory-mb = 128 }\n";
    let scene = Scene::start(&workers, limits, "").await;
    // An outcome of 100 MB has to be in memory first.
    for (name, ..) in &cases {
        scene.engine.add(&format!("{name}-1"), name);
    }
    for (name, _, _, reason) in &cases {
        let error = scene.error_of(&format!("{name}-1")).await;
        let reason = if *name == "outcome" {
            "all workers together"
        } else {
            reason
        };
        assert!(
            error.starts_with(&format!("worker {name}: ")) && error.contains(reason),
            "{name}: {error}"
        );
        assert_eq!(scene.engine.task(&format!("{name}-1")).retries, Some(0));
    }
    scene.engine.add("good-1", "good");
    let completed = scene.engine.until_ended("good-1").await;
    assert_eq!(completed["variables"]["said"]["value"], "good");
    let looping = scene
        .host
        .status()
        .workers()
        .into_iter()
        .find(|worker| worker.name == "loop")
        .unwrap();
    assert_eq!((looping.failed, looping.ended), (1, 0));
    assert!(looping.last_failure.unwrap().contains("deadline"));
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_is_too_large_is_a_failure_that_names_the_limit() {
    let outcome = "(drop (memory.grow (i32.const 1600))) (i32.store8 (i32.const 1024) (i32.const 2))
         (i32.store (i32.const 1028) (i32.const 65536)) (i32.store (i32.const 1032) (i32.const 100000000))";
    let scene = Scene::start(&[("big", guest("worker", &handler(outcome)), "")], "", "").await;
    scene.engine.add("big-1", "big");
    let error = scene.error_of("big-1").await;
    assert!(
        error.contains("payload limit of 4096 KiB") && error.contains("payload-kb"),
        "{error}"
    );
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_told_is_in_no_error_of_the_engine() {
    let secrets = tempfile::tempdir().unwrap();
    let file = secrets.path().join("token");
    std::fs::write(&file, "tops3cret").unwrap();
    let configuration = format!(
        "[workers.grants.misbehave]\nsecrets = [\"token\"]\n[secrets.token]\nfile = {:?}\n",
        file.display().to_string()
    );
    let grants = "[grants]\nsecrets = [\"token\"]";
    let scene = Scene::start(&[("misbehave", misbehave(), grants)], &configuration, "").await;
    for what in ["failure", "panic", "error"] {
        let variables = json!({ "do": { "type": "String", "value": format!("tell-a-secret-in-a{}-{what}", if what == "error" { "n" } else { "" }) } });
        scene.engine.add_with(what, "misbehave", variables);
    }
    assert!(scene.error_of("failure").await.contains("cannot log in with ***"));
    assert!(
        scene
            .error_of("panic")
            .await
            .contains("panicked: cannot log in with ***")
    );
    scene.engine.until_ended("error").await;
    for call in scene.engine.calls() {
        assert!(!call.body.to_string().contains("tops3cret"), "{call:?}");
    }
    let told = scene.host.status().workers()[0].last_failure.clone().unwrap();
    assert!(!told.contains("tops3cret"), "{told}");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_completed_twice_is_completed_once() {
    let configuration = "[workers.grants.misbehave]\ntasks = [\"order\"]\n";
    let scene = Scene::start(
        &[("misbehave", misbehave(), "[grants]\ntasks = [\"order\"]")],
        configuration,
        "",
    )
    .await;
    let variables = json!({ "do": { "type": "String", "value": "complete-twice" } });
    scene.engine.add_with("twice", "misbehave", variables);
    let completed = scene.engine.until_ended("twice").await;
    assert_eq!(completed["variables"]["by"]["value"], "first");
    // The second call and the outcome find the task gone, and the run ends without a failure.
    scene.until("the run ended", |workers| workers[0].ended == 1).await;
    assert_eq!(scene.host.status().workers()[0].failed, 0);
    assert!(scene.engine.calls_to("failure").is_empty());
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spinning_workers_lose_no_lock_of_theirs_or_of_others() {
    let processors = std::thread::available_parallelism().unwrap().get();
    let workers = [
        ("spin", spins(), "[limits]\ntime-ms = 4000"),
        ("good", completes_with("good"), ""),
    ];
    let scene = Scene::start(&workers, "", "lock-duration-ms = 1000\n").await;
    // Locks that are not extended in time are lost, also to a report.
    scene.engine.mind_expiry();
    let spinning: Vec<_> = (0..processors).map(|n| format!("spin-{n}")).collect();
    for task in &spinning {
        scene.engine.add(task, "spin");
    }
    let all_spin = |workers: &[WorkerStatus]| workers.iter().any(|worker| worker.tasks as usize == processors);
    scene.until("all spin", all_spin).await;
    let began = Instant::now();
    let mut beside = 0;
    while spinning
        .iter()
        .any(|task| scene.engine.task(task).error_message.is_none())
    {
        assert!(began.elapsed() < Duration::from_secs(30));
        let task = format!("good-{beside}");
        scene.engine.add(&task, "good");
        scene.engine.until_ended(&task).await;
        beside += 1;
    }
    println!("{beside} tasks beside {processors} spinning workers");
    for task in &spinning {
        let error = scene.error_of(task).await;
        assert!(error.contains("stopped at its deadline"), "{error}");
    }
    assert!(beside > 10, "the others waited: {beside}");
    let extended = scene.engine.calls_to("extendLock").len();
    assert!(
        extended >= 3 * processors,
        "locks of 1 s over 4 s were extended {extended} times"
    );
    scene
        .until("all runs ended", |workers| {
            workers.iter().all(|worker| worker.tasks == 0)
        })
        .await;
    for worker in scene.host.status().workers() {
        let expected = if worker.name == "spin" {
            (0, processors as u64)
        } else {
            (beside, 0)
        };
        assert_eq!((worker.ended, worker.failed), expected, "{}", worker.name);
    }
    scene.stop().await;
}

/// The worker `controls/misbehave`.
pub(crate) fn misbehave() -> Vec<u8> {
    let folder = std::env::var_os("HANDOFF_WORKERS_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/workers"),
        Into::into,
    );
    let file = folder.join("controls/misbehave.wasm");
    std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask workers`", file.display()))
}
