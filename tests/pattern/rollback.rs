//! An operator looks at the workers, goes back to the version that ran before, and forward again.

use handoff_harness::Rest;
use serde_json::{Value, json};

use crate::{counting::Counting, limits::STATE_LIMIT};

#[test]
fn an_operator_rolls_back_over_a_restart_and_forward_again() {
    let mut scene = Counting::start();
    assert_eq!(scene.counted_by("first"), "1");
    let (succeeded, said) = scene.command(&["rollback", "count-stock"]);
    assert!(
        !succeeded && said.contains("no version of worker `count-stock` that ran before"),
        "{said}"
    );

    scene.put(&scene.component(2));
    scene.until("version 2 to run", STATE_LIMIT, |_| counted(&scene, "2"));
    let two = scene.worker().unwrap();
    assert!(two["since"].is_u64(), "{two}");
    let (succeeded, said) = scene.command(&["rollback", "count-stock"]);
    assert!(succeeded && said.starts_with("count-stock: pinned, version "), "{said}");
    assert!(
        said.contains(&two["version"].as_str().unwrap()[..12]),
        "what it displaces: {said}"
    );
    assert_eq!(scene.counted_by("rolled-back"), "1");

    let (_, table) = scene.command(&["status"]);
    let row = table.lines().find(|line| line.starts_with("count-stock")).unwrap();
    assert!(row.contains("pinned"), "{table}");
    let (succeeded, status) = scene.command(&["status", "--json"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    assert!(succeeded);
    assert_eq!(status["ready"], true);
    assert_eq!(status["engines"]["inventory"]["reachable"], true);
    let worker = &status["workers"][0];
    assert_eq!(worker["pinned"]["displaced"], two["version"]);
    assert!(
        worker["ended"].as_u64().unwrap() >= 2 && worker["failed"] == 0 && worker["p50Ms"].is_f64(),
        "{worker}"
    );
    let metrics = scene.host.metrics().unwrap();
    let short = &worker["version"].as_str().unwrap()[..12];
    let info = format!("handoff_worker_info{{worker=\"count-stock\",version=\"{short}\",state=\"pinned\"}} 1");
    assert!(
        metrics.contains(&info) && metrics.contains("handoff_worker_pinned{worker=\"count-stock\"} 1"),
        "{metrics}"
    );

    scene.host.restart().unwrap();
    assert_eq!(scene.counted_by("after-restart"), "1");
    assert_eq!(scene.worker().unwrap()["state"], "pinned");

    let (succeeded, said) = scene.command(&["unpin", "count-stock"]);
    assert!(succeeded && said.starts_with("count-stock: ready"), "{said}");
    assert_eq!(scene.counted_by("unpinned"), "2");
    let (succeeded, said) = scene.command(&["unpin", "nobody"]);
    assert!(
        !succeeded && said.contains("there is no worker `nobody` (there are: count-stock)"),
        "{said}"
    );
}

fn counted(scene: &Counting, version: &str) -> bool {
    scene.counted_by("probe") == version
}

#[test]
fn a_second_host_over_the_same_state_directory_does_not_start() {
    let scene = Counting::start();
    let (started, said) = scene.command(&[]);
    let holder = format!("in use by process {}", scene.host.process().id());
    assert!(
        !started && said.contains(&holder) && said.contains("state-dir"),
        "{said}"
    );
    let (_, checked) = scene.command(&["--check"]);
    assert!(checked.contains(&holder), "{checked}");
    // The first one has not noticed.
    assert_eq!(scene.counted_by("undisturbed"), "1");
    let rolled_back = scene.command(&["rollback", "count-stock"]).1;
    assert!(rolled_back.contains("that ran before"), "{rolled_back}");
}

#[test]
fn what_changes_something_is_closed_to_web_pages() {
    let scene = Counting::start();
    scene.put(&scene.component(2));
    scene.until("version 2 to run", STATE_LIMIT, |_| counted(&scene, "2"));
    // A connection each: a server may close one whose request it refused without reading it.
    let rest = || Rest::new(&format!("http://{}", scene.host.admin_address()));
    let path = "/workers/count-stock/rollback";
    // A link, a form, a script of another origin, a name that leads here.
    assert_eq!(rest().try_get(path).unwrap().status, 405);
    for media_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        assert_eq!(rest().request("POST", path, media_type, b"{}").unwrap().status, 415);
    }
    let foreign = rest().with_header("Origin", "https://evil.example");
    assert_eq!(foreign.try_post(path, &json!({})).unwrap().status, 403);
    assert_ne!(scene.worker().unwrap()["state"], "pinned");
    assert_eq!(rest().try_post(path, &json!({})).unwrap().status, 200);
    assert_eq!(scene.counted_by("rolled-back"), "1");
}
