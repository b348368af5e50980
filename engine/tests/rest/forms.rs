//! Forms that are made of fields, as who fills them in sees them; what deploying and starting refuse.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::models;
use super::server::TestServer;

const FIELDS: &str = r#"<extensionElements><camunda:formData>
      <camunda:formField id="amount" type="long" defaultValue="5">
        <camunda:validation><camunda:constraint name="max" config="100"/></camunda:validation></camunda:formField>
      <camunda:formField id="due" type="date" defaultValue="24/12/2026"/></camunda:formData></extensionElements>"#;

fn model() -> String {
    models::process(&format!(
        r#"<startEvent id="start">{FIELDS}</startEvent><sequenceFlow id="f" sourceRef="start" targetRef="u"/>
    <userTask id="u">{FIELDS}</userTask>"#
    ))
}

async fn task(server: &TestServer) -> Result<String> {
    let tasks = server.get("/task").await?.json();
    Ok(tasks[0]["id"].as_str().context("a task")?.to_owned())
}

#[tokio::test]
async fn fields_show_their_defaults_and_convert_what_is_submitted() -> Result<()> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &model()).await?;
    let defaults = json!({
        "amount": {"type": "Long", "value": 5, "valueInfo": {}},
        "due": {"type": "String", "value": "24/12/2026", "valueInfo": {}},
    });
    let shown = server.get("/process-definition/key/p/form-variables").await?;
    assert_eq!(shown.json(), defaults);
    let one = server.get("/process-definition/key/p/form-variables?variableNames=due");
    assert_eq!(one.await?.json(), json!({"due": defaults["due"]}));

    let start = json!({"variables": {"amount": {"value": 7}, "due": {"value": "31/01/2026"}, "more": {"value": true}}});
    let started = server.post("/process-definition/key/p/submit-form", &start).await?;
    assert_eq!(started.status, 200, "{started:?}");
    let shown = server
        .get(&format!("/task/{}/form-variables", task(&server).await?))
        .await?
        .json();
    assert_eq!(
        [
            &shown["amount"]["type"],
            &shown["amount"]["value"],
            &shown["due"]["value"],
            &shown["more"]["value"]
        ],
        [&json!("Long"), &json!(7), &json!("31/01/2026"), &json!(true)],
        "fields in their own way, and what else the task sees"
    );

    let submit = format!("/task/{}/submit-form", task(&server).await?);
    let value = |value: Json| json!({"variables": {"amount": {"value": value}}});
    for (sent, kind, words) in [
        (json!(100), "RestException", "validation of max(100) failed"),
        (json!(1.5), "NumberFormatException", "For input string: \"1.5\""),
    ] {
        let (status, found, message) = server.post(&submit, &value(sent)).await?.refusal()?;
        assert_eq!((status, found.as_str()), (500, kind), "{message}");
        assert!(message.contains(words), "{message}");
    }
    let text = json!({"variables": {"amount": {"value": 99}, "due": {"value": "01/02/2026"}}});
    assert_eq!(server.post(&submit, &text).await?.status, 204);
    let details = "/history/detail?formFields=true&sortBy=time&sortOrder=asc";
    let details = server.get(details).await?.json();
    let kept: Vec<(&Json, &Json)> = details
        .as_array()
        .context("a list")?
        .iter()
        .map(|detail| (&detail["type"], &detail["fieldId"]))
        .collect();
    assert_eq!(kept, [(&json!("formField"), &json!("due")); 2], "texts only: {details}");
    server.stop().await
}

/// Deploys a process whose start event and task have a form of this name, with a Camunda Form `f`.
async fn with_form(server: &TestServer, attributes: &str, form: &str) -> Result<String> {
    let model = models::process(&format!(
        r#"<startEvent id="start" {attributes}/><sequenceFlow id="f" sourceRef="start" targetRef="u"/>
    <userTask id="u" {attributes}/>"#
    ));
    let part = |text: String, name: &'static str| reqwest::multipart::Part::text(text).file_name(name);
    let files = reqwest::multipart::Form::new()
        .part("p.bpmn", part(model, "p.bpmn"))
        .part("f.form", part(form.to_owned(), "f.form"));
    let request = server.client.post(server.url("/deployment/create")).multipart(files);
    let answer = super::server::read(request.send().await?).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    let started = server.post("/process-definition/key/p/start", &json!({})).await?;
    Ok(started.json()["id"].as_str().context("an instance")?.to_owned())
}

#[tokio::test]
async fn references_to_forms_are_shown_and_their_files_found() -> Result<()> {
    let server = TestServer::start().await?;
    let file = |text: &str| json!({"id": "f", "text": text});
    for (binding, version, shown, found) in [
        ("deployment", "", json!(null), "one"),
        ("latest", "", json!(null), "two"),
        ("version", r#"camunda:formRefVersion="2""#, json!(2), "two"),
    ] {
        let attributes = format!(r#"camunda:formRef="f" camunda:formRefBinding="{binding}" {version}"#);
        let (first, second) = (file("one").to_string(), file("two").to_string());
        let instance = with_form(&server, &attributes, &first).await?;
        with_form(&server, "", &second).await?;
        let reference = json!({"key": "f", "binding": binding, "version": shown});
        let form = json!({"key": null, "camundaFormRef": reference, "contextPath": null});
        let task = server.get(&format!("/task?processInstanceId={instance}")).await?.json()[0].clone();
        assert_eq!((&task["formKey"], &task["camundaFormRef"]), (&json!(null), &reference));
        let path = format!("/task/{}", task["id"].as_str().context("a task")?);
        assert_eq!(server.get(&path).await?.json()["camundaFormRef"], reference);
        assert_eq!(server.get(&format!("{path}/form")).await?.json(), form);
        let definition = task["processDefinitionId"].as_str().context("a definition")?;
        let definition = format!("/process-definition/{definition}");
        assert_eq!(server.get(&format!("{definition}/startForm")).await?.json(), form);
        for path in [
            format!("{path}/deployed-form"),
            format!("{definition}/deployed-start-form"),
        ] {
            assert_eq!(server.get(&path).await?.json(), file(found), "{binding}");
        }
    }
    let instance = with_form(&server, r#"camunda:formRef="g" camunda:formRefBinding="latest""#, "{}").await?;
    let task = server.get(&format!("/task?processInstanceId={instance}")).await?.json();
    let path = format!("/task/{}/deployed-form", task[0]["id"].as_str().context("a task")?);
    let (status, kind, message) = server.get(&path).await?.refusal()?;
    assert_eq!((status, kind.as_str()), (404, "InvalidRequestException"));
    assert!(message.contains("[key=g, binding=latest, version=null]"), "{message}");
    server.stop().await
}

#[tokio::test]
async fn a_form_key_that_cannot_be_evaluated_fails_whoever_asks_for_the_task() -> Result<()> {
    let server = TestServer::start().await?;
    let instance = with_form(&server, r#"camunda:formKey="${y}.html""#, "{}").await?;
    let history = server.get("/history/task").await?.json();
    let task = format!("/task/{}", history[0]["id"].as_str().context("a task")?);
    let words = "Unknown property used in expression: ${y}.html. Cause: Cannot resolve identifier 'y'";
    for path in [
        "/task".to_owned(),
        task.clone(),
        format!("{task}/form"),
        format!("{task}/form-variables"),
        format!("{task}/deployed-form"),
    ] {
        let refused = server.get(&path).await?.refusal()?;
        assert_eq!(
            refused,
            (500, "ProcessEngineException".to_owned(), words.to_owned()),
            "{path}"
        );
    }
    assert_eq!(server.get("/task/count").await?.json()["count"], 1);
    let start = server.get("/process-definition/key/p/startForm").await?.json();
    assert_eq!(start["key"], "${y}.html", "as it is written");
    let variable = format!("/process-instance/{instance}/variables/y");
    server
        .send(Method::PUT, &variable, Some(&json!({"value": "k"})))
        .await?;
    assert_eq!(server.get(&task).await?.json()["formKey"], "k.html");
    server.stop().await
}

#[tokio::test]
async fn a_deployment_can_ask_to_be_refused_for_warnings() -> Result<()> {
    let server = TestServer::start().await?;
    let warned = models::process(
        r#"<startEvent id="start"/><sequenceFlow id="f" sourceRef="start" targetRef="u"/>
    <userTask id="u"><standardLoopCharacteristics/></userTask>"#,
    );
    let deploy = async |strict: &'static str| {
        let file = reqwest::multipart::Part::text(warned.clone()).file_name("p.bpmn");
        let form = reqwest::multipart::Form::new()
            .text("handoff-strict", strict)
            .part("p.bpmn", file);
        let request = server.client.post(server.url("/deployment/create")).multipart(form);
        super::server::read(request.send().await?).await
    };
    let (status, kind, message) = deploy("true").await?.refusal()?;
    assert_eq!((status, kind.as_str()), (400, "ParseException"), "{message}");
    assert_eq!(deploy("false").await?.status, 200);
    server.stop().await
}

#[tokio::test]
async fn an_unknown_definition_is_told_by_the_id_that_was_sent() -> Result<()> {
    let server = TestServer::start().await?;
    let words = "no deployed process definition found with id 'nope': processDefinition is null";
    let body = json!({"variables": {"x": {"value": 1}}, "processDefinitionId": "nope"});
    let refused = server.post("/condition", &body).await?.refusal()?;
    assert_eq!(refused, (400, "NotFoundException".to_owned(), words.to_owned()));
    for call in ["start", "submit-form"] {
        let path = format!("/process-definition/nope/{call}");
        let refused = server.post(&path, &json!({})).await?.refusal()?;
        let message = format!("Cannot instantiate process definition nope: {words}");
        assert_eq!(refused, (500, "RestException".to_owned(), message));
    }
    server.stop().await
}
