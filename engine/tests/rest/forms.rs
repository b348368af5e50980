//! Forms that are made of fields, as who fills them in sees them; what deploying and starting refuse.

use anyhow::{Context, Result};
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
