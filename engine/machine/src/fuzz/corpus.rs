//! What inputs begin with: the models of all recordings, and the expressions in them.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value as Json;

/// Models in BPMN.
pub(super) static BPMN: LazyLock<Vec<String>> = LazyLock::new(|| files(".bpmn"));
/// Files of decisions.
pub(super) static DMN: LazyLock<Vec<String>> = LazyLock::new(|| files(".dmn"));
/// Texts with JUEL in them.
pub(super) static JUEL: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut found: Vec<String> = BPMN.iter().flat_map(|model| juel(model)).collect();
    found.sort();
    found.dedup();
    assert!(found.len() > 20, "only {} expressions are recorded", found.len());
    found
});
/// Expressions and unary tests in FEEL.
pub(super) static FEEL: LazyLock<Vec<String>> = LazyLock::new(|| {
    let recorded: Json = serde_json::from_str(include_str!("../feel/tests/recorded.json")).unwrap();
    let mut found = Vec::new();
    for cases in recorded.as_object().unwrap().values().filter_map(Json::as_array) {
        for name in ["expression", "test"] {
            found.extend(cases.iter().filter_map(|case| case[name].as_str()).map(str::to_owned));
        }
    }
    assert!(found.len() > 300, "only {} expressions are recorded", found.len());
    found
});

/// The recorded files of an ending, as they are deployed.
fn files(ending: &str) -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let recording: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for (name, file) in recording["files"].as_object().into_iter().flatten() {
            if name.ends_with(ending) {
                found.push(file.as_str().unwrap().replace("${run}", ""));
            }
        }
    }
    found.sort();
    found.dedup();
    assert!(found.len() > 10, "only {} files '*{ending}' are recorded", found.len());
    found
}

/// Every `${…}` of a model.
fn juel(model: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = model;
    while let Some(start) = rest.find("${") {
        rest = &rest[start..];
        let end = rest.find('}').map_or(rest.len(), |end| end + 1);
        found.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    found
}
