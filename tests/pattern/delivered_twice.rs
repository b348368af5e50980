//! At least once is what an engine promises: a task can be delivered again while its first delivery has its effect, and
//! even after the effect has ended.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use handoff_harness::{
    Host, HostOptions, models,
    orders::{Order, Outcome},
    pattern::await_orders,
    proxy::{Exchange, Faults, Gate, Proxy, Request, Response},
    wait_until,
};
use serde_json::Value;

use crate::{
    limits::{ORDERS_LIMIT, STATE_LIMIT},
    scene::{EAGER_CHECK, Ground, Plan, Scene, engines},
};

/// The ids of the tasks of one topic that a fetch was answered with.
fn delivered(exchange: &Exchange, topic: &str) -> Vec<String> {
    if !exchange.is_fetch() {
        return Vec::new();
    }
    let tasks = exchange.response_json();
    let of_topic = tasks
        .as_array()
        .into_iter()
        .flatten()
        .filter(|task| task["topicName"] == topic);
    of_topic
        .filter_map(|task| task["id"].as_str().map(str::to_owned))
        .collect()
}

fn deliveries(proxy: &Proxy) -> Vec<String> {
    proxy
        .exchanges()
        .iter()
        .flat_map(|exchange| delivered(exchange, "check-inventory"))
        .collect()
}

/// How many deliveries were not a task's first.
fn redeliveries(proxy: &Proxy) -> usize {
    let all = deliveries(proxy);
    all.len() - all.iter().collect::<HashSet<_>>().len()
}

/// Refuses what comes until the gate is open.
struct RefusedUntilOpen(Arc<Gate>);

impl Faults for RefusedUntilOpen {
    fn request(&self, _: &Exchange) -> Request {
        if self.0.is_open() {
            Request::Forward
        } else {
            Request::Refuse(503)
        }
    }
}

#[test]
fn a_task_that_is_redelivered_while_its_instance_runs_starts_no_other() {
    // The listener cannot be reached, so the tasks stay open; nobody extends their locks, so they come again and again.
    let gate = Arc::new(Gate::shut());
    let scene = Scene::start(Plan {
        inventory_model: models::inventory_with_retry_cycle("R10000/PT0.2S"),
        delegate_faults: Box::new(RefusedUntilOpen(Arc::clone(&gate))),
        manifests: vec![("inventory-check", EAGER_CHECK.to_owned())],
        ..Plan::default()
    });
    let orders = scene.place("order", 25);
    wait_until("100 redeliveries", STATE_LIMIT, || {
        Ok(redeliveries(&scene.order_proxy) >= 100)
    })
    .unwrap();
    gate.open();
    scene.assert_all_end(&orders);
    assert!(redeliveries(&scene.order_proxy) >= 100);
}

/// Holds the first answer with tasks until the gate opens, and every poll after it.
struct FirstAnswerHeld {
    gate: Arc<Gate>,
    held: AtomicBool,
}

impl FirstAnswerHeld {
    fn until_open(gate: &Arc<Gate>) -> Self {
        Self {
            gate: Arc::clone(gate),
            held: AtomicBool::new(false),
        }
    }
}

impl Faults for FirstAnswerHeld {
    fn request(&self, exchange: &Exchange) -> Request {
        if exchange.is_fetch() && self.held.load(Ordering::SeqCst) {
            self.gate.wait();
        }
        Request::Forward
    }

    fn response(&self, exchange: &Exchange) -> Response {
        if !delivered(exchange, "check-inventory").is_empty() {
            self.held.store(true, Ordering::SeqCst);
            self.gate.wait();
        }
        Response::Deliver
    }
}

#[test]
fn a_host_that_was_frozen_past_its_locks_does_no_harm() {
    // The host stands still while the answer with its first tasks arrives; when it goes on, their locks have run out.
    // The listener cannot be reached before a task came again: a fast host would complete them all before its next poll.
    let gate = Arc::new(Gate::shut());
    let listener = Arc::new(Gate::shut());
    let scene = Scene::start(Plan {
        order_faults: Box::new(FirstAnswerHeld::until_open(&gate)),
        inventory_model: models::inventory_with_retry_cycle("R10000/PT0.2S"),
        delegate_faults: Box::new(RefusedUntilOpen(Arc::clone(&listener))),
        manifests: vec![("inventory-check", EAGER_CHECK.to_owned())],
        ..Plan::default()
    });
    let orders = scene.place("order", 100);
    wait_until("tasks on their way", STATE_LIMIT, || {
        Ok(!deliveries(&scene.order_proxy).is_empty())
    })
    .unwrap();
    let stale: HashSet<String> = deliveries(&scene.order_proxy).into_iter().collect();
    scene.host.process().freeze().unwrap();
    gate.open();
    let locked = || scene.order.rest().count("/external-task/count?locked=true");
    wait_until("every lock to run out", STATE_LIMIT, || Ok(locked()? == 0)).unwrap();
    scene.host.process().thaw().unwrap();
    wait_until("every task of the stale answer to come again", STATE_LIMIT, || {
        let all = deliveries(&scene.order_proxy);
        let times = |task: &String| all.iter().filter(|delivered| *delivered == task).count();
        Ok(stale.iter().all(|task| times(task) >= 2))
    })
    .unwrap();
    listener.open();
    scene.assert_all_end(&orders);
}

/// A manifest that takes all tasks at once and holds them for long.
const GREEDY_CHECK: &str = r#"
engine = "order"
delegates = ["completeExternalTask"]

[[topics]]
name = "check-inventory"
lock-duration-ms = 600000

[grants]
processes = ["inventory"]
tasks = ["order"]

[limits]
concurrency = 200
"#;

#[test]
fn a_late_delivery_after_the_instance_has_ended_starts_no_other() {
    let count = 100;
    let ground = Ground::new();
    let places = &ground.places;
    let (order, inventory, _delegates, delegates_port) = engines(places, handoff_harness::proxy::NoFaults);
    inventory.rest().deploy("inventory.bpmn", models::INVENTORY).unwrap();
    let orders = Order::series("order", count);
    Order::place_all(&orders, order.rest()).unwrap();

    // Host A is given all tasks, but the answer is long on its way.
    let gate = Arc::new(Gate::shut());
    let order_proxy = Proxy::start(&order.address(), FirstAnswerHeld::until_open(&gate)).unwrap();
    let inventory_proxy = Proxy::start(&inventory.address(), handoff_harness::proxy::NoFaults).unwrap();
    let only_check = handoff_harness::WorkersFolder::create(&places.workers, &places.dir.join("workers-a")).unwrap();
    only_check.add_with_manifest("inventory-check", GREEDY_CHECK).unwrap();
    let options = places
        .host(
            "host-a",
            &order_proxy.engine_rest(),
            &inventory_proxy.engine_rest(),
            only_check.path(),
        )
        .unwrap();
    let _host_a = Host::spawn(HostOptions {
        engine_settings: "max-tasks = 200\nrequest-timeout-ms = 120000".to_owned(),
        configuration: format!("{}\n[limits]\nconcurrency = 200\n", options.configuration),
        ..options
    })
    .unwrap();
    wait_until("host A to be given all tasks", STATE_LIMIT, || {
        Ok(deliveries(&order_proxy).len() == count)
    })
    .unwrap();

    // Somebody unlocks them, so host B gets them too, and all of it runs to its end.
    for task in deliveries(&order_proxy) {
        order
            .rest()
            .post(&format!("/external-task/{task}/unlock"), &Value::Null)
            .unwrap();
    }
    let workers = places.workers_folder("workers-b").unwrap();
    let options = places
        .host("host-b", order.rest().base(), inventory.rest().base(), workers.path())
        .unwrap();
    let _host_b = Host::start(HostOptions {
        delegates_port,
        ..options
    })
    .unwrap();
    let first = await_orders(order.rest(), inventory.rest(), &orders, ORDERS_LIMIT).unwrap();

    // Now host A gets its answer, and starts everything once more.
    gate.open();
    let answers = || {
        let exchanges = inventory_proxy.exchanges();
        let starts = exchanges
            .into_iter()
            .filter(|exchange| exchange.request_json()["dedupeKey"].is_string());
        starts
            .map(|start| String::from_utf8_lossy(&start.response).into_owned())
            .collect::<Vec<_>>()
    };
    wait_until("host A to have started all again", STATE_LIMIT, || {
        Ok(answers().len() >= count)
    })
    .unwrap();
    assert!(
        answers().iter().all(|answer| answer.contains("already-ended")),
        "{:?}",
        answers()
    );
    let second = await_orders(order.rest(), inventory.rest(), &orders, ORDERS_LIMIT).unwrap();
    let ids = |outcome: &Outcome| -> HashSet<String> {
        outcome
            .checks
            .values()
            .flatten()
            .map(|instance| instance.id.clone())
            .collect()
    };
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(ids(&second).len(), count);
}
