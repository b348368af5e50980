//! What an operator's tools get to see of a host that runs.

use std::{collections::BTreeSet, path::Path};

use handoff_host::metric::{Kind, METRICS, Metric};
use serde_json::Value;

use crate::scene::{Plan, Scene};

fn dashboard() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/grafana/handoff-host.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The queries of the dashboard's panels and variables.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let query = fields.get("expr").or(fields.get("definition")).and_then(Value::as_str);
            found.extend(query.map(str::to_owned));
            fields.values().for_each(|field| queries(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        _ => {}
    }
}

/// The names in a query, or in anything: words of `[a-z_]`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_lowercase() || c == '_'))
        .filter(|word| !word.is_empty())
}

/// The metric that a name in a query or in an exposition stands for.
fn metric(name: &str) -> Option<&'static Metric> {
    let is = |metric: &&Metric| {
        let histogram = || {
            metric.kind == Kind::Histogram
                && ["_bucket", "_sum", "_count"]
                    .iter()
                    .any(|suffix| name.strip_suffix(suffix) == Some(metric.name))
        };
        metric.name == name || histogram()
    };
    METRICS.iter().find(is)
}

#[test]
fn the_dashboard_asks_for_nothing_that_a_running_host_does_not_show() {
    let scene = Scene::start(Plan::default());
    let orders = scene.place("order", 3);
    scene.assert_all_end(&orders);
    let exposition = scene.host.metrics().unwrap();
    let shown: BTreeSet<&str> = exposition
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split(' ').next())
        .collect();
    for name in &shown {
        assert!(metric(name).is_some(), "{name} is shown and not in the list of metrics");
        let helped = exposition.contains(&format!("# HELP {name} "));
        assert!(helped, "{name} has no words beside it");
    }
    let mut all = Vec::new();
    queries(&dashboard(), &mut all);
    assert!(all.len() > 20, "the dashboard has panels");
    for query in all {
        for name in words(&query).filter(|word| word.starts_with("handoff_")) {
            let metric = metric(name).unwrap_or_else(|| panic!("{name} is no metric: {query}"));
            assert!(shown.contains(metric.name), "{name} is not shown: {query}");
        }
    }
}

#[test]
fn the_dashboard_groups_by_labels_that_there_are() {
    let mut all = Vec::new();
    queries(&dashboard(), &mut all);
    for query in all {
        let labels: BTreeSet<_> = words(&query)
            .filter_map(metric)
            .flat_map(|metric| metric.labels)
            .collect();
        let groups = query.split("by (").skip(1).filter_map(|rest| rest.split(')').next());
        let matchers = query
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
            .flat_map(|inside| inside.split("\","))
            .filter_map(|one| one.split(['=', '!']).next());
        for label in groups.flat_map(|group| group.split(", ")).chain(matchers) {
            let known = ["job", "le"].contains(&label) || labels.contains(&label);
            assert!(known, "`{label}` in {query}");
        }
    }
}

#[test]
fn every_metric_is_told_of() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let book = std::fs::read_to_string(book).unwrap();
    for metric in METRICS {
        let line = book
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", metric.name)));
        let line = line.unwrap_or_else(|| panic!("docs/operations.md says nothing of {}", metric.name));
        for label in metric.labels {
            assert!(
                line.contains(&format!("`{label}`")),
                "docs/operations.md: {line} without {label}"
            );
        }
    }
    for name in words(&book).filter(|word| word.starts_with("handoff_") && !word.starts_with("handoff_engine_message"))
    {
        assert!(
            metric(name).is_some() || name == "handoff_host",
            "docs/operations.md tells of {name}"
        );
    }
}
