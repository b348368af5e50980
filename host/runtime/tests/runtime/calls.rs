//! Calls of the workers of this repository, and of delegates.

use std::time::Instant;

use handoff_runtime::{
    CallErrorKind,
    wit::{
        delegate::{Execution, ExecutionEvent},
        types::{Outcome, Value},
    },
};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn echo_completes_with_a_copy() {
    let folder = Folder::open(&[("echo", &built_worker("echo"), &manifest("echo"))]).await;
    let outcome = folder
        .worker("echo")
        .handle(task(vec![text("orderId", "o-1"), text("other", "x")]), call())
        .await
        .unwrap();
    let Outcome::Complete(completion) = outcome else {
        panic!("{outcome:?}")
    };
    let value = |name: &str| {
        completion
            .variables
            .iter()
            .find(|v| v.name == name)
            .map(|v| v.value.clone())
    };
    assert_eq!(value("orderId"), Some(Value::Text("o-1".to_owned())));
    assert_eq!(value("done"), Some(Value::Boolean(true)));
    assert_eq!(value("other"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_a_call() {
    let folder = Folder::open(&[("echo", &built_worker("echo"), &manifest("echo"))]).await;
    let worker = folder.worker("echo");
    let mut times = Vec::new();
    for _ in 0..2_000 {
        let task = task(vec![text("orderId", "o-1")]);
        let context = call();
        let started = Instant::now();
        worker.handle(task, context).await.unwrap();
        times.push(started.elapsed());
    }
    times.sort();
    println!(
        "echo, {:?}: p50 {:?}, p99 {:?}",
        folder.runtime.allocator(),
        times[1_000],
        times[1_980]
    );
    // Far above what it takes, even unoptimised and beside other tests: a call must not compile or copy the component.
    assert!(times[1_000].as_millis() < 20, "{:?}", times[1_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_share_the_slots() {
    let folder = Folder::open(&[("echo", &built_worker("echo"), &manifest("echo"))]).await;
    let calls: Vec<_> = (0..500)
        .map(|n| {
            let worker = folder.worker("echo");
            tokio::spawn(async move { worker.handle(task(vec![text("orderId", &n.to_string())]), call()).await })
        })
        .collect();
    for (n, call) in calls.into_iter().enumerate() {
        let Outcome::Complete(completion) = call.await.unwrap().unwrap() else {
            panic!("not completed")
        };
        assert!(
            completion
                .variables
                .iter()
                .any(|v| v.value == Value::Text(n.to_string())),
            "{n}"
        );
    }
    assert_eq!(folder.worker("echo").running(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_is_called_with_the_execution() {
    // Answers ok with no variables: a zeroed result<delegation, _>.
    let listener = guest(
        "listener",
        r#"(func (export "handoff:worker/delegate@0.1.0#execute") (param i32) (result i32) (i32.const 1024))"#,
    );
    let folder = Folder::open(&[("l", &listener, "delegates = [\"done\"]")]).await;
    let catalog = folder.registry.current();
    let worker = catalog.delegate("done").unwrap();
    let delegation = worker.execute(execution(), call()).await.unwrap().unwrap();
    assert!(delegation.variables.is_empty());
    let error = worker.handle(task(vec![]), call()).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::NotExported);
}

fn execution() -> Execution {
    Execution {
        engine: "inventory".to_owned(),
        name: "done".to_owned(),
        invocation_id: "i-1".to_owned(),
        attempt: 1,
        event: ExecutionEvent::End,
        activity_id: "needed".to_owned(),
        activity_name: None,
        transition_id: None,
        process_instance_id: "pi".to_owned(),
        process_definition_id: "p:1".to_owned(),
        process_definition_key: "p".to_owned(),
        execution_id: "e".to_owned(),
        business_key: None,
        tenant_id: None,
        variables: vec![text("a", "b")],
        attributes: Vec::new(),
    }
}
