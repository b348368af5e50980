//! Commands that wait for a delegate: what they have read stays as it is, and only who needs it has to wait.

use handoff_machine::Answer;
use handoff_machine::command::{Command, ExternalTaskAction};
use handoff_machine::request::RequestKind;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Outgoing, Receiver, Rig, complete, ids, model, of, start};
use crate::service::command::{Sender, Source, Work};
use crate::service::error::CommandError;

fn done() -> Answer {
    Answer::Delegated {
        variables: Vec::new(),
        local_variables: Vec::new(),
    }
}

/// An instance whose task is being completed, and the delegate's call that this waits for.
fn under_way(
    rig: &mut Rig,
) -> (
    handoff_machine::row::ExternalTask,
    Outgoing,
    Receiver<handoff_machine::Reply>,
) {
    rig.deploy(&model::delegate_after_task("p", "book"));
    rig.start("p");
    let task = rig.fetch(of("t")).remove(0).task;
    let (work, answer) = rig.queue(complete(task.id, "w"));
    let mut outgoing = rig.turn(vec![work]).outgoing;
    assert_eq!(outgoing.len(), 1);
    (task, outgoing.remove(0), answer)
}

fn from_within(call: &Outgoing, command: Command) -> (Work, Receiver<handoff_machine::Reply>) {
    let RequestKind::Delegate(delegate) = &call.request.kind else {
        panic!("no delegate")
    };
    let (reply, receiver) = oneshot::channel();
    (
        Work::command(
            command,
            Source::Caller {
                reply,
                sender: Sender {
                    invocation: Some(delegate.invocation),
                    ..Sender::default()
                },
            },
        ),
        receiver,
    )
}

#[test]
fn others_of_the_instance_wait_and_the_rest_does_not() {
    let mut rig = Rig::new();
    let (task, call, mut completed) = under_way(&mut rig);
    let before = rig.dump();
    let mut suspended = rig.submit(Command::SuspendInstance {
        id: task.instance,
        suspended: true,
    });
    rig.settle();
    assert!(suspended.try_recv().is_err());
    assert!(completed.try_recv().is_err());
    assert_eq!(rig.dump(), before, "nothing of it has happened");
    // Another instance of the same definition does not wait.
    rig.start("p");

    rig.answer(&call, done());
    assert!(completed.try_recv().unwrap().is_ok());
    rig.settle();
    // The instance has ended: the one that waited finds that out by itself.
    assert!(matches!(suspended.try_recv().unwrap(), Err(CommandError::Machine(_))));
    assert_eq!(rig.count("process_instance"), 1);
}

#[test]
fn who_waits_too_long_gets_a_conflict_and_the_holder_goes_on() {
    let mut rig = Rig::new();
    let (task, call, mut completed) = under_way(&mut rig);
    let mut extended = rig.submit(Command::ExternalTask {
        id: task.id,
        action: ExternalTaskAction::ExtendLock {
            worker: "w".into(),
            duration: 1000,
        },
    });
    let patience = i64::try_from(rig.config.limits.park_timeout.as_millis()).unwrap();
    rig.now += patience - 1;
    rig.settle();
    assert!(extended.try_recv().is_err());
    assert_eq!(rig.turn(Vec::new()).next, Some(rig.now + 1));
    rig.now += 1;
    rig.settle();
    assert!(matches!(extended.try_recv().unwrap(), Err(CommandError::Conflict(_))));
    rig.answer(&call, done());
    assert!(completed.try_recv().unwrap().is_ok());
}

#[test]
fn a_failed_delegate_leaves_no_trace_and_the_task_can_be_completed_again() {
    let mut rig = Rig::new();
    let (task, call, mut completed) = under_way(&mut rig);
    let before = rig.dump();
    rig.answer(&call, Answer::Failed { message: "down".into() });
    assert!(matches!(completed.try_recv().unwrap(), Err(CommandError::Machine(_))));
    assert_eq!(rig.dump(), before);
    let (work, mut again) = rig.queue(complete(task.id, "w"));
    let call = rig.turn(vec![work]).outgoing.remove(0);
    rig.answer(&call, done());
    assert!(again.try_recv().unwrap().is_ok());
}

#[test]
fn a_call_back_into_the_own_instance_fails_at_once_and_names_the_cycle() {
    let mut rig = Rig::new();
    let (task, call, mut completed) = under_way(&mut rig);
    let command = Command::SuspendInstance {
        id: task.instance,
        suspended: true,
    };
    let (work, mut called_back) = from_within(&call, command);
    rig.turn(vec![work]);
    let Err(error) = called_back.try_recv().unwrap() else {
        panic!("the instance was changed under the delegate")
    };
    assert!(
        matches!(&error, CommandError::Cycle { delegate, .. } if delegate == "book"),
        "{error}"
    );
    // A delegate may do what it likes elsewhere.
    let (work, mut elsewhere) = from_within(&call, start("p", None, &[]));
    rig.turn(vec![work]);
    assert!(elsewhere.try_recv().unwrap().is_ok());
    rig.answer(&call, done());
    assert!(completed.try_recv().unwrap().is_ok());
}

#[test]
fn a_cycle_over_two_instances_is_found_too() {
    let mut rig = Rig::new();
    let (first, first_call, _first_answer) = under_way(&mut rig);
    rig.start("p");
    let second = rig.fetch(of("t")).remove(0).task;
    let (work, _second_answer) = rig.queue(complete(second.id, "w"));
    let second_call = rig.turn(vec![work]).outgoing.remove(0);
    // The first's delegate needs the second instance: that may end well, so it waits.
    let (work, mut waits) = from_within(
        &first_call,
        Command::SuspendInstance {
            id: second.instance,
            suspended: true,
        },
    );
    rig.turn(vec![work]);
    assert!(waits.try_recv().is_err());
    // The second's needs the first: now neither can end.
    let (work, mut refused) = from_within(
        &second_call,
        Command::SuspendInstance {
            id: first.instance,
            suspended: true,
        },
    );
    rig.turn(vec![work]);
    assert!(matches!(refused.try_recv().unwrap(), Err(CommandError::Cycle { .. })));
}

#[test]
fn a_task_of_a_reserved_instance_is_passed_over_until_it_is_free() {
    let mut rig = Rig::new();
    let (task, call, _completed) = under_way(&mut rig);
    // Its lock runs out while its completion waits for the delegate.
    rig.now += 5000;
    let mut poll = rig.poll(of("t"));
    rig.settle();
    assert!(poll.try_recv().is_err());
    rig.answer(&call, Answer::Failed { message: "down".into() });
    rig.settle();
    assert_eq!(ids(&poll.try_recv().unwrap().unwrap()), [task.id]);
}

#[test]
fn commands_that_wait_for_delegates_are_bounded() {
    let mut rig = Rig::with(|config| config.limits.waiting_commands = 1);
    let (_task, call, mut completed) = under_way(&mut rig);
    rig.start("p");
    let other = rig.fetch(of("t")).remove(0).task;
    let refused = rig.submit(complete(other.id, "w")).try_recv().unwrap();
    assert!(matches!(refused, Err(CommandError::Overloaded { .. })));
    rig.answer(&call, done());
    assert!(completed.try_recv().unwrap().is_ok());
    let mut again = rig.submit(complete(other.id, "w"));
    assert!(again.try_recv().is_err(), "it waits for its delegate now");
    assert_eq!(rig.processor.waiting.len(), 1);
}

#[test]
fn an_unknown_invocation_says_nothing() {
    let mut rig = Rig::new();
    let (task, _call, _completed) = under_way(&mut rig);
    let (reply, mut receiver) = oneshot::channel();
    let command = Command::SuspendInstance {
        id: task.instance,
        suspended: true,
    };
    rig.turn(vec![Work::command(
        command,
        Source::Caller {
            reply,
            sender: Sender {
                invocation: Some(Uuid::nil()),
                ..Sender::default()
            },
        },
    )]);
    assert!(receiver.try_recv().is_err(), "it waits like any other");
}
