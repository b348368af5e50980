//! Starting, stopping, and being looked at.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    fake_engine::FakeEngine,
    support::{TestHost, completing, config, gated, topic},
};

#[tokio::test]
async fn a_stop_ends_the_long_poll_at_once_where_the_engine_notices() {
    let engine = FakeEngine::start().await;
    engine.be_handoff();
    let (host, _) = TestHost::with(&engine, "", completing("w")).await;
    engine
        .until("polled", |engine| !engine.calls_to("fetchAndLock").is_empty())
        .await;
    host.until_probed().await;
    let began = Instant::now();
    host.stop(10_000).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let last = engine.calls().pop().unwrap();
    assert_eq!(
        last.path, "external-task",
        "a last look for what the aborted poll may have locked"
    );
}

#[tokio::test]
async fn a_stop_waits_for_a_poll_that_would_lock_tasks_later() {
    let engine = FakeEngine::start().await;
    let (host, worker) = TestHost::with(&engine, "polls = 1", completing("w")).await;
    engine
        .until("polled", |engine| !engine.calls_to("fetchAndLock").is_empty())
        .await;
    host.until_probed().await;
    let began = Instant::now();
    let stopping = tokio::spawn(host.stop(15_000));
    engine.add("a", "t");
    stopping.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(worker.runs(), 0, "nothing is begun by a host that stops");
    let task = engine.task("a");
    assert!(task.worker.is_none() && task.ended.is_none(), "it was given back");
    assert!(!engine.calls_to("unlock").is_empty(), "because the poll had locked it");

    // One that brings nothing in time is given up.
    let (host, _) = TestHost::with(&engine, "", completing("w")).await;
    engine.remove("a");
    let polls = engine.calls_to("fetchAndLock").len();
    engine
        .until("polled again", |engine| engine.calls_to("fetchAndLock").len() > polls)
        .await;
    host.until_probed().await;
    let began = Instant::now();
    host.stop(500).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn running_tasks_may_end_and_what_is_left_is_given_back() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    engine.add("b", "t");
    let (worker, gate) = gated("w");
    let (host, worker) = TestHost::with(&engine, "", worker).await;
    worker.until_runs(2).await;
    let stopping = tokio::spawn(host.stop(1_000));
    gate.add_permits(1);
    stopping.await.unwrap();
    let (a, b) = (engine.task("a"), engine.task("b"));
    let (ended, left) = if a.ended.is_some() { (a, b) } else { (b, a) };
    assert!(ended.ended.unwrap().0.ends_with("complete"));
    assert!(
        left.ended.is_none() && left.worker.is_none(),
        "unlocked, so that another host takes it at once"
    );
    assert_eq!(left.retries, None, "a stop is no failure");
}

#[tokio::test]
async fn health_readiness_and_metrics_tell_the_truth() {
    let engine = FakeEngine::start().await;
    let workforce = handoff_host::worker::Workforce::default().with_topic(
        "order",
        crate::support::topic("t"),
        std::sync::Arc::new(completing("metered")),
    );
    let mut config = config(&engine.url(), "");
    config.admin = Some(handoff_host::config::AdminConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        token_file: None,
        insecure: false,
    });
    let host = TestHost::start(config, workforce).await;
    engine.add("a", "t");
    engine.until_ended("a").await;
    let base = format!("http://{}", host.host.admin_address().unwrap());
    let client = reqwest::Client::new();
    let get = |path: &str| client.get(format!("{base}{path}")).send();
    assert_eq!(get("/healthz").await.unwrap().status(), 200);
    let ready = get("/readyz").await.unwrap();
    assert_eq!(ready.status(), 200);
    let ready: serde_json::Value = ready.json().await.unwrap();
    assert_eq!(ready["engines"]["order"]["reachable"], true);
    assert_eq!(ready["engines"]["order"]["product"], "Camunda 7 dialect, 7.24.0");
    let metrics = get("/metrics").await.unwrap().text().await.unwrap();
    let counted = |line: &str| {
        line.starts_with("handoff_tasks_total")
            && line.contains(r#"worker="metered""#)
            && line.contains(r#"outcome="completed""#)
    };
    assert!(metrics.lines().any(counted), "{metrics}");
    assert_eq!(
        get("/workers")
            .await
            .unwrap()
            .json::<serde_json::Value>()
            .await
            .unwrap(),
        serde_json::json!([])
    );
    let foreign = client
        .get(format!("{base}/readyz"))
        .header("host", "evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), 403, "DNS rebinding");
}

/// A host over an empty folder of workers, whose admin listener is configured so.
async fn with_admin(admin: &str) -> (handoff_host::Host, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("workers")).unwrap();
    std::fs::write(folder.path().join("admin.token"), "let-me-in\n").unwrap();
    let text = format!("[workers]\ndir = \"workers\"\n[admin]\n{admin}\n");
    let config = handoff_host::Config::parse(&text, &folder.path().join("handoff.toml")).unwrap();
    let runtime = handoff_host::runtime_config(&config);
    let host = handoff_host::Host::start(config, runtime).await.unwrap();
    let port = host.admin_address().unwrap().port();
    (host, format!("http://127.0.0.1:{port}"), folder)
}

async fn rollback(base: &str, token: Option<&str>) -> (u16, serde_json::Value) {
    let request = reqwest::Client::new()
        .post(format!("{base}/workers/nobody/rollback"))
        .json(&serde_json::json!({}));
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_cannot_listen_has_locked_nothing() {
    let engine = FakeEngine::start().await;
    engine.add("a", "t");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config(&engine.url(), "");
    config.admin = Some(handoff_host::config::AdminConfig {
        listen: taken.local_addr().unwrap(),
        token_file: None,
        insecure: false,
    });
    let workforce =
        handoff_host::worker::Workforce::default().with_topic("order", topic("t"), Arc::new(completing("w")));
    let (_sender, workforce) = tokio::sync::watch::channel(Arc::new(workforce));
    let refused = handoff_host::Host::start_with(config, workforce).await.err().unwrap();
    assert!(refused.to_string().starts_with("[admin] listen = "), "{refused}");
    // Nothing to await: this is about what does not happen.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(engine.calls().is_empty(), "{:?}", engine.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_changed_on_loopback_or_with_a_token_only() {
    let (host, base, _folder) = with_admin("listen = \"127.0.0.1:0\"").await;
    assert_eq!(rollback(&base, None).await.0, 404, "there is no such worker");
    host.shutdown(Duration::ZERO).await;

    // Open to others: it shows, and changes nothing.
    let (host, base, _folder) = with_admin("listen = \"0.0.0.0:0\"\ninsecure = true").await;
    let (status, answer) = rollback(&base, None).await;
    assert_eq!(status, 403);
    assert!(
        answer["message"].as_str().unwrap().contains("add token-file"),
        "{answer}"
    );
    assert_eq!(reqwest::get(format!("{base}/status")).await.unwrap().status(), 200);
    host.shutdown(Duration::ZERO).await;

    let (host, base, _folder) = with_admin("listen = \"0.0.0.0:0\"\ntoken-file = \"admin.token\"").await;
    assert_eq!(rollback(&base, None).await.0, 401);
    assert_eq!(rollback(&base, Some("guessed")).await.0, 401);
    assert_eq!(rollback(&base, Some("let-me-in")).await.0, 404);
    host.shutdown(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_directory_that_cannot_be_used_stops_the_host_only_where_it_was_asked_for() {
    use std::os::unix::fs::DirBuilderExt;

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("workers")).unwrap();
    // Open to others, and found where the host would make its own.
    let open = folder.path().join(".handoff.state");
    std::fs::DirBuilder::new().mode(0o755).create(&open).unwrap();
    let start = async |more: &str| {
        let text = format!("[workers]\ndir = \"workers\"\n{more}\n");
        let config = handoff_host::Config::parse(&text, &folder.path().join("handoff.toml")).unwrap();
        let runtime = handoff_host::runtime_config(&config);
        handoff_host::Host::start(config, runtime).await
    };
    start("").await.unwrap().shutdown(Duration::ZERO).await;
    let error = start("state-dir = \".handoff.state\"").await.err().unwrap();
    assert!(error.to_string().contains("chmod 700"), "{error}");
}
