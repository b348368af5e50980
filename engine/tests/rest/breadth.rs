//! What operators and tools ask for beside the ways of workers.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::models;
use super::server::{TestServer, read};

fn waiting() -> String {
    models::process(
        r#"<startEvent id="start" camunda:formKey="embedded:deployment:start.html"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="fork"/>
    <parallelGateway id="fork"/>
    <sequenceFlow id="f2" sourceRef="fork" targetRef="plain"/>
    <receiveTask id="plain"/>
    <sequenceFlow id="f3" sourceRef="fork" targetRef="message"/>
    <receiveTask id="message" messageRef="go"/>"#,
    )
}

async fn started(server: &TestServer) -> Result<String> {
    let started = server.post("/process-definition/key/p/start", &json!({})).await?;
    Ok(started.json()["id"]
        .as_str()
        .with_context(|| format!("{started:?}"))?
        .to_owned())
}

async fn execution(server: &TestServer, activity: &str) -> Result<String> {
    let list = server.get(&format!("/execution?activityId={activity}")).await?.json();
    Ok(list[0]["id"]
        .as_str()
        .with_context(|| format!("at {activity}: {list}"))?
        .to_owned())
}

#[tokio::test]
async fn one_execution_is_signalled_or_sent_a_message() -> Result<()> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &waiting()).await?;
    let instance = started(&server).await?;
    let (plain, message) = (execution(&server, "plain").await?, execution(&server, "message").await?);
    let root = server
        .post(&format!("/execution/{instance}/signal"), &json!({}))
        .await?
        .refusal()?;
    assert!(root.2.contains("it has no current activity"), "{root:?}");
    let unknown = server.post("/execution/nope/signal", &json!({})).await?.refusal()?;
    assert_eq!(
        unknown.2,
        "Cannot signal execution nope: execution nope doesn't exist: execution is null"
    );
    let signal = json!({"variables": {"s": {"value": 1}}});
    assert_eq!(
        server
            .post(&format!("/execution/{plain}/signal"), &signal)
            .await?
            .status,
        204
    );
    assert_eq!(
        server
            .post(&format!("/execution/{plain}/signal"), &signal)
            .await?
            .status,
        500,
        "it is gone"
    );
    let variables = server
        .get(&format!("/process-instance/{instance}/variables"))
        .await?
        .json();
    assert_eq!(variables["s"]["value"], 1);

    let subscription = format!("/execution/{message}/messageSubscriptions");
    assert_eq!(
        server.get(&format!("{subscription}/go")).await?.json()["eventName"],
        "go"
    );
    assert_eq!(server.get(&format!("{subscription}/other")).await?.status, 404);
    let other = server
        .post(&format!("{subscription}/other/trigger"), &json!({}))
        .await?
        .refusal()?;
    assert!(
        other
            .2
            .contains("does not have a subscription to a message event with name 'other'"),
        "{other:?}"
    );
    assert_eq!(
        server
            .post(&format!("{subscription}/go/trigger"), &json!({}))
            .await?
            .status,
        204
    );
    assert_eq!(
        server.get(&format!("/process-instance/{instance}")).await?.status,
        404,
        "it has ended"
    );
    server.stop().await
}

#[tokio::test]
async fn binary_variables_are_uploaded() -> Result<()> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &models::external_task()).await?;
    let instance = started(&server).await?;
    let path = format!("/process-instance/{instance}/variables/v");
    let upload = async |kind: Option<&str>, part: reqwest::multipart::Part| {
        let mut form = reqwest::multipart::Form::new().part("data", part);
        if let Some(kind) = kind {
            form = form.text("valueType", kind.to_owned());
        }
        let request = server.client.post(server.url(&format!("{path}/data"))).multipart(form);
        read(request.send().await?).await
    };
    let part = |bytes: &'static [u8]| reqwest::multipart::Part::bytes(bytes).file_name("x.bin");
    assert_eq!(upload(None, part(b"\x00\x01")).await?.status, 204);
    assert_eq!(
        server.get(&path).await?.json(),
        json!({"type": "Bytes", "value": "AAE=", "valueInfo": {}})
    );
    let file = part(b"hey").file_name("x.txt").mime_str("text/plain; encoding=UTF-8")?;
    assert_eq!(upload(Some("File"), file).await?.status, 204);
    let shown = server.get(&path).await?.json();
    assert_eq!(
        shown["valueInfo"],
        json!({"filename": "x.txt", "mimeType": "text/plain", "encoding": "UTF-8"})
    );
    let content = read(server.client.get(server.url(&format!("{path}/data"))).send().await?).await?;
    assert_eq!(content.text, "hey");
    let wrong = upload(Some("Date"), part(b"x")).await?.refusal()?;
    assert!(wrong.2.contains("set it by PUT of its JSON"), "{wrong:?}");
    server.stop().await
}

#[tokio::test]
async fn a_definition_is_deleted_and_the_one_before_it_starts_again() -> Result<()> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &models::message_start()).await?;
    server
        .deployed(
            "p.bpmn",
            &models::message_start().replace("id=\"work\"", "id=\"work\" name=\"2\""),
        )
        .await?;
    let latest = server.get("/process-definition/key/p").await?.json();
    assert_eq!(latest["version"], 2);
    let path = format!("/process-definition/{}", latest["id"].as_str().context("an id")?);
    server.post("/message", &json!({"messageName": "begin"})).await?;
    let running = server.send(Method::DELETE, &path, None).await?.refusal()?;
    assert_eq!(running.0, 500, "{running:?}");
    assert_eq!(
        server
            .send(Method::DELETE, &format!("{path}?cascade=true"), None)
            .await?
            .status,
        200
    );
    assert_eq!(server.get("/history/process-instance/count").await?.json()["count"], 0);
    assert_eq!(server.get("/process-definition/key/p").await?.json()["version"], 1);
    server.post("/message", &json!({"messageName": "begin"})).await?;
    let instance = server.get("/process-instance").await?.json();
    assert!(
        instance[0]["definitionId"]
            .as_str()
            .is_some_and(|id| id.starts_with("p:1:")),
        "{instance}"
    );
    assert_eq!(
        server
            .send(Method::DELETE, "/process-definition/nope", None)
            .await?
            .status,
        404
    );
    server.stop().await
}

#[tokio::test]
async fn forms_are_named_and_served_but_not_rendered() -> Result<()> {
    let server = TestServer::start().await?;
    let part = |name: &'static str, text: String| reqwest::multipart::Part::text(text).file_name(name);
    let form = reqwest::multipart::Form::new()
        .part("a", part("p.bpmn", waiting()))
        .part("b", part("start.html", "<form></form>".to_owned()))
        .part("c", part("p.svg", "<svg/>".to_owned()));
    let deployed = server.client.post(server.url("/deployment/create")).multipart(form);
    let deployment = read(deployed.send().await?).await?.json();
    let at = |rest: &str| format!("/process-definition/key/p/{rest}");
    assert_eq!(
        server.get(&at("startForm")).await?.json()["key"],
        "embedded:deployment:start.html"
    );
    assert_eq!(server.get(&at("deployed-start-form")).await?.text, "<form></form>");
    assert_eq!(server.get(&at("rendered-form")).await?.status, 404);
    assert_eq!(
        server.get(&at("diagram")).await?.content_type.as_deref(),
        Some("image/svg+xml")
    );
    assert_eq!(server.get(&at("form-variables")).await?.json(), json!({}));
    let submitted = server
        .post(&at("submit-form"), &json!({"businessKey": "b"}))
        .await?
        .json();
    assert_eq!(submitted["businessKey"], "b");
    let again = format!("/deployment/{}/redeploy", deployment["id"].as_str().context("an id")?);
    let missing = server
        .post(&again, &json!({"resourceNames": ["zz"]}))
        .await?
        .refusal()?;
    assert!(
        missing
            .2
            .ends_with("does not contain the following resources with name: zz"),
        "{missing:?}"
    );
    let redeployed = server
        .post(&again, &json!({"resourceNames": ["p.bpmn"], "source": "again"}))
        .await?
        .json();
    assert_eq!(
        (&redeployed["source"], &redeployed["name"]),
        (&json!("again"), &Json::Null)
    );
    assert_eq!(server.get("/process-definition/key/p").await?.json()["version"], 2);
    assert_eq!(
        server.get(&at("diagram")).await?.status,
        204,
        "the picture was not deployed again"
    );
    server.stop().await
}

#[tokio::test]
async fn what_is_not_kept_is_answered_empty() -> Result<()> {
    let server = TestServer::start().await?;
    for path in [
        "/user",
        "/group",
        "/tenant",
        "/authorization",
        "/filter",
        "/case-definition",
        "/case-instance",
    ] {
        assert_eq!(server.get(path).await?.json(), json!([]), "{path}");
        assert_eq!(
            server.get(&format!("{path}/count")).await?.json(),
            json!({"count": 0}),
            "{path}"
        );
    }
    for path in [
        "/user/x/profile",
        "/group/x",
        "/tenant/x",
        "/filter/x",
        "/authorization/x",
    ] {
        assert_eq!(server.get(path).await?.refusal()?.0, 404, "{path}");
    }
    let options = server.send(Method::OPTIONS, "/user", None).await?;
    assert_eq!(options.json()["links"][0]["rel"], "list", "{options:?}");
    let verified = server
        .post("/identity/verify", &json!({"username": "a", "password": "b"}))
        .await?
        .json();
    assert_eq!(verified["authenticated"], false);
    assert_eq!(
        server.get("/identity/groups?userId=a").await?.json(),
        json!({"groups": [], "groupUsers": []})
    );
    let check = "/authorization/check?permissionName=READ&resourceName=Task&resourceType=7";
    assert_eq!(server.get(check).await?.refusal()?.0, 401);
    assert_eq!(
        server.get("/telemetry/configuration").await?.json(),
        json!({"enableTelemetry": false})
    );
    assert_eq!(server.get("/schema/log").await?.json()[0]["version"], "7.24.0");
    server.stop().await
}

#[tokio::test]
async fn what_was_done_is_counted() -> Result<()> {
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &models::external_task()).await?;
    started(&server).await?;
    started(&server).await?;
    let sum = async |name: &str| {
        Ok::<_, anyhow::Error>(server.get(&format!("/metrics/{name}/sum")).await?.json()["result"].clone())
    };
    assert_eq!(sum("root-process-instance-start").await?, 2);
    assert_eq!(sum("activity-instance-start").await?, 4);
    assert_eq!(sum("unheard-of").await?, 0);
    let past = server
        .get("/metrics/process-instances/sum?endDate=2020-01-01T00:00:00.000%2B0000")
        .await?;
    assert_eq!(past.json()["result"], 0);
    let intervals = server.get("/metrics?name=process-instances").await?.json();
    let counted: i64 = intervals
        .as_array()
        .context("a list")?
        .iter()
        .filter_map(|one| one["value"].as_i64())
        .sum();
    assert_eq!(counted, 2, "{intervals}");
    server.stop().await
}

#[tokio::test]
async fn the_rest_describes_itself() -> Result<()> {
    let server = TestServer::start().await?;
    let document = server.get("/openapi.json").await?;
    assert_eq!(document.content_type.as_deref(), Some("application/json"));
    assert_eq!(document.json()["openapi"], "3.1.0");
    let page = server.get("/openapi").await?;
    assert!(
        page.text.contains("openapi.json") && !page.text.contains("https://"),
        "nothing from elsewhere"
    );
    server.stop().await
}
