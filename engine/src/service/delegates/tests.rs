//! The protocol over a socket: what is sent, and what each answer means.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use handoff_machine::command::VariableInput;
use handoff_machine::request::{DelegateCall, DelegateEvent};
use handoff_machine::{Answer, Id, Node, Value};
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::{Delegates, HttpDelegates};
use crate::config::{Config, DelegatesConfig};

/// A host that answers every call alike, and keeps what it was sent.
#[derive(Clone)]
struct Host {
    status: u16,
    body: Json,
    seen: Arc<Mutex<Vec<(String, HeaderMap, Json)>>>,
}

async fn receive(
    State(host): State<Host>,
    uri: axum::http::Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    host.seen
        .lock()
        .push((uri.path().to_owned(), headers, serde_json::from_str(&body).unwrap()));
    (StatusCode::from_u16(host.status).unwrap(), host.body.to_string())
}

async fn host(status: u16, body: Json) -> (Host, String) {
    let host = Host {
        status,
        body,
        seen: Arc::default(),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/delegates/{name}", post(receive))
        .with_state(host.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (host, url)
}

fn delegates(directory: &TempDir, change: impl FnOnce(&mut DelegatesConfig), url: &str) -> HttpDelegates {
    let token_file = directory.path().join("token");
    std::fs::write(&token_file, "s3cret\n").unwrap();
    let mut config = Config {
        name: "inventory".into(),
        ..Config::new(directory.path())
    };
    let mut delegates = DelegatesConfig {
        token_file: Some(token_file),
        ..DelegatesConfig::new(url)
    };
    change(&mut delegates);
    config.delegates = Some(delegates);
    HttpDelegates::new(&config).unwrap()
}

fn call() -> DelegateCall {
    DelegateCall {
        name: "complete task".into(),
        invocation: Uuid::from_u128(7),
        attempt: 2,
        event: DelegateEvent::End,
        activity_id: "needed".into(),
        activity_name: None,
        transition_id: None,
        process_instance: Id(1),
        process_definition_id: "p:1:x".into(),
        process_definition_key: "p".into(),
        execution: Id(2),
        business_key: Some("order-1".into()),
        tenant: None,
        variables: vec![("id".into(), Value::String("e".into()))],
        properties: vec![("kind".into(), "listener".into())],
    }
}

async fn ask(status: u16, body: Json) -> Answer {
    let directory = TempDir::new().unwrap();
    let (_host, url) = host(status, body).await;
    delegates(&directory, |_| {}, &url).call(Node::new(5), call()).await
}

fn message(answer: Answer) -> String {
    match answer {
        Answer::Failed { message } => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_call_says_all_that_a_delegate_may_need() {
    let directory = TempDir::new().unwrap();
    let (host, url) = host(200, json!({"version": 1})).await;
    let answer = delegates(&directory, |_| {}, &url).call(Node::new(5), call()).await;
    assert_eq!(
        answer,
        Answer::Delegated {
            variables: Vec::new(),
            local_variables: Vec::new()
        }
    );
    let (path, headers, body) = host.seen.lock().remove(0);
    assert_eq!(path, "/delegates/complete%20task");
    assert_eq!(headers["authorization"], "Bearer s3cret");
    assert_eq!(headers["content-type"], "application/json");
    assert!(!headers.contains_key("origin"));
    let left = body["deadlineMs"].as_u64().unwrap();
    assert!((1..=30_000).contains(&left), "{left}");
    let expected = json!({
        "version": 1, "engine": "inventory", "invocationId": Uuid::from_u128(7), "attempt": 2, "deadlineMs": left,
        "event": "end", "activityId": "needed", "activityName": null, "transitionId": null,
        "processInstanceId": Id(1).text(Node::new(5)), "processDefinitionId": "p:1:x", "processDefinitionKey": "p",
        "executionId": Id(2).text(Node::new(5)), "businessKey": "order-1", "tenantId": null,
        "variables": {"id": {"type": "String", "value": "e", "valueInfo": {}}},
        "extensionProperties": {"kind": "listener"},
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn answers_set_variables_or_throw_an_error() {
    let variable = |name: &str, value| VariableInput {
        name: name.into(),
        value,
        transient: false,
    };
    let variables = json!({"a": {"type": "Integer", "value": 1}});
    let answer = ask(
        200,
        json!({"version": 1, "variables": variables, "localVariables": {"b": {"value": true}}}),
    )
    .await;
    let expected = Answer::Delegated {
        variables: vec![variable("a", Value::Integer(1))],
        local_variables: vec![variable("b", Value::Boolean(true))],
    };
    assert_eq!(answer, expected);
    let error = json!({"code": "gone", "message": "no goods", "variables": variables});
    let answer = ask(200, json!({"version": 1, "bpmnError": error})).await;
    let expected = Answer::BpmnError {
        code: "gone".into(),
        message: Some("no goods".into()),
        variables: vec![variable("a", Value::Integer(1))],
    };
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn whatever_goes_wrong_is_a_failure_that_says_what() {
    let text = message(ask(404, json!({"type": "UnknownDelegate", "message": "nobody has it"})).await);
    assert!(
        text.contains("'complete task'") && text.contains("404") && text.contains("nobody has it"),
        "{text}"
    );
    let text = message(ask(200, json!({"version": 2})).await);
    assert!(text.contains("version 2"), "{text}");
    let text = message(
        ask(
            200,
            json!({"version": 1, "variables": {"a": {"type": "Integer", "value": "x"}}}),
        )
        .await,
    );
    assert!(text.contains("Integer"), "{text}");
    let text = message(ask(200, json!([])).await);
    assert!(text.contains("cannot be understood"), "{text}");

    let directory = TempDir::new().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // It accepts, and never answers.
    let silent = delegates(&directory, |config| config.timeout = Duration::from_millis(50), &url);
    let text = message(silent.call(Node::new(5), call()).await);
    assert!(text.contains("50 ms"), "{text}");
    drop(listener);
    let text = message(delegates(&directory, |_| {}, &url).call(Node::new(5), call()).await);
    assert!(text.to_lowercase().contains("connect"), "{text}");
    let missing = delegates(
        &directory,
        |config| config.token_file = Some("/nowhere/token".into()),
        &url,
    );
    let text = message(missing.call(Node::new(5), call()).await);
    assert!(text.contains("/nowhere/token"), "{text}");

    let none = HttpDelegates::new(&Config::new(directory.path())).unwrap();
    let text = message(none.call(Node::new(5), call()).await);
    assert!(text.contains("--delegates"), "{text}");
    let mut config = Config::new(directory.path());
    config.delegates = Some(DelegatesConfig::new("ftp://x"));
    assert!(HttpDelegates::new(&config).is_err());
}
