//! Conditional events, by expressions and by scripts that really run.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::json;

use super::models;
use super::server::TestServer;

const SCRIPT: &str = r#"<conditionalEventDefinition><condition language="javascript">
      amount &gt; 100 &amp;&amp; execution.getVariable("country") === "DE"</condition></conditionalEventDefinition>"#;

#[tokio::test]
async fn a_script_is_asked_whenever_variables_change() -> Result<()> {
    let server = TestServer::start().await?;
    let model = models::process(&format!(
        r#"<startEvent id="start"/><sequenceFlow id="f" sourceRef="start" targetRef="c"/>
    <intermediateCatchEvent id="c">{SCRIPT}</intermediateCatchEvent><sequenceFlow id="g" sourceRef="c" targetRef="u"/><userTask id="u"/>"#
    ));
    server.deployed("p.bpmn", &model).await?;
    let start = json!({"variables": {"amount": {"value": 100}, "country": {"value": "DE"}}});
    let started = server.post("/process-definition/key/p/start", &start).await?.json();
    let instance = started["id"].as_str().context("an instance")?;
    let amount = format!("/process-instance/{instance}/variables/amount");
    for (value, tasks) in [(99, 0), (101, 1)] {
        let set = server
            .send(Method::PUT, &amount, Some(&json!({"value": value})))
            .await?;
        assert_eq!(set.status, 204, "{set:?}");
        assert_eq!(server.get("/task/count").await?.json()["count"], tasks, "{value}");
    }
    server.stop().await
}

#[tokio::test]
async fn a_script_decides_what_is_started() -> Result<()> {
    let server = TestServer::start().await?;
    let model = models::process(&format!(
        r#"<startEvent id="start">{SCRIPT}</startEvent><sequenceFlow id="f" sourceRef="start" targetRef="u"/><userTask id="u"/>"#
    ));
    server.deployed("p.bpmn", &model).await?;
    for (amount, count) in [(100, 0), (101, 1)] {
        let body = json!({"variables": {"amount": {"value": amount}, "country": {"value": "DE"}}});
        let started = server.post("/condition", &body).await?;
        assert_eq!(started.json().as_array().map(Vec::len), Some(count), "{started:?}");
    }
    let unknown = json!({"variables": {"country": {"value": "DE"}}});
    let (status, kind, message) = server.post("/condition", &unknown).await?.refusal()?;
    assert_eq!((status, kind.as_str()), (500, "ScriptEvaluationException"));
    assert!(message.contains("amount"), "{message}");
    server.stop().await
}
