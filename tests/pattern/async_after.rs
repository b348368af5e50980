//! What fails after the start event does not roll back past it: the completion has happened in the other engine.

use std::sync::Arc;

use handoff_harness::{
    models,
    proxy::{Exchange, Faults, Gate, Request},
    wait_until,
};
use serde_json::json;

use crate::{
    limits::STATE_LIMIT,
    scene::{Plan, Scene},
};

/// Fails the delegate `reserve` until the gate is open, and answers for it then.
struct ReserveFails(Arc<Gate>);

impl Faults for ReserveFails {
    fn request(&self, exchange: &Exchange) -> Request {
        match (exchange.target.ends_with("/delegates/reserve"), self.0.is_open()) {
            (false, _) => Request::Forward,
            (true, false) => Request::Refuse(500),
            (true, true) => Request::Answer(json!({"version": 1, "variables": {}, "localVariables": {}}).to_string()),
        }
    }
}

#[test]
fn a_later_failure_does_not_roll_back_past_the_start_event() {
    let gate = Arc::new(Gate::shut());
    let scene = Scene::start(Plan {
        inventory_model: models::inventory_with_delegate_after_start("reserve"),
        delegate_faults: Box::new(ReserveFails(Arc::clone(&gate))),
        ..Plan::default()
    });
    let (order, inventory) = (scene.order.rest(), scene.inventory.rest());
    let orders = scene.place("order", 5);
    wait_until("an incident for each order", STATE_LIMIT, || {
        Ok(inventory.count("/incident/count?incidentType=failedJob")? == orders.len() as u64)
    })
    .unwrap();
    // All of it happened once: each task is completed, each listener was called once, and each start event is left.
    let listener = |exchange: &Exchange| exchange.target.ends_with("/delegates/completeExternalTask");
    assert_eq!(scene.delegate_proxy.count(listener), orders.len());
    assert_eq!(
        scene
            .order_proxy
            .count(|exchange| exchange.is_completion() && exchange.status == 204),
        orders.len()
    );
    assert_eq!(order.count("/external-task/count").unwrap(), 0);
    let left = inventory
        .get("/history/activity-instance?activityId=inventory-check-needed&finished=true")
        .unwrap();
    assert_eq!(left.as_array().unwrap().len(), orders.len());

    gate.open();
    for job in inventory.get("/job").unwrap().as_array().unwrap() {
        let path = format!("/job/{}/retries", job["id"].as_str().unwrap());
        inventory.put(&path, &json!({"retries": 1})).unwrap();
    }
    scene.assert_all_end(&orders);
    assert_eq!(scene.delegate_proxy.count(listener), orders.len());
}
