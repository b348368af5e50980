//! The same world in other languages.

use std::time::{Duration, Instant};

use handoff_runtime::wit::types::Outcome;

use crate::support::*;

async fn hello(name: &str) {
    let folder = Folder::open_cached(&[(name, &built_worker(name), &manifest(name))]).await;
    let worker = folder.worker(name);
    let mut times = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        let outcome = worker
            .handle(task(vec![text("name", "Ada")]), within(Duration::from_secs(30)))
            .await
            .unwrap();
        times.push(started.elapsed());
        assert!(matches!(outcome, Outcome::Complete(_)), "{outcome:?}");
    }
    times.sort();
    println!("{name}, {:?}: p50 {:?}", folder.runtime.allocator(), times[10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript() {
    hello("js-hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python() {
    hello("py-hello").await;
}
