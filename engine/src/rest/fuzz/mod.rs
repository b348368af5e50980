//! Fuzzing of the REST, in process: recordings are played as they are, with mutated requests among them. Whatever is
//! sent, nothing panics, and an error is JSON as Camunda's: a 5xx is one of its own, never the store's.
//!
//! Each run is an engine of its own and follows from a seed ([`each_seed`]); what its job executor does beside it does not.

mod mutation;
mod play;

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use handoff_machine::testing::each_seed;
use serde_json::Value as Json;

use self::play::Play;

/// Runs of the short form; each plays two recordings.
const SEEDS: u64 = 60;
/// The longest that a run may take.
const LIMIT: Duration = Duration::from_secs(120);

/// All recordings, by their names.
static RECORDINGS: LazyLock<Vec<(String, Json)>> = LazyLock::new(|| {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (
            name,
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap(),
        )
    };
    paths.iter().map(read).collect()
});

#[test]
fn whatever_is_sent_is_answered_or_refused_as_camunda_would() {
    let recordings = Arc::new(&*RECORDINGS);
    each_seed(SEEDS, LIMIT, move |seed| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut play = Play::new(seed);
            for _ in 0..2 {
                let (name, recording) = &recordings[play.below(recordings.len())];
                play.recording(name, recording).await;
            }
            play.end().await;
        });
    });
}
