//! A clock that is set back or forward by hours: no timer is lost or fires twice, and no lock lives for ever.

use super::{Rig, ids, model, of};

const HOURS: i64 = 5 * 3_600_000;

#[test]
fn a_timer_survives_a_clock_that_is_set_back_and_fires_once() {
    let mut rig = Rig::new();
    rig.deploy(&model::timer("p"));
    rig.start("p");
    let due = rig.now + 10_000;
    rig.now -= HOURS;
    rig.settle();
    let mut rig = rig.crash();
    assert_eq!(rig.turn(Vec::new()).next, Some(due), "it is known after a restart too");
    rig.now = due;
    rig.settle();
    assert_eq!(rig.tasks().len(), 1);
    rig.now -= HOURS;
    rig.settle();
    rig.now = due + 1;
    rig.settle();
    assert_eq!(rig.tasks().len(), 1, "once, although its time came twice");
}

#[test]
fn a_clock_that_is_set_forward_fires_what_became_due_once() {
    let mut rig = Rig::new();
    rig.deploy(&model::timer("p"));
    rig.start("p");
    rig.start("p");
    rig.now += HOURS;
    rig.settle();
    assert_eq!(rig.tasks().len(), 2);
    rig.now -= HOURS;
    rig.settle();
    // What starts after the correction has its own time.
    rig.start("p");
    let due = rig.now + 10_000;
    assert_eq!(rig.turn(Vec::new()).next, Some(due));
    rig.now = due;
    rig.settle();
    assert_eq!(rig.tasks().len(), 3);
}

#[test]
fn a_lock_ends_whichever_way_the_clock_was_set() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    rig.start("p");
    let locked_at = rig.now;
    let task = ids(&rig.fetch(of("t")));
    rig.now += HOURS;
    assert_eq!(ids(&rig.fetch(of("t"))), task, "set forward: the lock has run out");
    rig.now = locked_at;
    let mut poll = rig.poll(of("t"));
    rig.settle();
    assert!(
        poll.try_recv().is_err(),
        "set back: it is locked until the time that its worker was told"
    );
    let mut unlocked = rig.poll(of("t"));
    rig.act(task[0], handoff_machine::command::ExternalTaskAction::Unlock);
    rig.settle();
    let served = [poll.try_recv(), unlocked.try_recv()];
    assert_eq!(
        served.iter().filter(|answer| answer.is_ok()).count(),
        1,
        "an unlock frees it all the same"
    );
    drop((served, poll, unlocked));
    rig.now = locked_at + HOURS + 1_000;
    assert_eq!(ids(&rig.fetch(of("t"))), task);
}

#[test]
fn ids_go_on_when_the_clock_goes_back() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    let first = rig.start("p");
    rig.now -= HOURS;
    let second = rig.start("p");
    let mut rig = rig.crash();
    let third = rig.start("p");
    assert!(first < second && second < third, "{first:?}, {second:?}, {third:?}");
}
