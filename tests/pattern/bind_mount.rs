//! Workers that reach the host through bind mounts, as a container's volumes do.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    counting::Counting,
    hot_swap::TAKEOVER,
    limits::STATE_LIMIT,
    namespace::{is_possible, mount, over},
    scene::Ground,
};

/// A folder that the host has its workers in, and that is empty but for it.
fn empty(ground: &Ground) -> PathBuf {
    let folder = ground.places.dir.join("mounted");
    fs::create_dir(&folder).unwrap();
    folder
}

/// Waits until the worker counts as this version; answers how long that took.
fn runs(scene: &Counting, version: &str) -> Duration {
    let written = Instant::now();
    scene.until(&format!("version {version} to run"), STATE_LIMIT, |worker| {
        worker["state"] == "ready" && scene.counted_by("probe") == version
    });
    written.elapsed()
}

#[test]
fn a_folder_is_swapped_through_a_bind_mount() {
    if !is_possible() {
        return;
    }
    let scene = Counting::start_with(|ground, mut options| {
        let mounted = empty(ground);
        options.program = over(ground, &[(options.workers, mounted.clone())]);
        options.workers = mounted;
        options
    });
    assert_eq!(scene.counted_by("first"), "1");
    let component = |version| scene.component(version);
    let file = scene.folder.path().join("count-stock.wasm");
    // From without: as `mv`, as `cp`, and what is broken in between.
    scene.put(&component(2));
    let moved = runs(&scene, "2");
    fs::write(&file, b"\0asm broken").unwrap();
    scene.until("the broken file to be refused", STATE_LIMIT, |worker| {
        worker["lastError"].is_string()
    });
    assert_eq!(scene.counted_by("meanwhile"), "2");
    fs::write(&file, component(1)).unwrap();
    let copied = runs(&scene, "1");
    // Another folder over it, which no event tells of.
    let other = scene.ground.places.dir.join("other");
    fs::create_dir(&other).unwrap();
    fs::copy(
        scene.folder.path().join("count-stock.toml"),
        other.join("count-stock.toml"),
    )
    .unwrap();
    fs::write(other.join("count-stock.wasm"), component(2)).unwrap();
    mount(
        scene.host.process().id(),
        &other,
        &scene.ground.places.dir.join("mounted"),
    );
    let remounted = runs(&scene, "2");
    println!("mv: {moved:?}, cp: {copied:?}, another mount: {remounted:?}");
    for took in [moved, copied, remounted] {
        assert!(took < TAKEOVER * 3, "{took:?}");
    }
}

#[test]
fn a_file_that_is_mounted_by_itself_is_swapped_when_it_is_written() {
    if !is_possible() {
        return;
    }
    let scene = Counting::start_with(|ground, mut options| {
        let mounted = empty(ground);
        let files = ["count-stock.wasm", "count-stock.toml"].map(|name| {
            let (file, at) = (options.workers.join(name), mounted.join(name));
            fs::write(&at, "").unwrap();
            (file, at)
        });
        options.program = over(ground, &files);
        options.workers = mounted;
        options
    });
    assert_eq!(scene.counted_by("first"), "1");
    let file = scene.folder.path().join("count-stock.wasm");
    for version in [2, 1] {
        fs::write(&file, scene.component(version)).unwrap();
        let took = runs(&scene, &version.to_string());
        assert!(took < TAKEOVER * 3, "{took:?}");
    }
}
