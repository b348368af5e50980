//! A worker whose files are removed: what runs ends as if nothing had happened, and nothing new begins.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::containment::{Scene, misbehave};

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_files_are_removed_ends_what_it_began() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let configuration = format!("[workers.grants.misbehave]\nhttp = [{url:?}]\n");
    let manifest = format!("[grants]\nhttp = [{url:?}]");
    let scene = Scene::start(&[("misbehave", misbehave(), &manifest)], &configuration, "").await;
    let calls = |value: &str| json!({ "type": "String", "value": value });
    scene.engine.add_with(
        "begun",
        "misbehave",
        json!({ "do": calls("call"), "url": calls(&format!("{url}/")) }),
    );
    // It runs: it waits for this answer.
    let (mut connection, _) = server.accept().await.unwrap();
    let mut asked = [0; 1024];
    assert_ne!(connection.read(&mut asked).await.unwrap(), 0);

    for file in ["misbehave.wasm", "misbehave.toml"] {
        std::fs::remove_file(scene.workers().join(file)).unwrap();
    }
    scene.until("it is gone", <[_]>::is_empty).await;
    let fetches = scene.engine.calls_to("fetchAndLock").len();
    scene
        .engine
        .add_with("late", "misbehave", json!({ "do": calls("panic") }));

    connection
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let completed = scene.engine.until_ended("begun").await;
    assert_eq!(completed["variables"]["status"]["value"], 200);

    // Nobody asks for the topic any more; a poll that was sent before gives back what it brings.
    let late = scene.engine.task("late");
    assert!(late.ended.is_none() && late.error_message.is_none(), "{late:?}");
    let asked_for = |call: &crate::fake_engine::Call| call.body.to_string().contains("misbehave");
    let after = scene.engine.calls_to("fetchAndLock").split_off(fetches);
    assert!(!after.iter().any(asked_for), "{after:?}");
    scene.stop().await;
}
