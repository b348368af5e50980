//! Cases over models that belong to another project, recorded from a real Camunda 7.24: played from where they are, which
//! the environment variable `HANDOFF_CONFORMANCE_MODELS` says. None is copied here.
//!
//! `tests/conformance-known-failures.txt` lists what does not pass yet. The list only shrinks: a case that passes
//! although it is listed fails the test. `HANDOFF_CONFORMANCE_ONLY` plays only the cases with that in their name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value as Json};
use tokio::sync::Mutex;

use super::player::play;
use super::server::TestServer;

/// Engines that play at a time. Each plays one case after the other: a signal of one would reach another.
const ENGINES: usize = 6;

/// The cases by name, each with the files of its folder's file.
fn cases(directory: &Path) -> Result<BTreeMap<String, Json>> {
    let mut cases = BTreeMap::new();
    for entry in std::fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let document: Json = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        let files = document["files"].as_object().cloned().unwrap_or_default();
        for (name, case) in document["scenarios"].as_object().context("no scenarios")? {
            let mut case = case.clone();
            let own = case["files"].as_object().cloned().unwrap_or_default();
            case["files"] = needed(&case, &files, own);
            cases.insert(name.clone(), case);
        }
    }
    Ok(cases)
}

/// The files that a case deploys.
fn needed(case: &Json, shared: &Map<String, Json>, mut own: Map<String, Json>) -> Json {
    let steps = case["steps"].as_array().into_iter().flatten();
    for name in steps
        .flat_map(|step| step["deploy"].as_array().into_iter().flatten())
        .filter_map(Json::as_str)
    {
        if let Some(file) = shared.get(name) {
            own.entry(name).or_insert_with(|| file.clone());
        }
    }
    Json::Object(own)
}

/// Whether a model has a timer for certain seconds of every minute, such as `0/2 * * * * ?`.
fn goes_by_the_clock(case: &Json) -> bool {
    let mut files = case["files"].as_object().into_iter().flat_map(Map::values);
    files.any(|file| file.as_str().is_some_and(|text| text.contains("* * * * ?")))
}

fn known_failures() -> Result<BTreeSet<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance-known-failures.txt");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let lines = text.lines().map(str::trim);
    Ok(lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_models_are_executed_alike() -> Result<()> {
    let Some(directory) = std::env::var_os("HANDOFF_CONFORMANCE_MODELS").map(PathBuf::from) else {
        println!("the models are not given: HANDOFF_CONFORMANCE_MODELS names no directory");
        return Ok(());
    };
    let only = std::env::var("HANDOFF_CONFORMANCE_ONLY").unwrap_or_default();
    let mut cases = cases(&directory)?;
    let mut known = known_failures()?;
    if only.is_empty() {
        for name in &known {
            ensure!(
                cases.contains_key(name),
                "there is no case '{name}': take it from the list"
            );
        }
    }
    cases.retain(|name, _| name.contains(&only));
    known.retain(|name| name.contains(&only));
    ensure!(
        !cases.is_empty(),
        "no case in {} has '{only}' in its name",
        directory.display()
    );
    let left = Mutex::new(cases.iter());
    let play_all = async |_| {
        let server = TestServer::start().await?;
        let mut results = Vec::new();
        loop {
            let Some((name, case)) = left.lock().await.next() else {
                break;
            };
            let mut outcome = play(&server, case).await;
            if outcome.is_err() && goes_by_the_clock(case) {
                // The moment at which its timer fires has come in between. The next one is seconds away.
                let anew = TestServer::start().await?;
                outcome = play(&anew, case).await;
                anew.stop().await?;
            }
            results.push((name.as_str(), outcome.err().map(|error| format!("{error:#}"))));
        }
        server.stop().await?;
        Ok::<_, anyhow::Error>(results)
    };
    let results: Vec<_> = stream::iter(0..ENGINES)
        .map(play_all)
        .buffer_unordered(ENGINES)
        .try_collect()
        .await?;
    let results: BTreeMap<&str, Option<String>> = results.into_iter().flatten().collect();
    let mut wrong = Vec::new();
    for (name, failure) in &results {
        match failure {
            Some(failure) if known.contains(*name) => println!("known to fail: {name}: {failure:.300}"),
            Some(failure) => wrong.push(format!("{name}: {failure:.600}")),
            None if known.contains(*name) => wrong.push(format!("{name} passes: take it from the list")),
            None => {}
        }
    }
    let passed = results.values().filter(|failure| failure.is_none()).count();
    println!("{passed} of {} cases pass", results.len());
    ensure!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}
