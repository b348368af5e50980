//! The delegates endpoint: who may call, and what they get.

use std::{sync::Arc, time::Duration};

use handoff_host::{config::DelegatesConfig, worker::Workforce};
use handoff_runtime::wit::{
    delegate::{DelegateError, Delegation, ExecutionEvent},
    types::BpmnError,
};
use reqwest::RequestBuilder;
use serde_json::{Value as Json, json};

use crate::support::{NativeWorker, TestHost, config, text};

struct Endpoint {
    _host: TestHost,
    _folder: tempfile::TempDir,
    base: String,
    client: reqwest::Client,
}

fn worker() -> NativeWorker {
    NativeWorker::serving("listener", |execution, context| async move {
        assert!(matches!(execution.event, ExecutionEvent::End));
        match execution.business_key.as_deref() {
            Some("error") => {
                let error = BpmnError {
                    code: "gone".into(),
                    message: Some("m".into()),
                    variables: vec![text("why", "x")],
                };
                Ok(Err(DelegateError::BpmnError(error)))
            }
            Some("failure") => Ok(Err(DelegateError::Failure("the other engine is away".into()))),
            Some("slow") => {
                context.cancel.cancelled().await;
                Ok(Err(DelegateError::Other("cancelled".into())))
            }
            _ => Ok(Ok(Delegation {
                variables: execution.variables,
                local_variables: vec![text("attempt", &execution.attempt.to_string())],
            })),
        }
    })
}

impl Endpoint {
    async fn start(concurrency: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let token_file = folder.path().join("token");
        std::fs::write(&token_file, "secret\n").unwrap();
        let mut config = config("http://127.0.0.1:9/engine-rest", "");
        config.limits.delegate_concurrency = concurrency;
        config.delegates = Some(DelegatesConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            token_file: Some(token_file),
            insecure: false,
        });
        let workforce = Workforce::default().with_delegate("needed", Arc::new(worker()));
        let host = TestHost::start(config, workforce).await;
        let base = format!("http://{}/delegates", host.host.delegates_address().unwrap());
        Self {
            _host: host,
            _folder: folder,
            base,
            client: reqwest::Client::new(),
        }
    }

    fn post(&self, name: &str, business_key: &str) -> RequestBuilder {
        let body = json!({
            "version": 1, "engine": "inventory", "invocationId": "i1", "attempt": 2, "deadlineMs": 5000, "event": "end",
            "activityId": "needed", "activityName": null, "transitionId": null, "processInstanceId": "p1",
            "processDefinitionId": "d1", "processDefinitionKey": "inventory", "executionId": "e1", "businessKey": business_key,
            "tenantId": null, "variables": { "EXTERNAL_TASK_ID": { "type": "String", "value": "t1", "valueInfo": {} } },
        });
        self.client
            .post(format!("{}/{name}", self.base))
            .bearer_auth("secret")
            .json(&body)
    }
}

async fn answer(request: RequestBuilder) -> (u16, Json) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_delegate_answers_with_variables_a_bpmn_error_or_a_failure() {
    let endpoint = Endpoint::start(4).await;
    let (status, body) = answer(endpoint.post("needed", "k")).await;
    let expected = json!({ "version": 1,
        "variables": { "EXTERNAL_TASK_ID": { "type": "String", "value": "t1" } },
        "localVariables": { "attempt": { "type": "String", "value": "2" } } });
    assert_eq!((status, body), (200, expected));
    let (status, body) = answer(endpoint.post("needed", "error")).await;
    assert_eq!((status, &body["bpmnError"]["code"]), (200, &json!("gone")));
    let (status, body) = answer(endpoint.post("needed", "failure")).await;
    assert_eq!((status, &body["message"]), (500, &json!("the other engine is away")));
}

#[tokio::test]
async fn only_engines_with_the_token_are_served() {
    let endpoint = Endpoint::start(4).await;
    let url = format!("{}/needed", endpoint.base);
    let bare = || endpoint.client.post(&url);
    assert_eq!(answer(bare().json(&json!({}))).await.0, 401);
    assert_eq!(answer(bare().bearer_auth("wrong").json(&json!({}))).await.0, 401);
    assert_eq!(
        answer(endpoint.post("needed", "k").header("origin", "http://localhost"))
            .await
            .0,
        403
    );
    assert_eq!(
        answer(endpoint.post("needed", "k").header("host", "evil.example"))
            .await
            .0,
        403
    );
    assert_eq!(answer(endpoint.post("unheard-of", "k")).await.0, 404);
    assert_eq!(
        answer(
            bare()
                .bearer_auth("secret")
                .header("content-type", "text/plain")
                .body("{}")
        )
        .await
        .0,
        415
    );
    let (status, body) = answer(bare().bearer_auth("secret").json(&json!({ "version": 1 }))).await;
    assert_eq!(
        (status, body["message"].as_str().unwrap().contains("engine")),
        (422, true),
        "{body}"
    );
}

#[tokio::test]
async fn a_full_pool_and_a_late_delegate_are_said() {
    let endpoint = Endpoint::start(1).await;
    let mut body: Json = serde_json::from_slice(
        endpoint
            .post("needed", "slow")
            .build()
            .unwrap()
            .body()
            .unwrap()
            .as_bytes()
            .unwrap(),
    )
    .unwrap();
    body["deadlineMs"] = json!(1_000);
    let slow = endpoint
        .client
        .post(format!("{}/needed", endpoint.base))
        .bearer_auth("secret")
        .json(&body);
    let slow = tokio::spawn(answer(slow));
    let full = async {
        loop {
            let status = answer(endpoint.post("needed", "k")).await.0;
            if status == 429 {
                break;
            }
            assert_eq!(status, 200, "the slow one has not arrived yet");
        }
    };
    tokio::time::timeout(Duration::from_secs(5), full)
        .await
        .expect("the only slot is taken");
    let (status, body) = slow.await.unwrap();
    assert_eq!((status, &body["type"]), (504, &json!("Deadline")));
    assert_eq!(
        answer(endpoint.post("needed", "k")).await.0,
        200,
        "the slot is free again"
    );
}
