//! Jobs: run when they are due, retried when they fail, kept over a restart.

use handoff_machine::Answer;
use handoff_machine::command::Command;
use handoff_machine::request::RequestKind;

use super::{Outgoing, Rig, model, of};
use crate::service::error::CommandError;

fn failed() -> Answer {
    Answer::Failed {
        message: "the other engine is down".into(),
    }
}

fn done() -> Answer {
    Answer::Delegated {
        variables: Vec::new(),
        local_variables: Vec::new(),
    }
}

fn one(mut outgoing: Vec<Outgoing>) -> Outgoing {
    assert_eq!(outgoing.len(), 1);
    outgoing.remove(0)
}

#[test]
fn a_timer_fires_when_it_is_due_also_after_a_restart() {
    let mut rig = Rig::new();
    rig.deploy(&model::timer("p"));
    rig.start("p");
    assert_eq!(rig.turn(Vec::new()).next, Some(rig.now + 10_000));
    rig.now += 9_999;
    rig.settle();
    assert!(rig.tasks().is_empty());
    let mut rig = rig.crash();
    assert_eq!(rig.turn(Vec::new()).next, Some(rig.now + 1));
    rig.now += 1;
    rig.settle();
    assert_eq!(rig.tasks().len(), 1);
    assert!(rig.jobs().is_empty());
    assert_eq!(rig.turn(Vec::new()).next, None);
}

#[test]
fn timers_beyond_the_horizon_fire_in_time_too() {
    let mut rig = Rig::with(|config| config.limits.near_jobs = 2);
    rig.deploy(&model::timer("p"));
    for _ in 0..9 {
        rig.start("p");
        rig.now += 10;
    }
    for fired in 1..=9 {
        let due = rig.turn(Vec::new()).next.expect("a timer");
        assert!(due > rig.now);
        rig.now = due;
        rig.settle();
        // The horizon may end before the next timer: looking there fires nothing.
        if rig.tasks().len() < fired {
            rig.now = rig.turn(Vec::new()).next.expect("a timer");
            rig.settle();
        }
        assert_eq!(rig.tasks().len(), fired);
    }
}

#[test]
fn a_job_that_fails_is_retried_and_ends_in_an_incident() {
    let mut rig = Rig::new();
    rig.deploy(&model::async_delegate("p", "book"));
    let (work, mut answer) = rig.queue(super::start("p", None, &[]));
    rig.turn(vec![work]);
    assert!(answer.try_recv().unwrap().is_ok(), "the start ends before the job");
    let mut call = one(rig.settle());
    for attempt in 1..=3 {
        let RequestKind::Delegate(delegate) = &call.request.kind else {
            panic!("no delegate")
        };
        assert_eq!((delegate.name.as_str(), delegate.attempt), ("book", attempt));
        rig.answer(&call, failed());
        let outgoing = rig.settle();
        assert_eq!(rig.jobs()[0].retries, 3 - i32::try_from(attempt).unwrap());
        if attempt < 3 {
            let first = delegate.invocation;
            call = one(outgoing);
            let RequestKind::Delegate(again) = &call.request.kind else {
                panic!("no delegate")
            };
            assert_eq!(again.invocation, first, "the same invocation in each attempt");
        } else {
            assert!(outgoing.is_empty());
        }
    }
    assert_eq!(rig.count("incident"), 1);
    let job = rig.jobs().remove(0);
    assert!(job.exception_message.unwrap().contains("the other engine is down"));

    rig.run(Command::SetJobRetries { id: job.id, retries: 1 }).unwrap();
    assert_eq!(rig.count("incident"), 0);
    // `run` has let the job go out already: it is answered through its ticket.
    let ticket = *rig.processor.waiting.keys().next().unwrap();
    rig.processor.turn(rig.now, Vec::new(), vec![(ticket, done())]);
    rig.settle();
    assert!(rig.jobs().is_empty());
    assert_eq!(rig.fetch(of("after")).len(), 1);
}

#[test]
fn a_job_run_by_hand_tells_its_error_when_its_failure_is_noted() {
    let mut rig = Rig::new();
    rig.deploy(&model::async_delegate("p", "book"));
    let (work, _answer) = rig.queue(super::start("p", None, &[]));
    rig.turn(vec![work]);
    let call = one(rig.settle());
    // The executor's own attempt is under way; one by hand has to wait for it.
    let mut by_hand = rig.submit(Command::ExecuteJob(rig.jobs()[0].id));
    rig.settle();
    rig.answer(&call, failed());
    // It comes before the executor's second attempt, which has to wait in its turn.
    let call = one(rig.settle());
    assert!(by_hand.try_recv().is_err());
    assert_eq!(rig.jobs()[0].retries, 2);
    rig.answer(&call, failed());
    assert!(by_hand.try_recv().is_err(), "its failure is not noted yet");
    rig.settle();
    assert!(matches!(by_hand.try_recv().unwrap(), Err(CommandError::Machine(_))));
    assert_eq!(rig.jobs()[0].retries, 1);
}

#[test]
fn a_job_that_was_under_way_at_a_crash_is_run_again() {
    let mut rig = Rig::new();
    rig.deploy(&model::async_delegate("p", "book"));
    let (work, _answer) = rig.queue(super::start("p", None, &[]));
    rig.turn(vec![work]);
    let before = one(rig.settle());
    let mut rig = rig.crash();
    let after = one(rig.settle());
    let (RequestKind::Delegate(before), RequestKind::Delegate(again)) = (&before.request.kind, &after.request.kind)
    else {
        panic!("no delegates")
    };
    assert_eq!(again.invocation, before.invocation, "the host can recognise it");
    assert_eq!(
        (before.attempt, again.attempt),
        (1, 2),
        "and is told that it may have run before"
    );
    rig.answer(&after, done());
    rig.settle();
    assert_eq!(rig.fetch(of("after")).len(), 1);
}
