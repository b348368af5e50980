//! The ways in which files are replaced: what people and tools do to a folder.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use handoff_runtime::{Digest, RegistryConfig};

use crate::{
    hot_swap::{runs, said, says},
    support::*,
};

/// A good version takes over within this time of its write; compiling takes milliseconds here.
const TAKEOVER: Duration = Duration::from_secs(2);

/// Replaces the component of a running worker by `replace`, which is given the component's path and a file with the new
/// content; sees it take over in time, and that nothing was refused on the way where the way is whole.
async fn replaced(whole: bool, replace: impl Fn(&Path, &Path)) {
    let folder = Folder::one(&says("one")).await;
    let outside = tempfile::tempdir().unwrap();
    for (round, version) in ["two", "three", "two"].into_iter().enumerate() {
        let (component, source) = (says(version), outside.path().join("new.wasm"));
        fs::write(&source, &component).unwrap();
        let started = Instant::now();
        replace(&folder.dir.path().join("w.wasm"), &source);
        folder.until(version, runs("w", Digest::of(&component))).await;
        assert!(started.elapsed() < TAKEOVER, "round {round}: {:?}", started.elapsed());
        assert_eq!(said(&folder.worker("w")).await, version);
        let catalog = folder.registry.current();
        if whole {
            assert_eq!(catalog.worker("w").unwrap().last_error, None);
        }
    }
    let names: Vec<_> = folder
        .registry
        .current()
        .workers()
        .map(|worker| worker.name.clone())
        .collect();
    assert_eq!(names, ["w"], "what tools leave behind is no worker");
}

fn run(program: &str, arguments: &[&Path]) {
    let status = Command::new(program).args(arguments).status();
    assert!(status.unwrap_or_else(|error| panic!("{program}: {error}")).success());
}

#[tokio::test(flavor = "multi_thread")]
async fn by_mv() {
    replaced(true, |file, new| run("mv", &[new, file])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_cp() {
    replaced(false, |file, new| run("cp", &[new, file])).await;
}

/// A temporary file whose name begins with a dot, with the times of the source, renamed.
#[tokio::test(flavor = "multi_thread")]
async fn as_rsync_does() {
    replaced(true, |file, new| {
        let temporary = file.with_file_name(".w.wasm.Xy12Zz");
        let bytes = fs::read(new).unwrap();
        let mut part = fs::File::create(&temporary).unwrap();
        for piece in bytes.chunks(100) {
            part.write_all(piece).unwrap();
        }
        let long_ago = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        part.set_modified(long_ago).unwrap();
        fs::rename(&temporary, file).unwrap();
    })
    .await;
}

/// The file is emptied and written again, slowly.
#[tokio::test(flavor = "multi_thread")]
async fn as_an_editor_that_truncates_does() {
    replaced(false, |file, new| {
        let mut open = fs::File::create(file).unwrap();
        for piece in fs::read(new).unwrap().chunks(256) {
            open.write_all(piece).unwrap();
            open.flush().unwrap();
        }
    })
    .await;
}

/// The old file becomes a backup, and a new one is written under its name.
#[tokio::test(flavor = "multi_thread")]
async fn as_an_editor_that_keeps_a_backup_does() {
    replaced(false, |file, new| {
        fs::rename(file, file.with_file_name("w.wasm~")).unwrap();
        fs::copy(new, file).unwrap();
    })
    .await;
}

/// A mount from elsewhere reports no events: the folder is only looked at.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_mount_without_events() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "w", &says("one"), &manifest("w"));
    let folder = Folder::open_blind(dir).await;
    let two = says("two");
    let started = Instant::now();
    fs::write(folder.dir.path().join("w.wasm"), &two).unwrap();
    folder.until("two", runs("w", Digest::of(&two))).await;
    assert!(started.elapsed() < TAKEOVER, "{:?}", started.elapsed());
}

/// The same size and the same modification time, within one write: only the change time and the inode tell.
#[tokio::test(flavor = "multi_thread")]
async fn with_the_same_size_and_times() {
    let folder = Folder::one(&says("one")).await;
    let file = folder.dir.path().join("w.wasm");
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    let two = says("two");
    assert_eq!(two.len() as u64, fs::metadata(&file).unwrap().len());
    let mut open = fs::OpenOptions::new().write(true).open(&file).unwrap();
    open.write_all(&two).unwrap();
    open.set_modified(modified).unwrap();
    drop(open);
    folder.until("two", runs("w", Digest::of(&two))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn component_and_manifest_that_are_written_together_are_taken_together() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "w", &says("one"), &(manifest("w") + "retries = 1"));
    let config = RegistryConfig {
        // Longer than the two writes lie apart on a busy machine.
        settle: Duration::from_secs(1),
        ..RegistryConfig::new(dir.path())
    };
    let folder = Folder::open_configured(dir, config).await;
    let mut catalogs = folder.registry.subscribe();
    let seen = tokio::spawn(async move {
        let mut pairs = Vec::new();
        loop {
            let pair = catalogs.borrow_and_update().worker("w").and_then(|w| w.current.clone());
            pairs.extend(pair.map(|version| (version.component_digest(), version.manifest().retries())));
            if pairs.last().is_some_and(|(_, retries)| *retries == 2) || catalogs.changed().await.is_err() {
                return pairs;
            }
        }
    });
    let two = says("two");
    // As a copying tool does: the one, and a moment later the other.
    let file = |name: &str| -> PathBuf { folder.dir.path().join(name) };
    fs::write(file("w.wasm"), &two).unwrap();
    fs::write(file("w.toml"), manifest("w") + "retries = 2").unwrap();
    let pairs = tokio::time::timeout(Duration::from_secs(10), seen)
        .await
        .unwrap()
        .unwrap();
    let one = Digest::of(&says("one"));
    assert!(
        pairs
            .iter()
            .all(|pair| [(one, 1), (Digest::of(&two), 2)].contains(pair)),
        "{pairs:?}"
    );
}
