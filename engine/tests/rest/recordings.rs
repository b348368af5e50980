//! The recordings in `tests/scenarios`, made of a real Camunda 7.24: what it answered is what we answer.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value as Json;

use super::player::{PASSWORD, play};
use super::server::TestServer;

/// What does not pass yet, and why. A recording that passes must not be here.
const NOT_YET: &[(&str, &str)] = &[];

/// Recordings that are played at a time: they mind only their own processes.
const AT_A_TIME: usize = 8;

fn recordings() -> Result<BTreeMap<String, Json>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut recordings = BTreeMap::new();
    for entry in std::fs::read_dir(&directory)? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .context("a name")?
            .to_owned();
        let recording = serde_json::from_str(&std::fs::read_to_string(&path)?);
        recordings.insert(name, recording.with_context(|| path.display().to_string())?);
    }
    Ok(recordings)
}

/// Plays a recording of a user, which asks of all that has happened, against an engine of its own.
async fn play_for(user: &str, recording: &Json) -> Result<()> {
    let directory = tempfile::tempdir()?;
    std::fs::write(directory.path().join("password"), PASSWORD)?;
    let file = directory.path().join("auth.toml");
    std::fs::write(
        &file,
        format!("[[users]]\nname = \"{user}\"\npassword-file = \"password\"\n"),
    )?;
    let server = TestServer::start_with(|config| config.auth_file = Some(file)).await?;
    let played = play(&server, recording).await;
    server.stop().await?;
    played
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recordings_of_a_real_camunda_are_answered_alike() -> Result<()> {
    let recordings = recordings()?;
    ensure!(
        recordings.len() >= 154,
        "only {} recordings were found",
        recordings.len()
    );
    for (name, _) in NOT_YET {
        ensure!(recordings.contains_key(*name), "there is no recording '{name}'");
    }
    let server = TestServer::start().await?;
    let results: BTreeMap<&str, Option<String>> = stream::iter(&recordings)
        .map(async |(name, recording)| {
            let played = match recording["user"].as_str() {
                Some(user) => play_for(user, recording).await,
                None => play(&server, recording).await,
            };
            let failure = played.err().map(|error| format!("{error:#}"));
            Ok::<_, anyhow::Error>((name.as_str(), failure))
        })
        .buffer_unordered(AT_A_TIME)
        .try_collect()
        .await?;
    let is_listed = |name: &str| NOT_YET.iter().any(|(listed, _)| *listed == name);
    let mut wrong = Vec::new();
    for (name, failure) in &results {
        match failure {
            Some(failure) if !is_listed(name) => wrong.push(format!("{name}: {failure}")),
            None if is_listed(name) => wrong.push(format!("{name} passes: take it from the list")),
            _ => {}
        }
    }
    let passed = results.values().filter(|failure| failure.is_none()).count();
    println!("{passed} of {} recordings pass", results.len());
    server.stop().await?;
    ensure!(wrong.is_empty(), "{} recordings:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}
