//! What the tests share: guests, a runtime, a folder of workers, engines that are not there.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use handoff_runtime::{
    CallContext, Caller, Capabilities, Catalog, Deadline, OperatorPolicy, Registry, RegistryConfig, Runtime,
    RuntimeConfig, WorkerVersion,
    wit::{
        processes::{Message, Receiver, StartRequest, StartStatus, Started},
        tasks::Ending,
        types::{BpmnError, Completion, EngineError, Failure, FileReference, Task, TaskRef, Value, Variable},
    },
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) use crate::guests::*;

/// A worker of this repository, as `cargo xtask workers` builds it.
pub(crate) fn built_worker(name: &str) -> Vec<u8> {
    let dir = std::env::var_os("HANDOFF_WORKERS_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/workers"),
        PathBuf::from,
    );
    let path = dir.join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask workers` first", path.display()))
}

/// A folder of workers and what runs it.
pub(crate) struct Folder {
    pub(crate) dir: TempDir,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) registry: Registry,
}

/// A manifest with one topic named as the worker.
pub(crate) fn manifest(name: &str) -> String {
    format!("engine = \"order\"\ntopics = [\"{name}\"]\n")
}

pub(crate) fn write(dir: &Path, name: &str, component: &[u8], manifest: &str) {
    std::fs::write(dir.join(format!("{name}.toml")), manifest).unwrap();
    std::fs::write(dir.join(format!("{name}.wasm")), component).unwrap();
}

/// The settings of tests: a few slots, so that the pool is small, and all that they grant.
pub(crate) fn config() -> RuntimeConfig {
    RuntimeConfig {
        task_slots: 8,
        delegate_slots: 2,
        ..RuntimeConfig::default()
    }
}

impl Folder {
    pub(crate) async fn open(workers: &[(&str, &[u8], &str)]) -> Self {
        Self::open_with(workers, config(), OperatorPolicy::default()).await
    }

    pub(crate) async fn open_with(
        workers: &[(&str, &[u8], &str)],
        config: RuntimeConfig,
        policy: OperatorPolicy,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let registry = RegistryConfig {
            policy,
            ..RegistryConfig::new(dir.path())
        };
        Self::open_as(workers, config, dir, registry).await
    }

    /// With a cache that outlives the tests: compiling JavaScript and Python takes long.
    pub(crate) async fn open_cached(workers: &[(&str, &[u8], &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let registry = RegistryConfig {
            cache_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("components")),
            ..RegistryConfig::new(dir.path())
        };
        Self::open_as(workers, config(), dir, registry).await
    }

    /// A folder without file events.
    pub(crate) async fn open_blind(dir: TempDir) -> Self {
        let registry = RegistryConfig {
            events: false,
            ..RegistryConfig::new(dir.path())
        };
        Self::open_as(&[], config(), dir, registry).await
    }

    pub(crate) async fn open_configured(dir: TempDir, registry: RegistryConfig) -> Self {
        Self::open_as(&[], config(), dir, registry).await
    }

    async fn open_as(
        workers: &[(&str, &[u8], &str)],
        config: RuntimeConfig,
        dir: TempDir,
        registry: RegistryConfig,
    ) -> Self {
        for (name, component, manifest) in workers {
            write(dir.path(), name, component, manifest);
        }
        let runtime = Runtime::new(config).unwrap();
        let registry = Registry::open(runtime.clone(), registry).await.unwrap();
        Self { dir, runtime, registry }
    }

    /// One worker named `w` that handles topic `w`.
    pub(crate) async fn one(component: &[u8]) -> Self {
        Self::open(&[("w", component, &manifest("w"))]).await
    }

    pub(crate) fn worker(&self, name: &str) -> Arc<WorkerVersion> {
        let catalog = self.registry.current();
        let state = catalog.worker(name).unwrap_or_else(|| panic!("no worker {name}"));
        state
            .current
            .clone()
            .unwrap_or_else(|| panic!("{name} was refused: {:?}", state.last_error))
    }

    pub(crate) fn refusal(&self, name: &str) -> String {
        let catalog = self.registry.current();
        catalog
            .worker(name)
            .and_then(|state| state.last_error.clone())
            .expect("it was not refused")
            .message
    }

    /// Waits until the catalog is as `expected`.
    pub(crate) async fn until(&self, what: &str, expected: impl Fn(&Catalog) -> bool) {
        self.until_within(Duration::from_secs(10), what, expected).await;
    }

    pub(crate) async fn until_within(&self, limit: Duration, what: &str, expected: impl Fn(&Catalog) -> bool) {
        let mut catalogs = self.registry.subscribe();
        let wait = catalogs.wait_for(|catalog| expected(catalog));
        let waited = tokio::time::timeout(limit, wait).await;
        assert!(
            waited.is_ok(),
            "not within {limit:?}: {what}; {:?}",
            self.registry.current()
        );
    }
}

/// A task of topic `w` with these variables.
pub(crate) fn task(variables: Vec<Variable>) -> Task {
    Task {
        id: TaskRef {
            engine: "order".to_owned(),
            id: "task-1".to_owned(),
        },
        topic: "w".to_owned(),
        business_key: Some("o-1".to_owned()),
        variables,
        retries: None,
        priority: 0,
        process_instance_id: "pi".to_owned(),
        process_definition_id: "p:1:x".to_owned(),
        process_definition_key: "p".to_owned(),
        process_definition_version_tag: None,
        execution_id: "e".to_owned(),
        activity_id: "a".to_owned(),
        activity_instance_id: "a:1".to_owned(),
        tenant_id: None,
        created: None,
        error_message: None,
        error_details: None,
        extension_properties: Vec::new(),
        attributes: Vec::new(),
    }
}

pub(crate) fn text(name: &str, value: &str) -> Variable {
    Variable {
        name: name.to_owned(),
        value: Value::Text(value.to_owned()),
        transient: false,
    }
}

/// A call with this much time.
pub(crate) fn within(time: Duration) -> CallContext {
    CallContext {
        deadline: Deadline::after(time),
        capabilities: Arc::new(Engines::default()),
        cancel: CancellationToken::new(),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
    }
}

pub(crate) fn call() -> CallContext {
    within(Duration::from_secs(10))
}

/// Engines that answer everything, after a while if they are told to.
#[derive(Default)]
pub(crate) struct Engines {
    pub(crate) delay: Duration,
    /// What was completed with.
    pub(crate) completions: std::sync::Mutex<Vec<Completion>>,
}

impl Engines {
    async fn ending(&self) -> Result<Ending, EngineError> {
        tokio::time::sleep(self.delay).await;
        Ok(Ending::Completed)
    }
}

#[async_trait]
impl Capabilities for Engines {
    async fn start(&self, _: &Caller, request: StartRequest) -> Result<Started, EngineError> {
        tokio::time::sleep(self.delay).await;
        Ok(Started {
            engine: request.engine,
            process_instance_id: "started".to_owned(),
            process_definition_id: None,
            business_key: request.business_key,
            status: StartStatus::Created,
            attributes: Vec::new(),
        })
    }

    async fn correlate(&self, _: &Caller, _: Message) -> Result<Vec<Receiver>, EngineError> {
        tokio::time::sleep(self.delay).await;
        Ok(Vec::new())
    }

    async fn set_variables(&self, _: &Caller, _: String, _: String, _: Vec<Variable>) -> Result<(), EngineError> {
        self.ending().await.map(drop)
    }

    async fn complete(&self, _: &Caller, _: TaskRef, completion: Completion) -> Result<Ending, EngineError> {
        self.completions.lock().unwrap().push(completion);
        self.ending().await
    }

    async fn throw_error(&self, _: &Caller, _: TaskRef, _: BpmnError) -> Result<Ending, EngineError> {
        self.ending().await
    }

    async fn fail(&self, _: &Caller, _: TaskRef, _: Failure) -> Result<Ending, EngineError> {
        self.ending().await
    }

    async fn extend_lock(&self, _: &Caller, _: TaskRef, _: u32) -> Result<Ending, EngineError> {
        self.ending().await
    }

    async fn unlock(&self, _: &Caller, _: TaskRef) -> Result<Ending, EngineError> {
        self.ending().await
    }

    async fn read_file(&self, _: &Caller, _: FileReference, _: u64) -> Result<Vec<u8>, EngineError> {
        Ok(b"content".to_vec())
    }
}

/// How late a thread wakes up at worst: what a busy machine, and not what is tested, adds to a time.
pub(crate) struct Stall {
    on: Arc<AtomicBool>,
    napping: std::thread::JoinHandle<Duration>,
}

impl Stall {
    pub(crate) fn watch() -> Self {
        const NAP: Duration = Duration::from_millis(1);
        let on = Arc::new(AtomicBool::new(true));
        let watched = on.clone();
        let napping = std::thread::spawn(move || {
            let mut worst = Duration::ZERO;
            while watched.load(Ordering::Relaxed) {
                let asleep = Instant::now();
                std::thread::sleep(NAP);
                worst = worst.max(asleep.elapsed().saturating_sub(NAP));
            }
            worst
        });
        Self { on, napping }
    }

    /// Stops watching.
    pub(crate) fn worst(self) -> Duration {
        self.on.store(false, Ordering::Relaxed);
        self.napping.join().unwrap()
    }
}
