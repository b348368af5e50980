//! What the clients of Camunda 7 are known to send, and what they rely on in the answers.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::models;
use super::server::{Answer, TestServer, read};

const FETCH: &str = "/external-task/fetchAndLock";

async fn with_instance(variables: Json) -> Result<(TestServer, String)> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &models::external_task()).await?;
    let started = server
        .post("/process-definition/key/p/start", &json!({ "variables": variables }))
        .await?;
    let id = started.json()["id"]
        .as_str()
        .with_context(|| format!("{started:?}"))?
        .to_owned();
    Ok((server, id))
}

async fn fetch(server: &TestServer, topic: Json) -> Result<Json> {
    let mut topics = json!([{"topicName": "t", "lockDuration": 60_000}]);
    topics[0]
        .as_object_mut()
        .context("a topic")?
        .extend(topic.as_object().cloned().unwrap_or_default());
    let answer = server
        .post(FETCH, &json!({"workerId": "w", "maxTasks": 1, "topics": topics}))
        .await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(answer.json()[0].clone())
}

async fn download(server: &TestServer, path: &str) -> Result<Answer> {
    read(server.client.get(server.url(path)).send().await?).await
}

#[tokio::test]
async fn json_is_sent_under_exactly_its_name() -> Result<()> {
    let (server, id) = with_instance(json!({})).await?;
    for path in ["/engine", "/external-task", "/nope", &format!("/process-instance/{id}")] {
        let answer = server.get(path).await?;
        assert_eq!(answer.content_type.as_deref(), Some("application/json"), "{path}");
    }
    server.stop().await
}

#[tokio::test]
async fn every_field_may_be_null_or_empty() -> Result<()> {
    let (server, _) = with_instance(json!({})).await?;
    let topic = json!({
        "topicName": "t", "lockDuration": 60_000, "variables": null, "localVariables": null, "businessKey": null,
        "processDefinitionId": null, "processDefinitionIdIn": null, "processDefinitionKey": null,
        "processDefinitionKeyIn": null, "processDefinitionVersionTag": null, "processVariables": {},
        "deserializeValues": true, "includeExtensionProperties": null, "withoutTenantId": null, "tenantIdIn": null,
    });
    let body = json!({
        "workerId": "w", "maxTasks": 1, "usePriority": null, "asyncResponseTimeout": null, "sorting": null,
        "topics": [topic], "unheardOf": {"a": [1]},
    });
    let answer = server.post(FETCH, &body).await?;
    ensure!(
        answer.json().as_array().is_some_and(|tasks| tasks.len() == 1),
        "{answer:?}"
    );
    server.stop().await
}

#[tokio::test]
async fn unlock_comes_with_any_body_or_none() -> Result<()> {
    let (server, _) = with_instance(json!({})).await?;
    for (content_type, body) in [
        (None, None),
        (None, Some("")),
        (Some("application/json"), Some("")),
        (Some("application/json"), Some("null")),
        (Some("application/json"), Some("{}")),
    ] {
        let task = fetch(&server, json!({})).await?;
        let url = server.url(&format!(
            "/external-task/{}/unlock",
            task["id"].as_str().context("unlocked before")?
        ));
        let mut request = server.client.post(url);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        assert_eq!(request.send().await?.status(), 204, "{content_type:?} {body:?}");
    }
    server.stop().await
}

#[tokio::test]
async fn files_are_found_by_instance_and_by_execution() -> Result<()> {
    let file = json!({"type": "file", "value": "aGVsbG8=",
        "valueInfo": {"filename": "a.txt", "mimeType": "text/plain", "encoding": "UTF-8"}});
    let bare =
        json!({"type": "File", "value": "aGVsbG8=", "valueInfo": {"filename": "b.txt", "mimetype": "text/plain"}});
    let (server, instance) = with_instance(json!({"f": file, "g": bare})).await?;
    let task = fetch(&server, json!({})).await?;
    assert_eq!(
        task["variables"]["f"]["value"],
        Json::Null,
        "its content is fetched apart"
    );
    assert_eq!(
        task["variables"]["f"]["valueInfo"],
        json!({"filename": "a.txt", "mimeType": "text/plain", "encoding": "UTF-8"})
    );
    let execution = task["executionId"].as_str().context("an execution")?;
    for path in [
        format!("/execution/{instance}/localVariables/f/data"),
        format!("/process-instance/{execution}/variables/f/data"),
        format!("/process-instance/{instance}/variables/f/data"),
    ] {
        let answer = download(&server, &path).await?;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (200, "hello"),
            "{path}: {answer:?}"
        );
        assert_eq!(
            answer.content_type.as_deref(),
            Some("text/plain; charset=UTF-8"),
            "{path}"
        );
    }
    let answer = download(&server, &format!("/process-instance/{instance}/variables/g/data")).await?;
    assert_eq!(
        answer.content_type.as_deref(),
        Some("application/octet-stream"),
        "`mimetype` is not known"
    );
    let local = download(&server, &format!("/execution/{execution}/localVariables/f/data")).await?;
    assert_eq!(local.refusal()?.0, 404, "it is not a local one of the execution");
    server.stop().await
}

#[tokio::test]
async fn variables_are_modified_by_instance_and_by_execution() -> Result<()> {
    let (server, instance) = with_instance(json!({"a": {"value": 1, "type": "Integer"}})).await?;
    let task = fetch(&server, json!({})).await?;
    let execution = task["executionId"].as_str().context("an execution")?;
    let modify = json!({"workerId": "w", "modifications": {"b": {"value": "x"}}, "deletions": []});
    let answer = server
        .post(&format!("/process-instance/{execution}/variables"), &modify)
        .await?;
    assert_eq!(answer.status, 204, "{answer:?}");
    let local = json!({"modifications": {"l": {"value": 7, "type": "Long"}}});
    assert_eq!(
        server
            .post(&format!("/execution/{execution}/localVariables"), &local)
            .await?
            .status,
        204
    );
    let of = |id: &str, what: &str| {
        server.url(&format!(
            "/{what}/{id}/{}",
            if what == "execution" {
                "localVariables"
            } else {
                "variables"
            }
        ))
    };
    let names = |json: Json| {
        json.as_object()
            .map(|map| map.keys().cloned().collect::<Vec<_>>())
            .unwrap_or_default()
    };
    let read_names =
        async |url: String| Ok::<_, anyhow::Error>(names(read(server.client.get(url).send().await?).await?.json()));
    assert_eq!(read_names(of(&instance, "process-instance")).await?, ["a", "b"]);
    assert_eq!(
        read_names(of(execution, "process-instance")).await?,
        ["l", "a", "b"],
        "inner ones first"
    );
    assert_eq!(read_names(of(execution, "execution")).await?, ["l"]);
    let path = format!("/process-instance/{instance}/variables/a");
    assert_eq!(server.send(Method::DELETE, &path, None).await?.status, 204);
    assert_eq!(server.get(&path).await?.refusal()?.0, 404);
    server.stop().await
}

#[tokio::test]
async fn typed_values_come_back_as_they_were_sent() -> Result<()> {
    let variables = json!({
        "json": {"type": "json", "value": "{\"a\": [1, 2]}"},
        "xml": {"type": "xml", "value": "<a/>"},
        "object": {"type": "Object", "value": "{\"x\":1}",
            "valueInfo": {"objectTypeName": "com.example.X", "serializationDataFormat": "application/json"}},
        "double": {"type": "double", "value": 4.630104524794237e-39},
        "long": {"type": "long", "value": 9_223_372_036_854_775_807_i64},
        "date": {"type": "date", "value": "2026-01-31T09:15:30.123+0100"},
        "gone": {"type": "string", "value": "x", "valueInfo": {"transient": true}},
    });
    let (server, instance) = with_instance(variables).await?;
    let got = server
        .get(&format!(
            "/process-instance/{instance}/variables?deserializeValues=false"
        ))
        .await?
        .json();
    assert_eq!(
        got["json"],
        json!({"type": "Json", "value": "{\"a\": [1, 2]}", "valueInfo": {}})
    );
    assert_eq!(got["xml"], json!({"type": "Xml", "value": "<a/>", "valueInfo": {}}));
    assert_eq!(got["object"]["value"], "{\"x\":1}");
    assert_eq!(got["object"]["valueInfo"]["objectTypeName"], "com.example.X");
    assert_eq!(got["double"]["value"], json!(4.630_104_524_794_237e-39));
    assert_eq!(got["long"]["value"], json!(9_223_372_036_854_775_807_i64));
    assert_eq!(got["date"]["value"], "2026-01-31T08:15:30.123+0000");
    assert_eq!(got.get("gone"), None, "a transient variable is never stored");
    server.stop().await
}

#[tokio::test]
async fn the_tree_is_there_under_each_name_of_the_engine() -> Result<()> {
    let server = TestServer::start_with(|config| config.name = "order".into()).await?;
    for path in [
        "/engine/default/version",
        "/engine/order/version",
        "/version/",
        "/engine/default/external-task/count",
    ] {
        assert_eq!(server.get(path).await?.status, 200, "{path}");
    }
    let (status, _, message) = server.get("/engine/other/version").await?.refusal()?;
    assert_eq!((status, message.as_str()), (400, "No process engine available"));
    server.stop().await
}

#[tokio::test]
async fn queries_by_get_compare_texts_and_by_post_types() -> Result<()> {
    let variables = json!({"i": {"value": 1, "type": "Integer"}, "s": {"value": "a_b", "type": "String"}});
    let (server, instance) = with_instance(variables).await?;
    let count = async |answer: Answer| answer.json()["count"].as_i64().with_context(|| format!("{answer:?}"));
    assert_eq!(
        count(server.get("/process-instance/count?variables=i_eq_1").await?).await?,
        0
    );
    assert_eq!(
        count(server.get("/process-instance/count?variables=s_eq_a_b").await?).await?,
        1
    );
    assert_eq!(
        count(server.get("/process-instance/count?variables=s_like_A%25").await?).await?,
        0,
        "case counts"
    );
    assert_eq!(
        count(server.get("/process-instance/count?variables=s_like_a%25").await?).await?,
        1
    );
    for (operator, value, expected) in [
        ("eq", json!(1), 1),
        ("gt", json!(1), 0),
        ("lteq", json!(1), 1),
        ("neq", json!(2), 1),
    ] {
        let body = json!({"variables": [{"name": "i", "operator": operator, "value": value}]});
        assert_eq!(
            count(server.post("/process-instance/count", &body).await?).await?,
            expected,
            "{operator}"
        );
    }
    let listed = server
        .post(
            "/process-instance?maxResults=5",
            &json!({"processInstanceIds": [instance]}),
        )
        .await?
        .json();
    assert_eq!(listed[0]["id"], json!(instance));
    server.stop().await
}
