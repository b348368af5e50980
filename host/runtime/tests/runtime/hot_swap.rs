//! The folder: what is in it is what runs.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use handoff_runtime::{
    Catalog, Digest, OperatorPolicy, Registry, RegistryConfig, Runtime, WorkerPhase, WorkerVersion, wit::types::Outcome,
};

use crate::support::*;

/// A worker that fails with this message, so that a call tells which version it ran on.
pub(crate) fn says(message: &str) -> Vec<u8> {
    let body = format!(
        r#"(data (i32.const 2048) "{message}") {}"#,
        handler(&format!(
            "(i32.store8 (i32.const 1024) (i32.const 2))
             (i32.store (i32.const 1028) (i32.const 2048))
             (i32.store (i32.const 1032) (i32.const {}))",
            message.len()
        ))
    );
    guest("worker", &body)
}

pub(crate) async fn said(version: &Arc<WorkerVersion>) -> String {
    match version.handle(task(vec![]), call()).await.unwrap() {
        Outcome::Failure(failure) => failure.message,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn runs(name: &'static str, digest: Digest) -> impl Fn(&Catalog) -> bool {
    move |catalog| {
        catalog
            .worker(name)
            .and_then(|w| w.current.as_ref())
            .is_some_and(|v| v.component_digest() == digest)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_file_takes_over_and_calls_finish_on_the_old_version() {
    let (one, two) = (says("one"), says("two"));
    let folder = Folder::one(&one).await;
    let old = folder.worker("w");
    assert_eq!(said(&old).await, "one");
    fs::write(folder.dir.path().join("w.wasm"), &two).unwrap();
    folder.until("two runs", runs("w", Digest::of(&two))).await;
    assert_eq!(said(&folder.worker("w")).await, "two");
    assert_eq!(said(&old).await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_manifest_is_another_version() {
    let folder = Folder::one(&says("one")).await;
    let before = folder.worker("w").digest();
    fs::write(folder.dir.path().join("w.toml"), manifest("w") + "retries = 7").unwrap();
    folder
        .until("the manifest is taken", |c| {
            c.worker("w").unwrap().current.as_ref().unwrap().digest() != before
        })
        .await;
    assert_eq!(folder.worker("w").manifest().retries(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_candidates_displace_nothing_and_say_why() {
    let one = says("one");
    let folder = Folder::one(&one).await;
    let code = "(module)";
    let other_world = foreign_guest(
        "package a:b@1.0.0; world other { export run: func(); }",
        "other",
        r#"(func (export "run"))"#,
    );
    let other_version = foreign_guest(
        "package handoff:worker@0.2.0; interface handler { handle: func(x: u32); } world worker { export handler; }",
        "worker",
        r#"(func (export "handoff:worker/handler@0.2.0#handle") (param i32))"#,
    );
    let listener = guest(
        "listener",
        r#"(func (export "handoff:worker/delegate@0.1.0#execute") (param i32) (result i32) (i32.const 1024))"#,
    );
    let two = says("two");
    let candidates: [(&str, Vec<u8>, &str); 7] = [
        ("empty", Vec::new(), "empty"),
        ("not WebAssembly", b"<html>".to_vec(), "not WebAssembly"),
        ("half-written", two[..two.len() / 2].to_vec(), "does not compile"),
        ("a core module", wat::parse_str(code).unwrap(), "wasm32-wasip2"),
        (
            "another world",
            other_world,
            "exports run; a worker exports handoff:worker/handler@0.1.0",
        ),
        ("another version", other_version, "handoff:worker/handler@0.2.0"),
        (
            "a listener where the manifest has topics",
            listener,
            "does not export handoff:worker/handler@0.1.0",
        ),
    ];
    for (what, bytes, reason) in candidates {
        fs::write(folder.dir.path().join("w.wasm"), bytes).unwrap();
        let refused = |c: &Catalog| {
            c.worker("w")
                .and_then(|w| w.last_error.as_ref())
                .is_some_and(|e| e.message.contains(reason))
        };
        folder.until(what, refused).await;
        let catalog = folder.registry.current();
        assert_eq!(catalog.worker("w").unwrap().phase, WorkerPhase::Failed);
        assert_eq!(said(&folder.worker("w")).await, "one");
        assert!(catalog.topic("order", "w").is_some());
    }
    fs::write(folder.dir.path().join("w.wasm"), &one).unwrap();
    folder
        .until("the error goes when the file is good again", |c| {
            c.worker("w").unwrap().last_error.is_none()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_keeps_component_and_manifest_together() {
    let (one, two) = (says("one"), says("two"));
    let pinned = |component: &[u8]| format!("{}sha256 = \"{}\"", manifest("w"), Digest::of(component));
    let folder = Folder::open(&[("w", &one, &pinned(&one))]).await;
    fs::write(folder.dir.path().join("w.wasm"), &two).unwrap();
    folder
        .until("the pin refuses it", |c| c.worker("w").unwrap().last_error.is_some())
        .await;
    assert!(
        folder.refusal("w").contains("pins another component"),
        "{}",
        folder.refusal("w")
    );
    assert_eq!(said(&folder.worker("w")).await, "one");
    fs::write(folder.dir.path().join("w.toml"), pinned(&two)).unwrap();
    folder.until("both are there", runs("w", Digest::of(&two))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_worker_drains_and_a_new_one_comes() {
    let folder = Folder::one(&says("one")).await;
    let version = folder.worker("w");
    fs::remove_file(folder.dir.path().join("w.wasm")).unwrap();
    folder
        .until("it is gone", |c| {
            c.worker("w").is_none() && c.topic("order", "w").is_none()
        })
        .await;
    assert_eq!(said(&version).await, "one");
    write(folder.dir.path(), "v", &says("two"), &manifest("v"));
    folder.until("it is there", |c| c.topic("order", "v").is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_bad_manifest_is_named() {
    let folder = Folder::open(&[
        ("bad", &says("x"), "topcis = []"),
        ("engine", &says("x"), "engine = \"ordre\"\ntopics = [\"a\"]"),
    ])
    .await;
    assert!(folder.refusal("bad").contains("bad.toml:1") && folder.refusal("bad").contains("topcis"));
    fs::write(folder.dir.path().join("alone.wasm"), says("x")).unwrap();
    folder
        .until("it is refused", |c| {
            c.worker("alone").is_some_and(|w| w.last_error.is_some())
        })
        .await;
    assert!(folder.refusal("alone").contains("alone.toml is missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_engine_is_refused() {
    let policy = OperatorPolicy {
        engines: Some(["order".to_owned(), "inventory".to_owned()].into()),
        file: "handoff.toml".into(),
        ..OperatorPolicy::default()
    };
    let manifest = "engine = \"ordre\"\ntopics = [\"a\"]";
    let folder = Folder::open_with(&[("w", &says("x"), manifest)], config(), policy).await;
    let refusal = folder.refusal("w");
    assert!(
        refusal.contains("`ordre`") && refusal.contains("inventory, order") && refusal.contains("handoff.toml"),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_belongs_to_one_worker() {
    let folder = Folder::open(&[("a", &says("a"), &manifest("t")), ("b", &says("b"), &manifest("t"))]).await;
    assert_eq!(said(folder.registry.current().topic("order", "t").unwrap()).await, "a");
    assert!(
        folder.refusal("b").contains("worker `a`'s already"),
        "{}",
        folder.refusal("b")
    );
    fs::remove_file(folder.dir.path().join("a.wasm")).unwrap();
    folder
        .until("b takes over", |c| {
            c.topic("order", "t").is_some_and(|v| v.name() == "b")
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_link_swaps_component_and_manifest_together() {
    // As Kubernetes mounts a ConfigMap, and as deployments with a `current` link do.
    let root = tempfile::tempdir().unwrap();
    let (one, two) = (says("one"), says("two"));
    for (release, component, retries) in [("..1", &one, 1), ("..2", &two, 2)] {
        fs::create_dir(root.path().join(release)).unwrap();
        write(
            &root.path().join(release),
            "w",
            component,
            &format!("{}retries = {retries}", manifest("w")),
        );
    }
    let flip = |to: &str| {
        symlink(to, root.path().join("..new")).unwrap();
        fs::rename(root.path().join("..new"), root.path().join("..data")).unwrap();
    };
    flip("..1");
    symlink("..data/w.wasm", root.path().join("w.wasm")).unwrap();
    symlink("..data/w.toml", root.path().join("w.toml")).unwrap();

    for dir in [root.path().to_owned(), root.path().join("..data")] {
        flip("..1");
        let registry = open(&dir).await;
        flip("..2");
        let mut catalogs = registry.subscribe();
        let version = tokio::time::timeout(
            Duration::from_secs(10),
            catalogs.wait_for(|c| {
                c.worker("w")
                    .and_then(|w| w.current.as_ref())
                    .is_some_and(|v| v.manifest().retries() == 2)
            }),
        )
        .await
        .expect("the flip is not seen")
        .unwrap()
        .worker("w")
        .unwrap()
        .current
        .clone()
        .unwrap();
        assert_eq!(version.component_digest(), Digest::of(&two));
    }
}

async fn open(dir: &Path) -> Registry {
    Registry::open(Runtime::new(config()).unwrap(), RegistryConfig::new(dir))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_flow_while_the_file_is_replaced_again_and_again() {
    let versions = [says("one"), says("two")];
    let folder = Folder::one(&versions[0]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (catalogs, stop) = (folder.registry.subscribe(), stop.clone());
            tokio::spawn(async move {
                let mut calls = 0u32;
                while !stop.load(Ordering::Relaxed) {
                    let catalog = catalogs.borrow().clone();
                    let version = catalog.topic("order", "w").expect("a worker is always there").clone();
                    let said = said(&version).await;
                    assert!(said == "one" || said == "two", "{said}");
                    calls += 1;
                }
                calls
            })
        })
        .collect();
    for round in 0..20 {
        let component = &versions[(round + 1) % 2];
        if round % 3 == 0 {
            fs::write(folder.dir.path().join("w.wasm"), b"\0asm broken").unwrap();
        }
        // By renaming, as `mv` and `rsync` do, and in place, as `cp` does.
        if round % 2 == 0 {
            fs::write(folder.dir.path().join(".w.tmp"), component).unwrap();
            fs::rename(folder.dir.path().join(".w.tmp"), folder.dir.path().join("w.wasm")).unwrap();
        } else {
            fs::write(folder.dir.path().join("w.wasm"), component).unwrap();
        }
        folder
            .until("the newest version runs", runs("w", Digest::of(component)))
            .await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut calls = 0;
    for caller in callers {
        calls += caller.await.unwrap();
    }
    println!("{calls} calls over 20 replacements");
    assert!(calls > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_runs_is_not_taken_over_by_an_update() {
    let folder = Folder::open(&[("a", &says("a"), &manifest("a")), ("b", &says("b"), &manifest("b"))]).await;
    fs::write(
        folder.dir.path().join("a.toml"),
        "engine = \"order\"\ntopics = [\"a\", \"b\"]",
    )
    .unwrap();
    folder
        .until("the update is refused", |c| c.worker("a").unwrap().last_error.is_some())
        .await;
    assert!(
        folder.refusal("a").contains("worker `b`'s already"),
        "{}",
        folder.refusal("a")
    );
    let catalog = folder.registry.current();
    assert_eq!(said(catalog.topic("order", "a").unwrap()).await, "a");
    assert_eq!(said(catalog.topic("order", "b").unwrap()).await, "b");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_candidate_keeps_no_other_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "quick", &says("quick"), &manifest("quick"));
    // A start function that never ends; it is given up after ten seconds.
    let slow = guest(
        "worker",
        &format!("(func $forever (loop $l (br $l))) (start $forever) {}", handler("")),
    );
    write(dir.path(), "slow", &slow, &manifest("slow"));
    let config = RegistryConfig {
        patience: Some(Duration::from_millis(1)),
        ..RegistryConfig::new(dir.path())
    };
    let registry = Registry::open(Runtime::new(crate::support::config()).unwrap(), config)
        .await
        .unwrap();
    let mut catalogs = registry.subscribe();
    let ready = catalogs.wait_for(|c| c.topic("order", "quick").is_some());
    let catalog = tokio::time::timeout(Duration::from_secs(10), ready)
        .await
        .expect("the quick one waits for the slow one")
        .unwrap()
        .clone();
    assert_eq!(catalog.worker("slow").unwrap().phase, WorkerPhase::Loading);
}
