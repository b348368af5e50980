//! Scenarios: small models, each run to its end over rows in memory.

mod compensation;
mod conditions;
mod decisions;
mod elements;
mod escalations;
mod events;
mod external_tasks;
mod forms;
mod gateways;
mod incidents;
mod jobs;
mod listeners;
mod migrations;
mod operation_log;
mod operations;
mod random;
mod scripts;
mod starts;

use crate::testing::Driver;

/// A process whose elements are joined by flows `f0`, `f1`, … as given.
fn model(elements: &str, flows: &[(&str, &str)]) -> String {
    let flows: String = flows
        .iter()
        .enumerate()
        .map(|(at, (from, to))| format!(r#"<sequenceFlow id="f{at}" sourceRef="{from}" targetRef="{to}"/>"#))
        .collect();
    format!("{elements}{flows}")
}

fn deployed(elements: &str, flows: &[(&str, &str)]) -> Driver {
    let mut driver = Driver::new();
    driver.deploy(&model(elements, flows));
    driver
}

const EXTERNAL: &str = r#"camunda:type="external" camunda:topic="t""#;
