//! 1,000 orders at once, none of whose messages misses its receiver; and what the same harness counts where the pattern
//! is not kept.

use std::sync::Arc;

use handoff_harness::{
    Host, history, models,
    orders::{INVENTORY_PROCESS, Order},
    pattern::Pattern,
    proxy::{Exchange, Faults, Gate, Request},
    wait_until,
};

use crate::{
    limits::{ORDERS_LIMIT, STATE_LIMIT},
    scene::{Ground, Plan, Scene, mismatches},
};

#[test]
fn a_thousand_orders_at_once_end_right_and_no_message_misses_its_receiver() {
    let ground = Ground::new();
    let pattern = Pattern::start(&ground.places).unwrap();
    let orders = Order::series("order", 1_000);
    Order::place_all(&orders, pattern.order.rest()).unwrap();
    pattern.await_orders(&orders, ORDERS_LIMIT).unwrap();
    assert_eq!(mismatches(&pattern.order), 0);
}

/// Completions are on their way to an engine that is far away until the gate opens.
struct SlowCompletions(Arc<Gate>);

impl Faults for SlowCompletions {
    fn request(&self, exchange: &Exchange) -> Request {
        if exchange.is_completion() {
            self.0.wait();
        }
        Request::Forward
    }
}

#[test]
fn a_worker_that_completes_in_its_handler_loses_answers() {
    let gate = Arc::new(Gate::shut());
    let scene = Scene::start(Plan {
        inventory_model: models::inventory_without_listener(),
        order_faults: Box::new(SlowCompletions(Arc::clone(&gate))),
        ..Plan::default()
    });
    let workers = scene.ground.places.workers_folder("stock-workers").unwrap();
    std::fs::remove_file(workers.path().join("inventory-check.wasm")).unwrap();
    std::fs::remove_file(workers.path().join("inventory-check.toml")).unwrap();
    workers.add("complete-in-handler").unwrap();
    let (order_url, inventory_url) = (scene.order_proxy.engine_rest(), scene.inventory.rest().base());
    let options = scene
        .ground
        .places
        .host("stock-host", &order_url, inventory_url, workers.path())
        .unwrap();
    // The host of the pattern makes way for one with the stock worker.
    drop(scene.host);
    let _host = Host::start(options).unwrap();
    Order::place_all(&Order::series("order", 50), scene.order.rest()).unwrap();
    wait_until("Inventory to have answered all", STATE_LIMIT, || {
        Ok(history::count_ended(scene.inventory.rest(), INVENTORY_PROCESS)? == 50)
    })
    .unwrap();
    gate.open();
    assert!(mismatches(&scene.order) > 0);
}

#[test]
fn a_process_that_sends_its_message_first_loses_every_answer() {
    let scene = Scene::start(Plan {
        inventory_model: models::inventory_that_answers_first(),
        ..Plan::default()
    });
    let orders = scene.place("order", 20);
    wait_until("Inventory to have answered all", STATE_LIMIT, || {
        Ok(history::count_ended(scene.inventory.rest(), INVENTORY_PROCESS)? == orders.len() as u64)
    })
    .unwrap();
    assert_eq!(mismatches(&scene.order), orders.len() as u64);
}
