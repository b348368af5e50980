//! At least once is what every engine promises.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Result, ensure};
use handoff_harness::{
    Host, HostOptions, models,
    proxy::{Exchange, Faults, Gate, NoFaults, Proxy, Request, Response},
    wait_until,
};
use serde_json::Value;

use super::scene::{EAGER_CHECK, Engines, Plan, Scene, Stopping, delivered, deliveries};
use crate::{
    limits::STATE_LIMIT,
    stage::{Kind, Stage},
};

/// Refuses what comes until the gate is open.
pub(super) struct RefusedUntilOpen(pub(super) Arc<Gate>);

impl Faults for RefusedUntilOpen {
    fn request(&self, _: &Exchange) -> Request {
        if self.0.is_open() {
            Request::Forward
        } else {
            Request::Refuse(503)
        }
    }
}

pub(super) fn while_running(stage: &Stage, kinds: [Kind; 2]) -> Result<&'static str> {
    const ORDERS: usize = 5;
    // The listener cannot be reached, so the tasks stay open; nobody extends their locks, so they come again and again.
    let gate = Arc::new(Gate::shut());
    let scene = Scene::start(
        stage,
        "redelivered",
        kinds,
        Plan {
            delegate_faults: Box::new(RefusedUntilOpen(Arc::clone(&gate))),
            manifest: Some(EAGER_CHECK.to_owned()),
            ..Plan::default()
        },
    )?;
    let orders = scene.engines.place(ORDERS)?;
    wait_until("each task to have come three times", STATE_LIMIT, || {
        let all = deliveries(&scene.order_proxy);
        let tasks: HashSet<&String> = all.iter().collect();
        let times = |task: &String| all.iter().filter(|one| *one == task).count();
        Ok(tasks.len() == ORDERS && tasks.into_iter().all(|task| times(task) >= 3))
    })?;
    ensure!(
        scene.engines.checks()? == ORDERS as u64,
        "{} instances",
        scene.engines.checks()?
    );
    gate.open();
    scene.engines.until_all_end(&orders)?;
    Ok("start no other")
}

/// Holds the first answer with tasks until the gate opens, and every poll after it.
struct FirstAnswerHeld {
    gate: Arc<Gate>,
    held: AtomicBool,
}

impl Faults for FirstAnswerHeld {
    fn request(&self, exchange: &Exchange) -> Request {
        if exchange.is_fetch() && self.held.load(Ordering::SeqCst) {
            self.gate.wait();
        }
        Request::Forward
    }

    fn response(&self, exchange: &Exchange) -> Response {
        if !delivered(exchange).is_empty() {
            self.held.store(true, Ordering::SeqCst);
            self.gate.wait();
        }
        Response::Deliver
    }
}

/// A manifest that holds its tasks for long.
const PATIENT_CHECK: &str = r#"
engine = "order"

[[topics]]
name = "check-inventory"
lock-duration-ms = 600000

[grants]
processes = ["inventory"]
tasks = ["order"]
"#;

pub(super) fn after_the_end(stage: &Stage, kinds: [Kind; 2]) -> Result<&'static str> {
    const ORDERS: usize = 5;
    let engines = Engines::start(stage, "late", kinds, models::INVENTORY, NoFaults)?;
    let orders = engines.place(ORDERS)?;

    // Host A is given all tasks, but the answer is long on its way.
    let gate = Arc::new(Gate::shut());
    let faults = FirstAnswerHeld {
        gate: Arc::clone(&gate),
        held: AtomicBool::new(false),
    };
    let order_proxy = Proxy::start(&engines.order_address(), faults)?;
    let urls = [&order_proxy.engine_rest(), engines.inventory().base()];
    let options = engines.host("host-a", urls, Some(PATIENT_CHECK))?;
    for worker in ["count-stock", "tell-order", "ship", "refund"] {
        for kind in ["toml", "wasm"] {
            std::fs::remove_file(options.workers.join(format!("{worker}.{kind}")))?;
        }
    }
    let host_a = Host::spawn(HostOptions {
        engine_settings: "long-poll-ms = 1000\nrequest-timeout-ms = 120000".to_owned(),
        ..options
    })?;
    let _host_a = Stopping(host_a);
    wait_until("host A to be given all tasks", STATE_LIMIT, || {
        Ok(deliveries(&order_proxy).len() == ORDERS)
    })?;

    // Somebody unlocks them, so host B gets them too, and all of it runs to its end.
    for task in deliveries(&order_proxy) {
        engines
            .order()
            .post(&format!("/external-task/{task}/unlock"), &Value::Null)?;
    }
    let urls = [engines.order().base(), engines.inventory().base()];
    let host_b = Host::start(HostOptions {
        delegates_port: engines.delegates_port,
        ..engines.host("host-b", urls, None)?
    })?;
    let _host_b = Stopping(host_b);
    engines.until_all_end(&orders)?;

    // Now host A gets its answer. What it starts has been started and has ended, and it tells the engine so.
    gate.open();
    let refused = |exchange: &Exchange| exchange.target.ends_with("/failure") && exchange.status == 404;
    wait_until("host A to find each of them ended", STATE_LIMIT, || {
        Ok(order_proxy.count(refused) >= ORDERS)
    })?;
    let told = order_proxy
        .exchanges()
        .into_iter()
        .find(refused)
        .unwrap_or_default()
        .request_json();
    ensure!(
        told["errorMessage"]
            .as_str()
            .is_some_and(|message| message.contains("has ended")),
        "{told}"
    );
    engines.until_all_end(&orders)?;
    Ok("start no other")
}
