//! Schemathesis against the description: whatever is sent, errors are JSON as Camunda's, and a 500 is an engine's own.

use anyhow::Result;

use super::models;
use super::official::{Tool, run};
use super::server::TestServer;

/// Bounded and repeatable: what is sent follows from the description alone, and so does how often each operation is tried.
const RUN: &str = "SCHEMATHESIS_HOOKS=hooks PYTHONPATH=\"$SOURCE\" venv/bin/schemathesis run \"$1/openapi.json\" --url \"$1\" \
    --checks errors_are_documented --phases examples,fuzzing --max-examples 4 --generation-deterministic --warnings off \
    --suppress-health-check all --continue-on-failure --max-failures 30 --request-timeout 20 --no-color";

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_what_is_documented_whatever_is_sent() -> Result<()> {
    let tool = Tool {
        directory: "schemathesis",
        tools: &["python3"],
        install: super::official::PIP,
        lock: "requirements.txt",
    };
    let server = TestServer::start().await?;
    server.deployed("p.bpmn", &models::external_task()).await?;
    run(&tool, RUN, &[&server.url("")]).await?;
    server.stop().await
}
