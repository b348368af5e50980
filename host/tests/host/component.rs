//! A real component, from its file to the engine.

use std::path::{Path, PathBuf};

use handoff_host::{Config, Host, check::Severity, runtime_config};
use serde_json::json;

use crate::fake_engine::FakeEngine;

/// Where `cargo xtask workers` puts components.
fn workers() -> PathBuf {
    let folder = std::env::var_os("HANDOFF_WORKERS_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/workers"),
        PathBuf::from,
    );
    assert!(
        folder.join("echo.wasm").is_file(),
        "{} has no echo.wasm; run `cargo xtask workers`",
        folder.display()
    );
    folder
}

#[tokio::test]
async fn a_component_in_the_folder_handles_tasks() {
    let engine = FakeEngine::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(workers().join("echo.wasm"), folder.path().join("echo.wasm")).unwrap();
    std::fs::write(
        folder.path().join("echo.toml"),
        "engine = \"order\"\ntopics = [\"echo\"]\n",
    )
    .unwrap();
    let text = format!(
        "[engines.order]\nurl = \"{}\"\n[workers]\ndir = {:?}\n[admin]\nlisten = \"127.0.0.1:0\"\n",
        engine.url(),
        folder.path().display().to_string()
    );
    let config = Config::parse(&text, &folder.path().join("handoff.toml")).unwrap();
    let findings = config.check(runtime_config(&config), true).await;
    assert!(
        findings.iter().all(|finding| finding.severity == Severity::Fine),
        "{findings:?}"
    );

    let host = Host::start(config.clone(), runtime_config(&config)).await.unwrap();
    for index in 0..100 {
        let order = json!({ "orderId": { "type": "String", "value": format!("o-{index}"), "valueInfo": {} } });
        engine.add_with(&format!("task-{index}"), "echo", order);
    }
    for index in 0..100 {
        let completion = engine.until_ended(&format!("task-{index}")).await;
        assert_eq!(completion["variables"]["done"]["value"], true);
        assert_eq!(completion["variables"]["orderId"]["value"], format!("o-{index}"));
    }
    let workers = host.status().workers();
    assert_eq!((workers[0].name.as_str(), workers[0].state), ("echo", "ready"));

    std::fs::write(
        folder.path().join("echo.toml"),
        "engine = \"order\"\ntopics = [\"echo\"]\nmisspelt = 1\n",
    )
    .unwrap();
    host.registry().unwrap().rescan().await;
    let readiness = host.status().readiness();
    assert!(readiness.ready, "what runs goes on");
    assert!(
        readiness.problems.iter().any(|problem| problem.contains("misspelt")),
        "{readiness:?}"
    );
    let findings = config.check(runtime_config(&config), false).await;
    assert!(
        findings[0].severity == Severity::Error && findings[0].message.contains("misspelt"),
        "{findings:?}"
    );
    host.shutdown(std::time::Duration::from_secs(2)).await;
}
