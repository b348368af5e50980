//! The listener has completed the task in the other engine, and its own engine dies before it commits: the one moment
//! at which both engines disagree. The job runs again, finds the task gone, and knows that it was itself.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use handoff_harness::{
    kill_by_id, models,
    proxy::{Exchange, Faults, Request, Response},
    wait_until,
};
use serde_json::{Value, json};

use crate::{
    limits::STATE_LIMIT,
    scene::{Plan, Scene},
};

const NOBODY: u32 = 0;

/// Kills a process at the moment at which the first completion was answered with success.
#[derive(Default)]
struct KillOnCompletion {
    /// The process to be killed; [`NOBODY`] once it was.
    victim: AtomicU32,
}

impl Faults for KillOnCompletion {
    fn response(&self, exchange: &Exchange) -> Response {
        if exchange.is_completion() && exchange.status == 204 {
            let victim = self.victim.swap(NOBODY, Ordering::SeqCst);
            if victim != NOBODY {
                kill_by_id(victim).unwrap();
            }
        }
        Response::Deliver
    }
}

/// Remembers what the listener was called with, whether or not its answer arrived.
#[derive(Default)]
struct Executions(Mutex<Vec<Value>>);

impl Faults for Executions {
    fn request(&self, exchange: &Exchange) -> Request {
        self.0.lock().unwrap().push(exchange.request_json());
        Request::Forward
    }
}

#[test]
fn a_completion_whose_commit_was_lost_is_recognised_as_ones_own() {
    let killer = Arc::new(KillOnCompletion::default());
    let executions = Arc::new(Executions::default());
    let mut scene = Scene::start(Plan {
        inventory_model: models::inventory_with_retry_cycle("R100/PT0.2S"),
        order_faults: Box::new(Arc::clone(&killer)),
        delegate_faults: Box::new(Arc::clone(&executions)),
        ..Plan::default()
    });
    killer.victim.store(scene.inventory.process().id(), Ordering::SeqCst);
    let orders = scene.place("order", 1);
    wait_until("Inventory to be killed", STATE_LIMIT, || {
        Ok(killer.victim.load(Ordering::SeqCst) == NOBODY)
    })
    .unwrap();
    scene.inventory.restart().unwrap();
    scene.assert_all_end(&orders);

    let to_check = |exchange: &Exchange| exchange.is_completion() && exchange.status == 204;
    let task_of = |exchange: &Exchange| {
        exchange
            .target
            .split("/external-task/")
            .nth(1)
            .unwrap_or_default()
            .to_owned()
    };
    let completions: Vec<_> = scene.order_proxy.exchanges().into_iter().filter(to_check).collect();
    let first = task_of(&completions[0]);
    assert_eq!(
        completions.iter().filter(|one| task_of(one) == first).count(),
        1,
        "completed once"
    );
    let id = first.trim_end_matches("/complete");
    let gone = |exchange: &Exchange| exchange.target.contains(id) && exchange.status == 404;
    assert!(
        scene.order_proxy.count(gone) > 0,
        "the second execution must have found the task gone"
    );
    // Both executions of the same invocation: the one whose commit was lost, and the one that knew of it.
    let executions = executions.0.lock().unwrap();
    let [first, second] = &executions[..] else {
        panic!("{} executions", executions.len())
    };
    assert_eq!(first["invocationId"], second["invocationId"]);
    assert_eq!((&first["attempt"], &second["attempt"]), (&json!(1), &json!(2)));
    let answers = scene.delegate_proxy.exchanges();
    let last = answers.last().unwrap();
    assert_eq!((last.status, &last.response_json()["bpmnError"]), (200, &Value::Null));
}
