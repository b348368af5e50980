//! What people attach to tasks.

use anyhow::{Context, Result};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value as Json, json};

use super::models;
use super::server::{Answer, TestServer, read};

async fn waiting(server: &TestServer) -> Result<(String, String)> {
    let task = r#"<startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="u"/><userTask id="u"/>"#;
    server.deployed("p.bpmn", &models::process(task)).await?;
    let started = server.post("/process-definition/key/p/start", &json!({})).await?.json();
    let tasks = server.get("/task").await?.json();
    let id = |json: &Json| json["id"].as_str().map(str::to_owned).context("an id");
    Ok((id(&started)?, id(&tasks[0])?))
}

async fn attach(server: &TestServer, task: &str, form: Form) -> Result<Answer> {
    let url = server.url(&format!("/task/{task}/attachment/create"));
    read(server.client.post(url).multipart(form).send().await?).await
}

async fn delete(server: &TestServer, path: &str) -> Result<Answer> {
    server.send(Method::DELETE, path, None).await
}

#[tokio::test]
async fn files_and_addresses_are_attached_to_a_task_and_outlive_it() -> Result<()> {
    let server = TestServer::start().await?;
    let (instance, task) = waiting(&server).await?;
    let path = format!("/task/{task}/attachment");
    assert_eq!(server.get(&path).await?.json(), json!([]));

    let form = Form::new()
        .text("attachment-name", "offer")
        .text("attachment-description", "the signed one")
        .text("attachment-type", "pdf")
        .part("content", Part::bytes(b"%PDF".to_vec()).file_name("offer.pdf"));
    let file = attach(&server, &task, form).await?.json();
    assert_eq!(
        (
            &file["name"],
            &file["description"],
            &file["type"],
            &file["url"],
            &file["taskId"]
        ),
        (
            &json!("offer"),
            &json!("the signed one"),
            &json!("pdf"),
            &Json::Null,
            &json!(task)
        )
    );
    assert_eq!(file["rootProcessInstanceId"], json!(instance));
    let file = file["id"].as_str().context("an id")?.to_owned();
    let link = Form::new()
        .text("attachment-name", "place")
        .text("url", "https://example.org/x");
    let link = attach(&server, &task, link).await?.json()["id"]
        .as_str()
        .context("an id")?
        .to_owned();

    let data = server.get(&format!("{path}/{file}/data")).await?;
    assert_eq!(
        (data.text.as_str(), data.content_type.as_deref()),
        ("%PDF", Some("application/octet-stream"))
    );
    let none = server.get(&format!("{path}/{link}/data")).await?.refusal()?;
    assert_eq!(none.0, 404);
    assert_eq!(
        none.2,
        format!("Attachment content for attachment with id '{link}' does not exist for task id '{task}'.")
    );
    let shown = server
        .get(&format!(
            "/task?withCommentAttachmentInfo=true&processInstanceId={instance}"
        ))
        .await?;
    assert_eq!(shown.json()[0]["attachment"], json!(true));

    assert_eq!(delete(&server, &format!("{path}/{link}")).await?.status, 204);
    let gone = delete(&server, &format!("{path}/{link}")).await?.refusal()?;
    assert_eq!(gone.0, 404);
    assert!(
        gone.2.starts_with("Deletion is not possible. No attachment exists"),
        "{gone:?}"
    );
    let foreign = server.get(&format!("/task/nope/attachment/{file}")).await?.refusal()?;
    assert_eq!(
        foreign.2,
        format!("Task attachment with id {file} does not exist for task id 'nope'.")
    );

    server.post(&format!("/task/{task}/complete"), &json!({})).await?;
    let left = server.get(&path).await?.json();
    assert_eq!(left[0]["id"], json!(file));
    assert!(left[0]["removalTime"].is_string(), "it goes with the history: {left}");
    delete(&server, &format!("/history/process-instance/{instance}")).await?;
    let gone = server.get(&path).await?.refusal()?;
    assert_eq!((gone.0, gone.2), (404, format!("No task found for task id {task}")));
    server.stop().await
}

#[tokio::test]
async fn what_has_neither_file_nor_address_is_no_attachment() -> Result<()> {
    let server = TestServer::start().await?;
    let (_, task) = waiting(&server).await?;
    let nothing = attach(&server, &task, Form::new().text("attachment-name", "n"))
        .await?
        .refusal()?;
    assert_eq!(nothing.0, 400);
    assert_eq!(
        nothing.2,
        "No content or url to remote content exists to create the task attachment."
    );
    let unknown = attach(&server, "nope", Form::new().text("url", "x")).await?.refusal()?;
    assert_eq!((unknown.0, unknown.2.as_str()), (400, "No task found for task id nope"));
    let long = Form::new().text("url", "x".repeat(4001));
    assert_eq!(attach(&server, &task, long).await?.status, 400);
    server.stop().await
}
