//! How long a call of a worker takes: `call_time COMPONENT` instantiates the component afresh for each of many tasks, one
//! after another, and prints the times.
//!
//! The whole call is measured as the host makes it: slots, the change to a guest thread and back, store, instance, the
//! handler, and everything dropped again.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a program to measure with: it prints, and ends where something is wrong"
)]

use std::{
    env, fs,
    sync::Arc,
    time::{Duration, Instant},
};

use handoff_runtime::{
    CallContext, Deadline, NoEngines, Registry, RegistryConfig, Runtime, RuntimeConfig,
    wit::types::{Outcome, Task, TaskRef, Value, Variable},
};
use tokio_util::sync::CancellationToken;

const WARM_UP: usize = 2_000;
const CALLS: usize = 20_000;

#[tokio::main]
async fn main() {
    let component = env::args_os().nth(1).expect("usage: call_time COMPONENT");
    let folder = tempfile::tempdir().unwrap();
    fs::copy(component, folder.path().join("worker.wasm")).unwrap();
    fs::write(
        folder.path().join("worker.toml"),
        "engine = \"order\"\ntopics = [\"t\"]\n",
    )
    .unwrap();
    let runtime = Runtime::new(RuntimeConfig::default()).unwrap();
    let registry = Registry::open(runtime, RegistryConfig::new(folder.path()))
        .await
        .unwrap();
    let catalog = registry.current();
    let state = catalog.worker("worker").expect("the worker");
    let version = state
        .current
        .clone()
        .unwrap_or_else(|| panic!("{:?}", state.last_error));

    let mut times = Vec::with_capacity(CALLS);
    for call in 0..WARM_UP + CALLS {
        let context = CallContext {
            deadline: Deadline::after(Duration::from_secs(30)),
            capabilities: Arc::new(NoEngines),
            cancel: CancellationToken::new(),
            traceparent: None,
        };
        let task = task(call);
        let began = Instant::now();
        let outcome = version.handle(task, context).await.expect("an outcome");
        if call >= WARM_UP {
            times.push(began.elapsed());
        }
        assert!(matches!(outcome, Outcome::Complete(_)), "{outcome:?}");
    }
    times.sort();
    let micros = |percent: usize| times[CALLS * percent / 100 - 1].as_secs_f64() * 1e6;
    println!(
        "p50 {:.1} µs, p90 {:.1} µs, p99 {:.1} µs of {CALLS} calls",
        micros(50),
        micros(90),
        micros(99)
    );
}

fn task(number: usize) -> Task {
    let variable = |name: &str, value| Variable {
        name: name.to_owned(),
        value,
        transient: false,
    };
    Task {
        id: TaskRef {
            engine: "order".to_owned(),
            id: format!("task-{number}"),
        },
        topic: "t".to_owned(),
        business_key: Some(format!("order-{number}")),
        variables: vec![
            variable("orderId", Value::Text(format!("o-{number}"))),
            variable("amount", Value::Integer(5)),
        ],
        retries: None,
        priority: 0,
        process_instance_id: format!("instance-{number}"),
        process_definition_id: "order:1:1".to_owned(),
        process_definition_key: "order".to_owned(),
        process_definition_version_tag: None,
        execution_id: format!("execution-{number}"),
        activity_id: "work".to_owned(),
        activity_instance_id: format!("work:{number}"),
        tenant_id: None,
        created: None,
        error_message: None,
        error_details: None,
        extension_properties: Vec::new(),
        attributes: Vec::new(),
    }
}
