//! Many tasks at once.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::Bench;
use crate::models::{PASS, around_task, process, task_only};

pub(super) fn priority(bench: &Bench) -> Result<&'static str> {
    let attributes = r#"camunda:taskPriority="${priority}""#;
    let model = process("priority", &around_task("probe-priority", attributes, "", PASS));
    bench.deploy("priority", &model)?;
    let mut instances = Vec::new();
    for priority in [1, 50, 10, 100, 5, 20] {
        instances.push(bench.rest.start(
            "priority",
            "p",
            json!({"priority": {"type": "Integer", "value": priority}}),
        )?);
    }
    // Nobody works for this topic until all tasks are there, and then on one at a time.
    let manifest = "engine = \"engine\"\ntopics = [\"probe-priority\"]\n[limits]\nconcurrency = 1\n";
    bench.workers.add_with_manifest("echo", manifest)?;
    for instance in &instances {
        bench.until_completed(instance)?;
    }
    let fetches = bench.proxy.exchanges().into_iter().filter(|one| one.is_fetch());
    let tasks = fetches.flat_map(|one| one.response_json().as_array().cloned().unwrap_or_default());
    let mut came: Vec<Value> = tasks.filter(|task| task["topicName"] == "probe-priority").collect();
    // Answers of two polls may overtake each other: the engine gave out first what it locked first.
    came.sort_by_key(|task| task["lockExpirationTime"].as_str().map(str::to_owned));
    let came: Vec<i64> = came.iter().filter_map(|task| task["priority"].as_i64()).collect();
    ensure!(came == [100, 50, 20, 10, 5, 1], "they came as {came:?}");
    Ok("yes")
}

/// Instances of each round of the swap.
const ROUND: usize = 20;

pub(super) fn swap(bench: &Bench) -> Result<&'static str> {
    let manifest = "engine = \"engine\"\ntopics = [\"probe-swap\"]\n[config]\nstock = \"10\"\n";
    bench.workers.add_with_manifest("count-stock", manifest)?;
    bench.deploy("swap", &task_only("swap", "probe-swap"))?;
    let variables = json!({"item": {"value": "lamp"}, "quantity": {"type": "Integer", "value": 1}});
    let mut instances = Vec::new();
    let mut round = || -> Result<String> {
        let mut last = String::new();
        for _ in 0..ROUND {
            last = bench.rest.start("swap", "swap", variables.clone())?;
            instances.push(last.clone());
        }
        Ok(last)
    };
    let last = round()?;
    bench.until_completed(&last)?;
    round()?;
    // While those run: a file that is no worker, then the next version.
    bench.workers.put("count-stock.wasm", b"no component")?;
    round()?;
    bench
        .workers
        .replace("count-stock", &bench.built.join("variants/count-stock-2.wasm"))?;
    bench.until("the next version", || {
        let last = round()?;
        bench.until_completed(&last)?;
        Ok((bench.variable(&last, "countedBy")? == "2").then_some(()))
    })?;
    let mut versions: Vec<Value> = Vec::new();
    for instance in &instances {
        bench.until_completed(instance)?;
        versions.push(bench.variable(instance, "countedBy")?);
    }
    ensure!(versions[..ROUND].iter().all(|version| version == "1"), "{versions:?}");
    ensure!(
        versions.iter().all(|version| version == "1" || version == "2"),
        "{versions:?}"
    );
    let failures = bench
        .proxy
        .count(|one| one.target.ends_with("/failure") && of_swap(&one.request_json()));
    ensure!(failures == 0, "{failures} tasks failed for it");
    Ok("yes")
}

/// Failures of other cases are theirs.
fn of_swap(failure: &Value) -> bool {
    failure["errorMessage"]
        .as_str()
        .is_some_and(|message| message.contains("count-stock"))
}
