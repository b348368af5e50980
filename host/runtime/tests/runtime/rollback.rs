//! Rolling back to what ran before, and pins.

use std::{fs, sync::Arc};

use handoff_runtime::{
    Catalog, Digest, Registry, RegistryConfig, RollbackError, Runtime, WorkerPhase, WorkerState, WorkerVersion,
};
use tempfile::TempDir;

use crate::{
    hot_swap::{said, says},
    support::{Folder, config, manifest, write},
};

/// A folder of workers with a state directory that outlives its registry.
struct Kept {
    root: TempDir,
}

impl Kept {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("workers")).unwrap();
        Self { root }
    }

    fn put(&self, component: &[u8]) {
        write(&self.root.path().join("workers"), "w", component, &manifest("w"));
    }

    async fn open(&self) -> Registry {
        let config = RegistryConfig {
            state_dir: Some(self.root.path().join("state")),
            cache_dir: Some(self.root.path().join("cache")),
            ..RegistryConfig::new(self.root.path().join("workers"))
        };
        Registry::open(Runtime::new(crate::support::config()).unwrap(), config)
            .await
            .unwrap()
    }
}

fn current(registry: &Registry) -> Arc<WorkerVersion> {
    state(registry).current.expect("nothing runs")
}

fn state(registry: &Registry) -> WorkerState {
    registry.current().worker("w").unwrap().clone()
}

fn refused(catalog: &Catalog) -> bool {
    catalog.worker("w").is_some_and(|worker| worker.last_error.is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_holds_until_it_is_unpinned_or_something_newer_comes() {
    let (one, two, three) = (says("one"), says("two"), says("three"));
    let kept = Kept::new();
    kept.put(&one);
    let registry = kept.open().await;
    assert_eq!(
        registry.rollback("w").await.unwrap_err(),
        RollbackError::NothingKept("w".to_owned())
    );
    kept.put(&two);
    registry.rescan().await;
    assert_eq!(said(&current(&registry)).await, "two");
    let first = state(&registry).current.unwrap().digest();

    let rolled_back = registry.rollback("w").await.unwrap();
    assert_eq!(rolled_back.phase, WorkerPhase::Pinned);
    assert_eq!(rolled_back.pinned.unwrap().displaced, Some(first));
    assert_eq!(said(&current(&registry)).await, "one");
    registry.rescan().await;
    assert_eq!(
        said(&current(&registry)).await,
        "one",
        "the same files are nothing newer"
    );
    assert_eq!(
        registry.rollback("w").await.unwrap().phase,
        WorkerPhase::Pinned,
        "asking twice changes nothing"
    );
    drop(registry);

    // Across a restart, also when the folder is broken meanwhile and mended again.
    let registry = kept.open().await;
    assert_eq!(said(&current(&registry)).await, "one");
    assert_eq!(state(&registry).phase, WorkerPhase::Pinned);
    kept.put(b"broken");
    registry.rescan().await;
    assert_eq!(
        (state(&registry).phase, said(&current(&registry)).await.as_str()),
        (WorkerPhase::Failed, "one")
    );
    kept.put(&two);
    registry.rescan().await;
    assert_eq!(
        (state(&registry).phase, said(&current(&registry)).await.as_str()),
        (WorkerPhase::Pinned, "one")
    );

    let unpinned = registry.unpin("w").await.unwrap();
    assert_eq!((unpinned.phase, unpinned.pinned), (WorkerPhase::Ready, None));
    assert_eq!(said(&current(&registry)).await, "two");

    registry.rollback("w").await.unwrap();
    assert_eq!(said(&current(&registry)).await, "one");
    kept.put(&three);
    registry.rescan().await;
    assert_eq!(said(&current(&registry)).await, "three");
    assert_eq!(state(&registry).pinned, None);
    // What ran before is not what was rolled back from.
    registry.rollback("w").await.unwrap();
    assert_eq!(said(&current(&registry)).await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_files_were_refused_the_version_that_runs_is_held() {
    let (one, two) = (says("one"), says("two"));
    let kept = Kept::new();
    kept.put(&one);
    let registry = kept.open().await;
    kept.put(b"broken");
    registry.rescan().await;
    assert!(refused(&registry.current()));
    let held = registry.rollback("w").await.unwrap();
    assert_eq!((held.phase, held.last_error), (WorkerPhase::Pinned, None));
    drop(registry);
    let registry = kept.open().await;
    assert_eq!(said(&current(&registry)).await, "one");
    kept.put(&two);
    registry.rescan().await;
    assert_eq!(said(&current(&registry)).await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_over_broken_files_what_ran_last_runs() {
    let kept = Kept::new();
    kept.put(&says("one"));
    drop(kept.open().await);
    kept.put(b"broken");
    let registry = kept.open().await;
    let state = state(&registry);
    assert_eq!(state.phase, WorkerPhase::Failed);
    assert!(state.last_error.unwrap().message.contains("not WebAssembly"));
    assert_eq!(said(&current(&registry)).await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_outlives_the_removal_of_the_worker() {
    let (one, two) = (says("one"), says("two"));
    let kept = Kept::new();
    kept.put(&one);
    let registry = kept.open().await;
    kept.put(&two);
    registry.rescan().await;
    registry.rollback("w").await.unwrap();
    fs::remove_file(kept.root.path().join("workers/w.wasm")).unwrap();
    registry.rescan().await;
    assert!(registry.current().worker("w").is_none(), "drained");
    assert!(matches!(
        registry.unpin("w").await,
        Err(RollbackError::UnknownWorker { .. })
    ));
    kept.put(&two);
    registry.rescan().await;
    assert_eq!(said(&current(&registry)).await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_version_that_is_lost_is_not_replaced_by_what_was_rolled_back_from() {
    let (one, two) = (says("one"), says("two"));
    let kept = Kept::new();
    kept.put(&one);
    let registry = kept.open().await;
    kept.put(&two);
    registry.rescan().await;
    registry.rollback("w").await.unwrap();
    drop(registry);
    fs::remove_file(
        kept.root
            .path()
            .join(format!("state/components/{}.wasm", Digest::of(&one))),
    )
    .unwrap();
    let registry = kept.open().await;
    let state = state(&registry);
    assert!(state.current.is_none());
    let error = state.last_error.unwrap().message;
    assert!(error.contains("pinned") && error.contains("unpin it"), "{error}");
    assert_eq!(registry.unpin("w").await.unwrap().phase, WorkerPhase::Ready);
    assert_eq!(said(&current(&registry)).await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_does_not_take_what_another_worker_has_by_now() {
    let folder = Folder::open_with(
        &[("w", &says("w"), &manifest("shared"))],
        config(),
        handoff_runtime::OperatorPolicy::default(),
    )
    .await;
    fs::write(folder.dir.path().join("w.toml"), manifest("own")).unwrap();
    folder.registry.rescan().await;
    write(folder.dir.path(), "other", &says("other"), &manifest("shared"));
    folder.registry.rescan().await;
    let error = folder.registry.rollback("w").await.unwrap_err();
    assert!(error.to_string().contains("worker `other`'s already"), "{error}");
    let catalog = folder.registry.current();
    let state = catalog.worker("w").unwrap();
    assert_eq!((state.phase, state.pinned), (WorkerPhase::Ready, None));
    assert_eq!(catalog.topic("order", "own").unwrap().name(), "w");
}
