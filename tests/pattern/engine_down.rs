//! One engine is down at the moment it is needed: nothing is lost, and somebody learns of what cannot go on.

use std::sync::Arc;

use handoff_harness::{
    history, models,
    orders::INVENTORY_PROCESS,
    proxy::{Exchange, Faults, Gate, Request},
    wait_until,
};
use serde_json::{Value, json};

use crate::{
    limits::STATE_LIMIT,
    scene::{EAGER_CHECK, Plan, Scene},
};

fn rows(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn inventory_is_down_when_the_worker_starts_its_process() {
    let mut scene = Scene::start(Plan {
        manifests: vec![("inventory-check", EAGER_CHECK.to_owned())],
        ..Plan::default()
    });
    scene.inventory.kill().unwrap();
    let orders = scene.place("order", 20);
    wait_until("every task to have failed once", STATE_LIMIT, || {
        let tasks = scene.order.rest().get("/external-task")?;
        let failed = |task: &&Value| task["retries"].is_u64() && task["errorMessage"].is_string();
        Ok(rows(&tasks).iter().filter(failed).count() == orders.len())
    })
    .unwrap();
    scene.inventory.restart().unwrap();
    scene.assert_all_end(&orders);
}

/// Holds the listener until the gate is open.
struct ListenerHeld(Arc<Gate>);

impl Faults for ListenerHeld {
    fn request(&self, _: &Exchange) -> Request {
        self.0.wait();
        Request::Forward
    }
}

/// Orders that are handed over, and Order Management's engine down before any listener runs.
fn order_management_goes_down(retry_cycle: &str) -> (Scene, Vec<handoff_harness::orders::Order>) {
    let gate = Arc::new(Gate::shut());
    let mut scene = Scene::start(Plan {
        inventory_model: models::inventory_with_retry_cycle(retry_cycle),
        delegate_faults: Box::new(ListenerHeld(Arc::clone(&gate))),
        ..Plan::default()
    });
    let orders = scene.place("order", 10);
    wait_until("all orders to be handed over", STATE_LIMIT, || {
        Ok(history::instances(scene.inventory.rest(), INVENTORY_PROCESS)?.len() == orders.len())
    })
    .unwrap();
    scene.order.kill().unwrap();
    gate.open();
    (scene, orders)
}

#[test]
fn order_management_is_down_when_the_listener_runs_and_the_job_is_retried() {
    let (mut scene, orders) = order_management_goes_down("R10000/PT0.5S");
    wait_until("every job to have failed", STATE_LIMIT, || {
        let jobs = scene.inventory.rest().get("/job")?;
        Ok(rows(&jobs)
            .iter()
            .filter(|job| job["exceptionMessage"].is_string())
            .count()
            == orders.len())
    })
    .unwrap();
    scene.order.restart().unwrap();
    scene.assert_all_end(&orders);
}

#[test]
fn a_job_without_retries_is_an_incident_and_setting_retries_repairs_it() {
    let (mut scene, orders) = order_management_goes_down("R2/PT0.1S");
    let inventory = scene.inventory.rest().clone();
    wait_until("an incident for each order", STATE_LIMIT, || {
        let incidents = inventory.get("/incident")?;
        Ok(rows(&incidents)
            .iter()
            .filter(|incident| incident["incidentType"] == "failedJob")
            .count()
            == orders.len())
    })
    .unwrap();
    let jobs = inventory.get("/job").unwrap();
    assert!(
        rows(&jobs)
            .iter()
            .all(|job| job["retries"] == 0 && job["exceptionMessage"].is_string()),
        "{jobs}"
    );

    scene.order.restart().unwrap();
    for job in rows(&jobs) {
        let path = format!("/job/{}/retries", job["id"].as_str().unwrap());
        inventory.put(&path, &json!({"retries": 1})).unwrap();
    }
    scene.assert_all_end(&orders);
    assert_eq!(rows(&inventory.get("/incident").unwrap()), [] as [Value; 0]);
}
