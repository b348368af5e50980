//! Long polls: woken at once by whatever makes a task available, and never for nothing.

use std::time::Duration;

use handoff_machine::command::ExternalTaskAction;

use super::{Rig, ids, model, of};
use crate::service::error::CommandError;
use crate::service::fetch::{FetchRequest, FetchTopic};

fn rig() -> Rig {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    rig
}

#[test]
fn a_new_task_wakes_the_poll_that_has_waited_longest() {
    let mut rig = rig();
    let mut first = rig.poll(of("t"));
    let mut second = rig.poll(of("t"));
    let mut other = rig.poll(of("u"));
    rig.start("p");
    assert_eq!(first.try_recv().unwrap().unwrap().len(), 1);
    assert!(second.try_recv().is_err());
    rig.start("p");
    assert_eq!(second.try_recv().unwrap().unwrap().len(), 1);
    assert!(other.try_recv().is_err());
}

#[test]
fn an_unlock_wakes() {
    let mut rig = rig();
    rig.start("p");
    let task = ids(&rig.fetch(of("t")))[0];
    let mut poll = rig.poll(of("t"));
    assert!(poll.try_recv().is_err());
    rig.act(task, ExternalTaskAction::Unlock);
    assert_eq!(ids(&poll.try_recv().unwrap().unwrap()), [task]);
}

#[test]
fn the_end_of_a_lock_wakes_to_the_millisecond() {
    let mut rig = rig();
    rig.start("p");
    let task = ids(&rig.fetch(of("t")))[0];
    let mut poll = rig.poll(of("t"));
    let turn = rig.turn(Vec::new());
    assert_eq!(turn.next, Some(rig.now + 1000));
    rig.now += 999;
    rig.settle();
    assert!(poll.try_recv().is_err());
    rig.now += 1;
    rig.settle();
    assert_eq!(ids(&poll.try_recv().unwrap().unwrap()), [task]);
}

#[test]
fn a_lock_that_is_taken_while_a_poll_waits_is_watched_too() {
    let mut rig = rig();
    // A waits for another topic as well, so that it does not get the task; B takes it; A must get it when B is late.
    let mut filtered = of("t");
    filtered.topics[0].business_key = Some("k".into());
    let mut poll = rig.poll(filtered);
    rig.start_with("p", Some("other"), &[]);
    assert!(poll.try_recv().is_err());
    rig.start_with("p", Some("k"), &[]);
    let first = poll.try_recv().unwrap().unwrap().remove(0);
    let mut poll = rig.poll({
        let mut again = of("t");
        again.topics[0].business_key = Some("k".into());
        again
    });
    rig.act(
        first.task.id,
        ExternalTaskAction::ExtendLock {
            worker: "w".into(),
            duration: 3000,
        },
    );
    rig.now += 2999;
    rig.settle();
    assert!(poll.try_recv().is_err());
    rig.now += 1;
    rig.settle();
    assert_eq!(ids(&poll.try_recv().unwrap().unwrap()), [first.task.id]);
}

#[test]
fn a_retry_time_wakes_and_so_do_new_retries() {
    let mut rig = rig();
    rig.start("p");
    let task = ids(&rig.fetch(of("t")))[0];
    let fail = |retries, retry_timeout| ExternalTaskAction::Fail {
        worker: "w".into(),
        message: None,
        details: None,
        retries,
        retry_timeout,
        variables: Vec::new(),
        local_variables: Vec::new(),
    };
    let mut poll = rig.poll(of("t"));
    rig.act(task, fail(2, 500));
    assert!(poll.try_recv().is_err());
    rig.now += 500;
    rig.settle();
    assert_eq!(ids(&poll.try_recv().unwrap().unwrap()), [task]);

    rig.act(task, fail(0, 0));
    assert_eq!(rig.count("incident"), 1);
    let mut poll = rig.poll(of("t"));
    rig.settle();
    assert!(poll.try_recv().is_err());
    rig.act(task, ExternalTaskAction::SetRetries(1));
    assert_eq!(ids(&poll.try_recv().unwrap().unwrap()), [task]);
}

#[test]
fn a_poll_without_a_task_ends_empty_at_its_time() {
    let mut rig = rig();
    let mut poll = rig.poll(FetchRequest {
        timeout: Some(Duration::from_millis(700)),
        ..of("t")
    });
    assert_eq!(rig.turn(Vec::new()).next, Some(rig.now + 700));
    rig.now += 700;
    rig.settle();
    assert!(poll.try_recv().unwrap().unwrap().is_empty());
    assert_eq!(rig.turn(Vec::new()).next, None, "nothing is left to wait for");
}

#[test]
fn a_fetch_whose_client_has_gone_locks_nothing() {
    let mut rig = rig();
    drop(rig.poll(of("t")));
    rig.start("p");
    assert_eq!(rig.tasks()[0].worker, None);
    let mut poll = rig.poll(of("t"));
    assert_eq!(poll.try_recv().unwrap().unwrap().len(), 1);
}

#[test]
fn tasks_whose_filters_fit_nobody_wake_nobody_and_stay() {
    let mut rig = rig();
    let mut polls = Vec::new();
    for number in 0..200 {
        let mut request = of("t");
        request.topics[0].business_key = Some(format!("order-{number}"));
        polls.push(rig.poll(request));
    }
    rig.start_with("p", Some("order-200"), &[]);
    assert!(polls.iter_mut().all(|poll| poll.try_recv().is_err()));
    // The last in line is found behind all those whom it does not suit.
    rig.start_with("p", Some("order-199"), &[]);
    assert_eq!(polls[199].try_recv().unwrap().unwrap().len(), 1);
    assert!(polls[..199].iter_mut().all(|poll| poll.try_recv().is_err()));
}

#[test]
fn a_poll_of_many_topics_is_answered_once() {
    let mut rig = rig();
    rig.deploy(&model::task("q", "u", ""));
    let mut request = of("t");
    request.topics.push(FetchTopic {
        name: "u".into(),
        lock_duration: 1000,
        ..FetchTopic::default()
    });
    let mut poll = rig.poll(request);
    let (p, mut p_answer) = rig.queue(super::start("p", None, &[]));
    let (q, mut q_answer) = rig.queue(super::start("q", None, &[]));
    rig.turn(vec![p, q]);
    rig.settle();
    assert!(p_answer.try_recv().unwrap().is_ok() && q_answer.try_recv().unwrap().is_ok());
    assert_eq!(poll.try_recv().unwrap().unwrap().len(), 2);
}

#[test]
fn polls_beyond_the_limit_are_refused_unless_some_have_gone() {
    let mut rig = Rig::with(|config| config.limits.waiting_fetches = 2);
    let first = rig.poll(of("t"));
    let mut second = rig.poll(of("t"));
    let refused = rig.poll(of("t")).try_recv().unwrap();
    assert!(matches!(refused, Err(CommandError::TooManyFetches)));
    drop(first);
    let mut third = rig.poll(of("t"));
    assert!(third.try_recv().is_err(), "it waits in the place of the first");
    rig.processor.dismiss_waiters();
    for poll in [&mut second, &mut third] {
        assert!(matches!(poll.try_recv().unwrap(), Err(CommandError::ShuttingDown)));
    }
}
