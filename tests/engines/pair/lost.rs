//! The listener has completed the task in the other engine, and its own engine does not get to know, or forgets.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use anyhow::{Result, ensure};
use handoff_harness::{
    kill_by_id,
    proxy::{Exchange, Faults, Request, Response},
    wait_until,
};
use serde_json::Value;

use super::scene::{Plan, Scene};
use crate::{
    limits::STATE_LIMIT,
    stage::{Kind, Stage},
};

/// Remembers what the listener was called with, and loses the first answer if it is to.
#[derive(Default)]
struct Calls {
    requests: Mutex<Vec<Value>>,
    loses: AtomicBool,
}

impl Faults for Calls {
    fn request(&self, exchange: &Exchange) -> Request {
        self.requests.lock().unwrap().push(exchange.request_json());
        Request::Forward
    }

    fn response(&self, _: &Exchange) -> Response {
        if self.loses.swap(false, Ordering::SeqCst) {
            Response::Drop
        } else {
            Response::Deliver
        }
    }
}

/// The model with an extension property of the start event, which its listener is told.
fn with_property(model: &str) -> String {
    let property = r#"<camunda:properties><camunda:property name="team" value="inventory"/></camunda:properties>"#;
    let listener = "<camunda:executionListener event=\"end\"";
    model.replacen(listener, &format!("{property}{listener}"), 1)
}

impl Calls {
    /// Two attempts of one invocation.
    fn check(&self) -> Result<()> {
        let requests = self.requests.lock().unwrap();
        let [first, second] = &requests[..] else {
            anyhow::bail!("{} calls of the listener: {requests:?}", requests.len())
        };
        ensure!(first["invocationId"] == second["invocationId"], "{first} {second}");
        ensure!(first["attempt"] == 1 && second["attempt"] == 2, "{first} {second}");
        ensure!(first["extensionProperties"]["team"] == "inventory", "{first}");
        Ok(())
    }
}

/// The second attempt found the task gone, and went on all the same.
fn check_gone(scene: &Scene<'_>) -> Result<()> {
    let gone = scene
        .order_proxy
        .count(|one| one.target.contains("/external-task/") && one.status == 404);
    ensure!(gone > 0, "the second attempt did not find the task gone");
    Ok(())
}

pub(super) fn answer(stage: &Stage, kinds: [Kind; 2]) -> Result<&'static str> {
    let calls = Arc::new(Calls::default());
    calls.loses.store(true, Ordering::SeqCst);
    let plan = Plan {
        inventory_model: with_property(&Plan::default().inventory_model),
        delegate_faults: Box::new(Arc::clone(&calls)),
        ..Plan::default()
    };
    let scene = Scene::start(stage, "answer", kinds, plan)?;
    let orders = scene.engines.place(1)?;
    scene.engines.until_all_end(&orders)?;
    calls.check()?;
    check_gone(&scene)?;
    Ok("yes")
}

const NOBODY: u32 = 0;

/// Kills a process at the moment at which the first completion was answered with success.
#[derive(Default)]
struct KillOnCompletion(AtomicU32);

impl Faults for KillOnCompletion {
    fn response(&self, exchange: &Exchange) -> Response {
        if exchange.is_completion() && exchange.status == 204 {
            let victim = self.0.swap(NOBODY, Ordering::SeqCst);
            if victim != NOBODY {
                kill_by_id(victim).unwrap();
            }
        }
        Response::Deliver
    }
}

pub(super) fn commit(stage: &Stage, kinds: [Kind; 2]) -> Result<&'static str> {
    let calls = Arc::new(Calls::default());
    let killer = Arc::new(KillOnCompletion::default());
    let plan = Plan {
        inventory_model: with_property(&Plan::default().inventory_model),
        delegate_faults: Box::new(Arc::clone(&calls)),
        order_faults: Box::new(Arc::clone(&killer)),
        ..Plan::default()
    };
    let mut scene = Scene::start(stage, "commit", kinds, plan)?;
    killer.0.store(scene.engines.inventory_process(), Ordering::SeqCst);
    let orders = scene.engines.place(1)?;
    wait_until("Inventory to be killed", STATE_LIMIT, || {
        Ok(killer.0.load(Ordering::SeqCst) == NOBODY)
    })?;
    scene.engines.restart_inventory()?;
    scene.engines.until_all_end(&orders)?;
    calls.check()?;
    check_gone(&scene)?;
    Ok("the next attempt knows its own completion")
}
