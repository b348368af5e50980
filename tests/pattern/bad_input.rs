//! Input that cannot be: a clear error that names the place, and nothing has changed.

use std::process::Command;

use handoff_harness::{
    Answer, Engine, Host, HostOptions, Rest, models,
    orders::{INVENTORY_PROCESS, ORDER_PROCESS, Order},
    pattern::TOKEN,
    wait_until,
};
use serde_json::{Value, json};

use crate::{
    limits::STATE_LIMIT,
    scene::{Ground, engines},
};

fn engine(ground: &Ground) -> Engine {
    Engine::start(ground.places.engine("engine", None).unwrap()).unwrap()
}

/// It was refused with this type, and says all of this.
fn refused(answer: &Answer, kind: &str, says: &[&str]) {
    let body = answer.json().unwrap();
    assert!(answer.status >= 400 && body["type"] == kind, "{answer:?}");
    for word in says {
        assert!(answer.text.contains(word), "{word:?} is not in {}", answer.text);
    }
}

#[test]
fn an_engine_refuses_what_is_no_model_and_says_where() {
    let ground = Ground::new();
    let engine = engine(&ground);
    let rest = engine.rest();
    let deploy = |resource: &str, content: &str| rest.try_deploy(resource, content).unwrap();
    // What is no XML at all Camunda answers with 500, by this type.
    let answer = deploy("text.bpmn", "not even XML");
    refused(&answer, "ProcessEngineException", &["text.bpmn", "line 1"]);
    let cut = &models::INVENTORY[..models::INVENTORY.len() / 2];
    refused(
        &deploy("cut.bpmn", cut),
        "ProcessEngineException",
        &["cut.bpmn", "line"],
    );
    let page = "<html><body>a page</body></html>";
    refused(&deploy("page.bpmn", page), "ParseException", &["page.bpmn"]);
    // An element that would change a token's path, if it were ignored.
    let complex = models::INVENTORY.replace("exclusiveGateway", "complexGateway");
    let answer = deploy("complex.bpmn", &complex);
    refused(
        &answer,
        "ParseException",
        &["complex.bpmn", "complex gateway", "line 21", "goods-available"],
    );
    let dangling = models::INVENTORY.replace("targetRef=\"goods-reserved\"", "targetRef=\"nowhere\"");
    refused(
        &deploy("dangling.bpmn", &dangling),
        "ParseException",
        &["dangling.bpmn", "nowhere"],
    );

    assert_eq!(rest.count("/deployment/count").unwrap(), 0);
    assert_eq!(rest.count("/process-definition/count").unwrap(), 0);
}

#[test]
fn the_deploy_command_shows_the_place_of_an_error() {
    let ground = Ground::new();
    let engine = engine(&ground);
    let file = ground.places.dir.join("complex.bpmn");
    std::fs::write(&file, models::INVENTORY.replace("exclusiveGateway", "complexGateway")).unwrap();
    let deploy = |url: &str| {
        let output = Command::new(&ground.places.program)
            .args(["deploy", "--url", url])
            .arg(&file)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, error) = deploy(engine.rest().base());
    assert_eq!(code, Some(1), "{error}");
    assert!(
        error.contains("complex.bpmn") && error.contains("goods-available"),
        "{error}"
    );
    let (code, error) = deploy("http://127.0.0.1:9/engine-rest");
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("127.0.0.1:9"), "{error}");
}

#[test]
fn an_engine_refuses_malformed_requests_and_changes_nothing() {
    let ground = Ground::new();
    let engine = engine(&ground);
    let rest = engine.rest();
    rest.deploy("order-management.bpmn", models::ORDER_MANAGEMENT).unwrap();
    let start = format!("/process-definition/key/{ORDER_PROCESS}/start");
    for body in ["{\"variables\":", "[1, 2", "\"text\"", "{\"variables\": 5}"] {
        let answer = rest
            .request("POST", &start, Some("application/json"), body.as_bytes())
            .unwrap();
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        assert_eq!(
            answer.json().unwrap()["type"],
            "InvalidRequestException",
            "{body}: {}",
            answer.text
        );
    }
    let unknown_type = json!({"variables": {"item": {"value": "lamp", "type": "Nonsense"}}});
    let answer = rest.try_post(&start, &unknown_type).unwrap();
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(
        answer.message().contains("Unsupported value type 'Nonsense'"),
        "{}",
        answer.text
    );
    let no_number = json!({"variables": {"quantity": {"value": "many", "type": "Integer"}}});
    let answer = rest.try_post(&start, &no_number).unwrap();
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(answer.message().contains("many"), "{}", answer.text);
    assert_eq!(rest.count("/process-instance/count").unwrap(), 0);
    assert_eq!(rest.count("/history/process-instance/count").unwrap(), 0);
}

#[test]
fn a_manifest_with_an_unknown_key_is_refused_with_file_line_and_key() {
    let ground = Ground::new();
    let engine = engine(&ground);
    let places = &ground.places;
    let workers = places.workers_folder("workers").unwrap();
    let options = places
        .host("host", engine.rest().base(), engine.rest().base(), workers.path())
        .unwrap();
    let host = Host::start(options).unwrap();
    let check = || {
        let mut command = Command::new(&places.program);
        let output = command
            .args(["host", "--check", "--config"])
            .arg(host.config_file())
            .output()
            .unwrap();
        (
            output.status.success(),
            [output.stdout, output.stderr]
                .map(|text| String::from_utf8(text).unwrap())
                .concat(),
        )
    };
    let (right, report) = check();
    assert!(right, "{report}");

    // Written by hand into a folder that is served: the version that runs goes on.
    workers
        .put(
            "ship.toml",
            b"engine = \"order\"\ntopics = [\"ship-goods\"]\nretrys = 5\n",
        )
        .unwrap();
    let (right, report) = check();
    assert!(!right, "{report}");
    assert!(report.contains("ship.toml:3") && report.contains("retrys"), "{report}");
    wait_until("readiness to name the key", STATE_LIMIT, || {
        let readiness = host.readiness()?.text;
        Ok(readiness.contains("ship.toml:3") && readiness.contains("retrys"))
    })
    .unwrap();
}

#[test]
fn a_grant_that_the_operator_does_not_allow_fails_the_task_with_the_line_that_would() {
    let ground = Ground::new();
    let places = &ground.places;
    let (order, inventory, _delegates, delegates_port) = engines(places, handoff_harness::proxy::NoFaults);
    inventory.rest().deploy("inventory.bpmn", models::INVENTORY).unwrap();
    let workers = places.workers_folder("workers").unwrap();
    let options = places
        .host("host", order.rest().base(), inventory.rest().base(), workers.path())
        .unwrap();
    let _host = Host::start(HostOptions {
        delegates_port,
        configuration: String::new(),
        ..options
    })
    .unwrap();
    Order::place_all(&Order::series("order", 1), order.rest()).unwrap();
    let mut said = Value::Null;
    wait_until("the task to fail", STATE_LIMIT, || {
        said = order.rest().get("/external-task")?[0].clone();
        Ok(said["errorMessage"].is_string())
    })
    .unwrap();
    let details = order
        .rest()
        .try_get(&format!("/external-task/{}/errorDetails", said["id"].as_str().unwrap()))
        .unwrap();
    let said = format!("{said} {}", details.text);
    for word in [
        "processes",
        "inventory",
        "[workers.grants.inventory-check]",
        "host.toml",
    ] {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    let started = inventory.rest().count(&format!(
        "/history/process-instance/count?processDefinitionKey={INVENTORY_PROCESS}"
    ));
    assert_eq!(started.unwrap(), 0);
}

#[test]
fn a_delegate_is_not_called_without_its_token_or_from_a_page() {
    let ground = Ground::new();
    let places = &ground.places;
    let (order, inventory, _delegates, delegates_port) = engines(places, handoff_harness::proxy::NoFaults);
    let workers = places.workers_folder("workers").unwrap();
    let options = places
        .host("host", order.rest().base(), inventory.rest().base(), workers.path())
        .unwrap();
    let host = Host::start(HostOptions {
        delegates_port,
        ..options
    })
    .unwrap();
    let rest = Rest::new(&format!("http://{}", host.delegates_address()));
    order.rest().start(ORDER_PROCESS, "order-1", json!({})).unwrap();
    let task = order.rest().get("/external-task").unwrap()[0]["id"].clone();
    let body = json!({
        "version": 1, "engine": "inventory", "invocationId": "6a3c7d1e-2f43-4a5b-9c77-0123456789ab", "attempt": 1,
        "deadlineMs": 30000, "event": "end", "activityId": "a", "activityName": null, "transitionId": null,
        "processInstanceId": "p", "processDefinitionId": "d", "processDefinitionKey": "k", "executionId": "e",
        "businessKey": null, "tenantId": null,
        "variables": {"EXTERNAL_TASK_ID": {"type": "String", "value": task, "valueInfo": {}}}
    });
    let call = |rest: &Rest, name: &str, content_type: &str, body: &str| {
        let answer = rest
            .request(
                "POST",
                &format!("/delegates/{name}"),
                Some(content_type),
                body.as_bytes(),
            )
            .unwrap();
        assert!(!answer.message().is_empty(), "{}", answer.text);
        answer.status
    };
    let (name, json, body) = ("completeExternalTask", "application/json", body.to_string());
    assert_eq!(call(&rest, name, json, &body), 401);
    assert_eq!(
        call(&rest, "nobody", json, &body),
        401,
        "who has no token does not learn which delegates there are"
    );
    let wrong = rest.clone().with_header("authorization", "Bearer wrong");
    assert_eq!(call(&wrong, name, json, &body), 401);
    let right = rest.with_header("authorization", &format!("Bearer {TOKEN}"));
    assert_eq!(call(&right, "nobody", json, &body), 404);
    assert_eq!(call(&right, name, "text/plain", &body), 415);
    assert_eq!(call(&right, name, json, "{}"), 422);
    let page = right.clone().with_header("origin", "http://a.page");
    assert_eq!(call(&page, name, json, &body), 403);
    // Nothing was completed by any of these.
    assert_eq!(order.rest().count("/external-task/count").unwrap(), 1);
}
