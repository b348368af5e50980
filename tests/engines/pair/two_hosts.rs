//! Two hosts beside one Inventory engine.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::{Result, bail, ensure};
use handoff_harness::{
    Host, HostOptions, eventually, history, models,
    orders::{INVENTORY_PROCESS, Outcome},
    proxy::{Exchange, Faults, Gate, NoFaults, Proxy, Request, Response},
    wait_until,
};
use serde_json::Value;

use super::{
    delivered::RefusedUntilOpen,
    scene::{EAGER_CHECK, Engines, Stopping, delivered, deliveries},
};
use crate::{
    limits::STATE_LIMIT,
    stage::{Kind, Stage},
};

/// Stops who is about to start a process.
struct StopsBeforeStart {
    arrived: Arc<Gate>,
    may_go: Arc<Gate>,
}

impl Faults for StopsBeforeStart {
    fn request(&self, exchange: &Exchange) -> Request {
        if exchange.target.ends_with("/message") {
            self.arrived.open();
            self.may_go.wait();
        }
        Request::Forward
    }
}

pub(super) fn race(stage: &Stage, kinds: [Kind; 2]) -> Result<&'static str> {
    let engines = Engines::start(stage, "race", kinds, models::INVENTORY, NoFaults)?;
    let may_go = Arc::new(Gate::shut());
    let orders = engines.place(1)?;
    // Host A would be given the task again that it holds, and not take it twice: it fetches no more.
    let order_a = Proxy::start(&engines.order_address(), FetchesOnce::default())?;
    let order_b = Proxy::start(&engines.order_address(), NoFaults)?;
    let mut hosts = Vec::new();
    for (name, order_proxy) in [("host-a", &order_a), ("host-b", &order_b)] {
        let arrived = Arc::new(Gate::shut());
        let faults = StopsBeforeStart {
            arrived: Arc::clone(&arrived),
            may_go: Arc::clone(&may_go),
        };
        let inventory_proxy = Proxy::start(&engines.inventory_address(), faults)?;
        let urls = [&order_proxy.engine_rest(), &inventory_proxy.engine_rest()];
        let urls = urls.map(String::as_str);
        let options = engines.host(name, urls, None)?;
        let delegates_port = if name == "host-a" {
            engines.delegates_port
        } else {
            options.delegates_port
        };
        // Not awaited to be ready: its engine refuses it as soon as it has the task.
        let host = Host::spawn(HostOptions {
            delegates_port,
            // The start is on its way for as long as the other host takes to get there.
            engine_settings: "long-poll-ms = 1000\npolls = 1\nrequest-timeout-ms = 120000".to_owned(),
            ..options
        })?;
        ensure!(arrived.wait(), "{name} starts nothing");
        // It holds the task and goes no further; the task is given to the other one too.
        let task = deliveries(order_proxy).remove(0);
        if name == "host-a" {
            engines
                .order()
                .post(&format!("/external-task/{task}/unlock"), &Value::Null)?;
        }
        hosts.push((Stopping(host), inventory_proxy));
    }
    may_go.open();

    // Whatever they have started: the order is answered once, and ends right.
    let key = orders[0].key.clone();
    let outcome = eventually("everything to end", STATE_LIMIT, || {
        let outcome = Outcome::read(engines.order(), engines.inventory())?;
        let order = outcome.orders.get(&key).map_or(&[][..], Vec::as_slice);
        let checks = outcome.checks.get(&key).map_or(&[][..], Vec::as_slice);
        ensure!(order.len() == 1 && order[0].is_completed(), "the order: {order:?}");
        ensure!(
            !checks.is_empty() && checks.iter().all(history::Instance::is_completed),
            "the checks: {checks:?}"
        );
        let answered = |exchange: &Exchange| exchange.target.ends_with("/message") && exchange.status == 200;
        let starts: usize = hosts.iter().map(|(_, proxy)| proxy.count(answered)).sum();
        ensure!(starts == 2, "{starts} of both starts are answered");
        Ok(Some(outcome))
    })?;
    let checks = &outcome.checks[&key];
    let counted = checks
        .iter()
        .filter(|check| check.times_ended("count-stock") == 1)
        .count();
    // Only a listener that had to try again may take the other's completion for its own: `docs/engines.md` says so.
    let tried_again = |exchange: &Exchange| exchange.request_json()["attempt"].as_u64() > Some(1);
    let most = 1 + engines.delegate_proxy.count(tried_again).min(1);
    ensure!(
        (1..=most).contains(&counted),
        "{counted} instances counted the stock: {checks:?}"
    );
    let order = &outcome.orders[&key][0];
    ensure!(
        order.times_ended("check-inventory") == 1 && order.times_ended("await-answer") == 1,
        "{order:?}"
    );
    let completed = |proxy: &Proxy| proxy.count(|one| one.is_completion() && one.status == 204);
    let completed = completed(&order_a) + completed(&order_b);
    ensure!(completed == 2, "{completed} completions in Order Management");
    match checks.len() {
        1 => Ok("start one"),
        2 => Ok("start two; the listener ends the second as a duplicate"),
        more => bail!("{more} instances"),
    }
}

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
        if !delivered(exchange).is_empty() {
            self.0.store(true, Ordering::SeqCst);
        }
        Response::Deliver
    }
}

pub(super) fn other_lock(stage: &Stage, kinds: [Kind; 2]) -> Result<&'static str> {
    let gate = Arc::new(Gate::shut());
    let model = models::inventory_with_retry_cycle("R1000/PT1S");
    let engines = Engines::start(stage, "other", kinds, &model, RefusedUntilOpen(Arc::clone(&gate)))?;
    let proxy_a = Proxy::start(&engines.order_address(), FetchesOnce::default())?;
    let inventory_url = engines.inventory().base();
    let host_a = Host::start(HostOptions {
        delegates_port: engines.delegates_port,
        ..engines.host("host-a", [&proxy_a.engine_rest(), inventory_url], Some(EAGER_CHECK))?
    })?;
    let _host_a = Stopping(host_a);
    let orders = engines.place(1)?;
    wait_until("host A to have handed the order over", STATE_LIMIT, || {
        Ok(!history::instances(engines.inventory(), INVENTORY_PROCESS)?.is_empty())
    })?;

    // A's lock runs out, and B fetches the task: it holds it for a long time.
    let proxy_b = Proxy::start(&engines.order_address(), NoFaults)?;
    let patient = EAGER_CHECK.replace("lock-duration-ms = 1000", "lock-duration-ms = 600000");
    let host_b = Host::start(engines.host("host-b", [&proxy_b.engine_rest(), inventory_url], Some(&patient))?)?;
    let _host_b = Stopping(host_b);
    wait_until("host B to have fetched the task again", STATE_LIMIT, || {
        Ok(!deliveries(&proxy_b).is_empty())
    })?;
    gate.open();
    engines.until_all_end(&orders)?;
    let task = deliveries(&proxy_b).remove(0);
    let fetch = proxy_b
        .exchanges()
        .into_iter()
        .find(|one| !delivered(one).is_empty())
        .unwrap_or_default();
    let worker_b = fetch.request_json()["workerId"].clone();
    let completed = proxy_a.exchanges().into_iter();
    let completed = completed.filter(|one| one.is_completion() && one.target.contains(&task) && one.status == 204);
    let completed_as: Vec<Value> = completed.map(|one| one.request_json()["workerId"].clone()).collect();
    ensure!(completed_as == [worker_b], "completed as {completed_as:?}");
    Ok("yes, in its name")
}
