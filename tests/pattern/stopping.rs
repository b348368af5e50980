//! SIGTERM: running tasks may end within the deadline, what is left then is given back, what was deferred stays locked; a
//! second SIGTERM ends the host at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use handoff_harness::{
    orders::Order,
    proxy::{Exchange, Faults, Gate, Request},
    wait_until,
};
use serde_json::Value;

use crate::{
    limits::STATE_LIMIT,
    scene::{Plan, Scene},
};

/// Holds every call until the gate is open.
struct Held(Arc<Gate>);

impl Faults for Held {
    fn request(&self, _: &Exchange) -> Request {
        self.0.wait();
        Request::Forward
    }
}

/// Holds starts of Inventory's process, and with them the workers that make them, once it is told to.
#[derive(Default)]
struct StartsHeld {
    hold: AtomicBool,
    held: AtomicBool,
    gate: Gate,
}

impl Faults for StartsHeld {
    fn request(&self, exchange: &Exchange) -> Request {
        if self.hold.load(Ordering::SeqCst) && exchange.target.ends_with("/message") {
            self.held.store(true, Ordering::SeqCst);
            self.gate.wait();
        }
        Request::Forward
    }
}

/// A host that works on a task without end.
fn busy(shutdown_ms: u64) -> (Scene, Arc<StartsHeld>, Arc<Gate>, Vec<Order>) {
    let (starts, delegates) = (Arc::new(StartsHeld::default()), Arc::new(Gate::shut()));
    let scene = Scene::start(Plan {
        inventory_faults: Box::new(Arc::clone(&starts)),
        delegate_faults: Box::new(Held(Arc::clone(&delegates))),
        engine_settings: "lock-duration-ms = 600000".to_owned(),
        host_settings: format!("[limits]\nshutdown-ms = {shutdown_ms}\n"),
        ..Plan::default()
    });
    let orders = Order::series("order", 2);
    orders[0].place(scene.order.rest()).unwrap();
    wait_until("the first task to be deferred", STATE_LIMIT, || {
        Ok(scene
            .host
            .metrics()?
            .contains("handoff_tasks_parked{engine=\"order\"} 1"))
    })
    .unwrap();
    starts.hold.store(true, Ordering::SeqCst);
    orders[1].place(scene.order.rest()).unwrap();
    wait_until("the second task's worker to be held", STATE_LIMIT, || {
        Ok(starts.held.load(Ordering::SeqCst))
    })
    .unwrap();
    (scene, starts, delegates, orders)
}

/// Who holds the tasks of Order Management.
fn holders(scene: &Scene) -> Vec<Value> {
    let tasks = scene
        .order
        .rest()
        .get("/external-task?topicName=check-inventory")
        .unwrap();
    let tasks = tasks.as_array().unwrap();
    assert!(
        tasks.iter().all(|task| task["retries"].is_null()),
        "a stop is no failure: {tasks:?}"
    );
    tasks.iter().map(|task| task["workerId"].clone()).collect()
}

#[test]
fn at_its_deadline_a_stop_gives_back_what_runs_and_nothing_that_was_deferred() {
    let (mut scene, starts, delegates, orders) = busy(1_000);
    let began = Instant::now();
    let status = scene.host.stop().unwrap();
    let elapsed = began.elapsed();
    assert!(status.success(), "{status}");
    assert!(
        elapsed >= Duration::from_secs(1) && elapsed < Duration::from_secs(10),
        "{elapsed:?}, of a deadline of 1 s"
    );
    let holders = holders(&scene);
    assert_eq!(holders.len(), 2);
    let locked = holders.iter().filter(|holder| holder.is_string()).count();
    assert_eq!(
        locked, 1,
        "the deferred task keeps its lock, the other has none: {holders:?}"
    );

    starts.gate.open();
    delegates.open();
    scene.host.restart().unwrap();
    scene.assert_all_end(&orders);
}

#[test]
fn a_second_signal_ends_the_host_at_once() {
    let (mut scene, ..) = busy(600_000);
    scene.host.process().request_stop().unwrap();
    wait_until("the host to be stopping", STATE_LIMIT, || {
        Ok(scene.host.process().log()?.contains("a second signal stops at once"))
    })
    .unwrap();
    scene.host.process().request_stop().unwrap();
    let status = scene.host.wait_end(Duration::from_secs(5)).unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(holders(&scene).iter().all(Value::is_string), "nothing was waited for");
}
