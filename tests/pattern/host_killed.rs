//! The host is killed with tasks in hand, and polls lose their answers: what was locked comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use handoff_harness::{
    proxy::{Exchange, Faults, Gate, Request, Response},
    wait_until,
};

use crate::{
    limits::STATE_LIMIT,
    scene::{Plan, Scene},
};

/// Holds completions until the gate is open; those that were held are lost.
struct CompletionsHeld(Arc<Gate>);

impl Faults for CompletionsHeld {
    fn request(&self, exchange: &Exchange) -> Request {
        if !exchange.is_completion() || self.0.is_open() {
            return Request::Forward;
        }
        self.0.wait();
        Request::Drop
    }
}

#[test]
fn a_host_that_is_killed_with_tasks_in_hand_does_all_after_its_restart() {
    let gate = Arc::new(Gate::shut());
    let mut scene = Scene::start(Plan {
        inventory_faults: Box::new(CompletionsHeld(Arc::clone(&gate))),
        engine_settings: "lock-duration-ms = 3000".to_owned(),
        ..Plan::default()
    });
    let orders = scene.place("order", 50);
    let in_hand = || scene.inventory.rest().count("/external-task/count?locked=true");
    wait_until("tasks in the host's hands", STATE_LIMIT, || Ok(in_hand()? >= 10)).unwrap();
    scene.host.kill().unwrap();
    assert!(in_hand().unwrap() >= 10, "it has left tasks locked");
    gate.open();
    scene.host.restart().unwrap();
    scene.assert_all_end(&orders);
}

/// How many answers are cut.
const CUTS: usize = 3;

/// Cuts the first answers that have tasks.
#[derive(Default)]
struct CutAnswers {
    cut: AtomicUsize,
}

impl Faults for CutAnswers {
    fn response(&self, exchange: &Exchange) -> Response {
        // An empty list has no task to be lost.
        let has_tasks = exchange.is_fetch() && exchange.response.len() > 2;
        let cut = |count| (count < CUTS).then_some(count + 1);
        if has_tasks && self.cut.fetch_update(Ordering::SeqCst, Ordering::SeqCst, cut).is_ok() {
            return Response::Cut;
        }
        Response::Deliver
    }
}

#[test]
fn tasks_that_were_locked_by_a_lost_answer_are_back_within_seconds() {
    let faults = Arc::new(CutAnswers::default());
    let lock = Duration::from_secs(600);
    let scene = Scene::start(Plan {
        order_faults: Box::new(Arc::clone(&faults)),
        engine_settings: format!("lock-duration-ms = {}", lock.as_millis()),
        ..Plan::default()
    });
    let start = Instant::now();
    let orders = scene.place("order", 50);
    scene.assert_all_end(&orders);
    assert_eq!(faults.cut.load(Ordering::SeqCst), CUTS, "answers with tasks were cut");
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_secs(30), "{elapsed:?}, with locks of {lock:?}");
}
