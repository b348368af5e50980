//! What was answered is on disk; what was not has left no trace.

use handoff_machine::Value;
use handoff_machine::command::Command;
use rusqlite::ffi;

use super::{Rig, complete, ids, model, of, start};
use crate::service::error::CommandError;
use crate::store::{FaultPoint, StoreError};

const FULL: i32 = ffi::SQLITE_FULL;
const IO_FSYNC: i32 = ffi::SQLITE_IOERR_FSYNC;

/// Fails at the points whose number (from 1) `fails` says.
fn fail(rig: &mut Rig, point: FaultPoint, code: i32, fails: impl Fn(u32) -> bool + Send + 'static) {
    let mut seen = 0;
    rig.processor.store.faults = Some(Box::new(move |at| {
        seen += u32::from(at == point);
        (at == point && fails(seen)).then(|| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }));
}

#[test]
fn what_was_answered_is_there_after_a_crash() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    let instance = rig.start_with("p", Some("order-1"), &[("amount", Value::Long(7))]);
    let locked = rig.fetch(of("t"));
    assert_eq!(locked.len(), 1);
    assert_eq!(locked[0].task.instance, instance);
    assert_eq!(locked[0].variables, [("amount".to_owned(), Value::Long(7))]);
    let before = rig.dump();

    let mut rig = rig.crash();
    assert_eq!(rig.dump(), before);
    assert!(rig.fetch(of("t")).is_empty(), "the lock is as durable as the task");
    rig.complete(locked[0].task.id, "w").unwrap();

    let rig = rig.crash();
    assert_eq!(rig.count("external_task"), 0);
    assert_eq!(rig.count("process_instance"), 0);
    assert_eq!(rig.count("historic_instance"), 1);
}

#[test]
fn a_refused_command_leaves_no_trace_and_does_not_disturb_its_group() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    let good = rig.start("p");
    let task = rig.fetch(of("t"))[0].task.id;
    let commits = rig.processor.counters.read().commits;
    let (first, mut first_answer) = rig.queue(start("p", None, &[]));
    let (foreign, mut foreign_answer) = rig.queue(complete(task, "somebody-else"));
    let (second, mut second_answer) = rig.queue(start("p", None, &[]));
    rig.turn(vec![first, foreign, second]);
    assert!(first_answer.try_recv().unwrap().is_ok());
    assert!(matches!(
        foreign_answer.try_recv().unwrap(),
        Err(CommandError::Machine(_))
    ));
    assert!(second_answer.try_recv().unwrap().is_ok());
    assert_eq!(
        rig.processor.counters.read().commits,
        commits + 1,
        "one commit for the group"
    );
    assert_eq!(rig.count("process_instance"), 3);
    assert_eq!(rig.tasks()[0].instance, good);
}

#[test]
fn a_change_that_cannot_be_stored_fails_its_command_alone() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    let before = rig.dump();
    // The first change of the group fails, and the first change of its first command when it is run again alone.
    fail(&mut rig, FaultPoint::Apply, FULL, |seen| seen <= 2);
    let (first, mut first_answer) = rig.queue(start("p", None, &[]));
    let (second, mut second_answer) = rig.queue(start("p", None, &[]));
    rig.turn(vec![first, second]);
    assert!(matches!(first_answer.try_recv().unwrap(), Err(CommandError::Store(_))));
    assert!(second_answer.try_recv().unwrap().is_ok());
    assert_eq!(rig.count("process_instance"), 1);
    assert_ne!(rig.dump(), before);
    rig.start("p");
    assert_eq!(rig.fetch(of("t")).len(), 2);
}

#[test]
fn a_commit_that_fails_leaves_nothing_and_the_next_one_works() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    let mut poll = rig.poll(of("t"));
    let before = rig.dump();
    fail(&mut rig, FaultPoint::Commit, FULL, |_| true);
    let (first, mut first_answer) = rig.queue(start("p", None, &[]));
    let (second, mut second_answer) = rig.queue(start("p", None, &[]));
    rig.turn(vec![first, second]);
    for answer in [&mut first_answer, &mut second_answer] {
        assert!(matches!(answer.try_recv().unwrap(), Err(CommandError::Store(_))));
    }
    assert_eq!(rig.dump(), before);
    rig.settle();
    assert!(poll.try_recv().is_err(), "a long poll was woken by what never happened");

    rig.processor.store.faults = None;
    rig.start("p");
    assert_eq!(poll.try_recv().unwrap().unwrap().len(), 1);
    let before = rig.dump();
    assert_eq!(rig.crash().dump(), before);
}

#[test]
fn a_sync_that_fails_ends_all_writing() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    let before = rig.dump();
    fail(&mut rig, FaultPoint::Commit, IO_FSYNC, |seen| seen == 1);
    assert!(matches!(rig.run(start("p", None, &[])), Err(CommandError::Store(_))));
    assert!(rig.processor.is_broken());
    // The disk would do it again, but what it has is not known any more.
    let Err(CommandError::Store(error)) = rig.run(start("p", None, &[])) else {
        panic!("a command was taken")
    };
    assert!(matches!(*error, StoreError::Broken(_)));
    assert_eq!(rig.crash().dump(), before);
}

#[test]
fn a_sync_that_fails_while_history_is_removed_ends_all_writing_too() {
    let mut rig = Rig::with(|config| config.retention.cleanup = true);
    rig.deploy(&model::task("p", "t", ""));
    rig.start("p");
    let task = rig.fetch(of("t"))[0].task.id;
    rig.complete(task, "w").unwrap();
    let before = rig.dump();
    rig.now += 31 * 86_400_000;
    fail(&mut rig, FaultPoint::Commit, IO_FSYNC, |_| true);
    rig.turn(Vec::new());
    assert!(rig.processor.is_broken());
    let config = rig.config.clone();
    let directory = std::sync::Arc::clone(&rig._directory);
    drop(rig);
    let then = super::NOW;
    assert_eq!(Rig::open(config, directory, then).dump(), before);
}

#[test]
fn a_full_disk_refuses_what_needs_room_and_work_goes_on_when_there_is_some() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    rig.start("p");
    let before = rig.dump();
    let pages: i64 = rig
        .processor
        .store
        .connection()
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    let limit = |rig: &Rig, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        rig.processor
            .store
            .connection()
            .query_row(&sql, [], |_| Ok(()))
            .unwrap();
    };
    limit(&rig, pages);
    let large = Value::Bytes(vec![1; 1 << 20]);
    let (large, mut large_answer) = rig.queue(start("p", None, &[("file", large)]));
    let (unknown, mut unknown_answer) = rig.queue(start("nobody-knows", None, &[]));
    rig.turn(vec![large, unknown]);
    assert!(matches!(large_answer.try_recv().unwrap(), Err(CommandError::Store(_))));
    assert!(matches!(
        unknown_answer.try_recv().unwrap(),
        Err(CommandError::Machine(_))
    ));
    assert_eq!(rig.dump(), before);
    assert!(!rig.processor.is_broken(), "room can come back");
    limit(&rig, i64::from(u32::MAX - 2));
    rig.start("p");
    assert_eq!(rig.fetch(of("t")).len(), 2);
}

#[test]
fn a_definition_is_gone_from_memory_with_its_deployment() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    rig.start("p");
    let task = rig.fetch(of("t")).remove(0);
    rig.complete(task.task.id, "w").unwrap();
    let deployment = task.definition.row.deployment;
    rig.run(Command::DeleteDeployment {
        id: deployment,
        cascade: true,
        skip_custom_listeners: false,
        skip_io_mappings: false,
    })
    .unwrap();
    assert!(rig.run(start("p", None, &[])).is_err());
    assert_eq!(rig.count("historic_instance"), 0);
    rig.deploy(&model::task("p", "other", ""));
    rig.start("p");
    assert_eq!(ids(&rig.fetch(of("other"))).len(), 1);
}
