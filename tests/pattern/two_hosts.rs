//! Two hosts beside one Inventory engine: one defers, the other fetches the task again, and the first one's listener
//! completes it all the same.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use handoff_harness::{
    Host, HostOptions, history, models,
    orders::{INVENTORY_PROCESS, Order},
    pattern::await_orders,
    proxy::{Exchange, Faults, Gate, NoFaults, Proxy, Request, Response},
    wait_until,
};

use crate::{
    limits::{ORDERS_LIMIT, STATE_LIMIT},
    scene::{EAGER_CHECK, Ground, engines, override_manifests},
};

/// Refuses to fetch once a task was fetched.
#[derive(Default)]
struct FetchesOnce(AtomicBool);

impl Faults for FetchesOnce {
    fn request(&self, exchange: &Exchange) -> Request {
        if exchange.is_fetch() && self.0.load(Ordering::SeqCst) {
            Request::Refuse(503)
        } else {
            Request::Forward
        }
    }

    fn response(&self, exchange: &Exchange) -> Response {
        if has_tasks(exchange) {
            self.0.store(true, Ordering::SeqCst);
        }
        Response::Deliver
    }
}

fn has_tasks(exchange: &Exchange) -> bool {
    exchange.is_fetch()
        && exchange
            .response_json()
            .as_array()
            .is_some_and(|tasks| !tasks.is_empty())
}

/// Refuses the listener's calls until the gate is open.
struct Listener(Arc<Gate>);

impl Faults for Listener {
    fn request(&self, _: &Exchange) -> Request {
        if self.0.is_open() {
            Request::Forward
        } else {
            Request::Refuse(503)
        }
    }
}

#[test]
fn a_listener_completes_what_another_host_has_locked() {
    let ground = Ground::new();
    let places = &ground.places;
    let gate = Arc::new(Gate::shut());
    let (order, inventory, _delegates, delegates_port) = engines(places, Listener(Arc::clone(&gate)));
    inventory
        .rest()
        .deploy("inventory.bpmn", &models::inventory_with_retry_cycle("R10000/PT0.2S"))
        .unwrap();

    let proxy_a = Proxy::start(&order.address(), FetchesOnce::default()).unwrap();
    let workers_a = places.workers_folder("workers-a").unwrap();
    override_manifests(&workers_a, &[("inventory-check", EAGER_CHECK.to_owned())]);
    let options = places
        .host(
            "host-a",
            &proxy_a.engine_rest(),
            inventory.rest().base(),
            workers_a.path(),
        )
        .unwrap();
    let _host_a = Host::start(HostOptions {
        delegates_port,
        ..options
    })
    .unwrap();

    let orders = Order::series("order", 1);
    Order::place_all(&orders, order.rest()).unwrap();
    wait_until("host A to have handed the order over", STATE_LIMIT, || {
        Ok(!history::instances(inventory.rest(), INVENTORY_PROCESS)?.is_empty())
    })
    .unwrap();

    // A's lock runs out, and B fetches the task: it holds it for a long time.
    let proxy_b = Proxy::start(&order.address(), NoFaults).unwrap();
    let workers_b = places.workers_folder("workers-b").unwrap();
    let patient = EAGER_CHECK.replace("lock-duration-ms = 1000", "lock-duration-ms = 600000");
    override_manifests(&workers_b, &[("inventory-check", patient)]);
    let options = places
        .host(
            "host-b",
            &proxy_b.engine_rest(),
            inventory.rest().base(),
            workers_b.path(),
        )
        .unwrap();
    let _host_b = Host::start(options).unwrap();
    wait_until("host B to have fetched the task again", STATE_LIMIT, || {
        Ok(proxy_b.count(has_tasks) > 0)
    })
    .unwrap();

    gate.open();
    await_orders(order.rest(), inventory.rest(), &orders, ORDERS_LIMIT).unwrap();
    let fetched_by_b = proxy_b.exchanges().into_iter().find(has_tasks).unwrap();
    let worker_b = fetched_by_b.request_json()["workerId"].clone();
    let task = fetched_by_b.response_json()[0]["id"].as_str().unwrap().to_owned();
    let completions = proxy_a
        .exchanges()
        .into_iter()
        .filter(|exchange| exchange.is_completion() && exchange.target.contains(&task) && exchange.status == 204);
    let completed_as: Vec<_> = completions
        .map(|exchange| exchange.request_json()["workerId"].clone())
        .collect();
    assert_eq!(completed_as, [worker_b], "completed once, through A, as B");
}
