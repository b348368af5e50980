//! A crash at every write, cut, sync and removal of a scripted run: what was answered is there, nothing is half done, and
//! a second recovery changes nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use handoff_machine::command::{Command, ExternalTaskAction};
use handoff_machine::{Id, Value};
use rusqlite::ffi;
use tempfile::TempDir;

use super::{NOW, Rig, complete, model, of, start};
use crate::config::Config;
use crate::service::error::CommandError;
use crate::store::DATABASE_FILE;
use crate::store::recorder::images::{Disk, Image, Unsynced, write};
use crate::store::recorder::{Op, Recorder};

/// A folder in memory where there is one: images are many, and their own syncs prove nothing.
pub(super) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir()
        && let Ok(folder) = TempDir::new_in(memory)
    {
        return folder;
    }
    TempDir::new().unwrap()
}

/// A run whose every operation is on record.
struct Recorded {
    rig: Rig,
    recorder: Recorder,
    /// All rows, after the start and after each turn.
    dumps: Vec<Vec<String>>,
}

impl Recorded {
    fn new() -> Self {
        let directory = folder();
        let recorder = Recorder::register();
        let config = Config::new(directory.path());
        let rig = Rig::open_on(config, Arc::new(directory), NOW, Some(recorder.name()));
        let mut run = Self {
            rig,
            recorder,
            dumps: Vec::new(),
        };
        // The store syncs its folder when it is open: by itself, not through SQLite.
        run.recorder.note(Op::SyncFolder);
        run.seen();
        run
    }

    fn seen(&mut self) {
        self.recorder.note(Op::Mark);
        self.dumps.push(self.rig.dump());
    }

    /// One command in one turn: one commit.
    fn step(&mut self, command: Command) {
        let mut answer = self.rig.submit(command);
        assert!(answer.try_recv().expect("an answer").is_ok());
        self.seen();
    }

    /// Whatever is due after this time, in one turn.
    fn wait(&mut self, millis: i64) {
        self.rig.now += millis;
        self.rig.turn(Vec::new());
        self.seen();
    }

    fn fetch(&mut self, topic: &str) -> Vec<Id> {
        let ids = super::ids(&self.rig.fetch(of(topic)));
        self.seen();
        ids
    }

    fn fold(&mut self) {
        self.rig.processor.store.checkpoint().unwrap();
        self.seen();
    }

    /// As it is done beside the writer.
    fn fold_beside(&mut self) {
        self.rig.processor.store.fold_once(Some(self.recorder.name()));
        self.seen();
    }
}

/// Starts, locks, completions, failures, timers, deletions, values of many pages, and the log folded in between.
fn script(run: &mut Recorded) {
    let deploy = |xml: String| {
        Command::Deploy(handoff_machine::command::Deploy {
            name: Some("crash".to_owned()),
            source: None,
            tenant: None,
            duplicate_filtering: false,
            changed_only: false,
            strict: false,
            resources: vec![("model.bpmn".to_owned(), xml.into_bytes())],
        })
    };
    run.step(deploy(model::task("task", "t", "")));
    run.step(deploy(model::timer("timer")));
    for order in ["order-1", "order-2", "order-3"] {
        run.step(start("task", Some(order), &[("amount", Value::Long(7))]));
    }
    run.step(start("timer", None, &[]));
    let tasks = run.fetch("t");
    assert_eq!(tasks.len(), 3);
    run.fold_beside();
    run.step(complete(tasks[0], "w"));
    run.step(Command::ExternalTask {
        id: tasks[1],
        action: ExternalTaskAction::Fail {
            worker: "w".to_owned(),
            message: Some("no".to_owned()),
            details: Some("because".to_owned()),
            retries: 0,
            retry_timeout: 0,
            variables: Vec::new(),
            local_variables: Vec::new(),
        },
    });
    run.step(start("task", None, &[("file", Value::Bytes(vec![7; 30_000]))]));
    run.wait(11_000);
    let late = run.fetch("late");
    assert_eq!(late.len(), 1, "the timer has fired");
    run.step(complete(late[0], "w"));
    run.fold();
    run.step(Command::ExternalTask {
        id: tasks[1],
        action: ExternalTaskAction::SetRetries(1),
    });
    let instance = run.rig.tasks().last().unwrap().instance;
    run.step(Command::DeleteInstance {
        id: instance,
        reason: Some("enough".to_owned()),
        skip_custom_listeners: true,
        skip_io_mappings: false,
    });
    run.step(start("task", Some("order-4"), &[]));
}

/// Opens what a crash has left, twice, and compares it with what may be there.
fn check(image: &Image, allowed: &[Vec<String>], place: &str) {
    let directory = folder();
    write(image, directory.path());
    let config = Config::new(directory.path());
    let rig = Rig::open_on(config, Arc::new(directory), NOW, None);
    let found = rig.dump();
    let missing = |rows: &[String], others: &[String]| -> Vec<String> {
        rows.iter().filter(|row| !others.contains(row)).cloned().collect()
    };
    assert!(
        allowed.contains(&found),
        "{place}: neither the last answer's rows nor the next one's: lost {:#?}, found {:#?}",
        missing(&allowed[0], &found),
        missing(&found, &allowed[0]),
    );
    let rig = rig.crash();
    assert_eq!(rig.dump(), found, "{place}: a second recovery changes something");
    let sound: String = rig
        .processor
        .store
        .connection()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok", "{place}");
}

#[test]
fn a_crash_at_every_operation_loses_nothing_that_was_answered_and_halves_nothing() {
    let mut run = Recorded::new();
    script(&mut run);
    let ops = run.recorder.ops();
    let dumps = &run.dumps;
    let (mut disk, mut answers) = (Disk::default(), 0_usize);
    let mut images = 0_u64;
    let mut last = None;
    for (at, op) in ops.iter().enumerate() {
        disk.follow(op);
        answers += usize::from(*op == Op::Mark);
        // Before the first answer there is nothing but an engine that starts anew.
        let allowed = match answers {
            0 => &dumps[..1],
            some => &dumps[some - 1..(some + 1).min(dumps.len())],
        };
        let mut kinds = vec![Unsynced::Dropped];
        if disk.is_unsynced() {
            kinds.extend([Unsynced::Kept, Unsynced::Torn, Unsynced::Scattered(at as u64)]);
        }
        for kind in kinds {
            let image = disk.crash(kind);
            if last.as_ref() == Some(&(image.clone(), answers)) {
                continue;
            }
            let place = format!("operation {at} after answer {answers} of {}, {kind:?}", dumps.len());
            check(&image, allowed, &place);
            images += 1;
            last = Some((image, answers));
        }
    }
    assert_eq!(answers, dumps.len());
    assert!(images > 200, "{images} images of {} operations", ops.len());
}

/// Fails every operation from the `first` one on that `which` says.
fn fail_from(run: &Recorded, code: i32, which: impl Fn(&Op) -> bool + Send + 'static) {
    run.recorder.fail(Some(Box::new(move |op| which(op).then_some(code))));
}

#[test]
fn a_full_disk_refuses_with_a_clear_error_and_work_goes_on_when_there_is_room() {
    let mut run = Recorded::new();
    script(&mut run);
    let before = run.rig.dump();
    fail_from(&run, ffi::SQLITE_FULL, |op| matches!(op, Op::Write { .. }));
    let Err(CommandError::Store(error)) = run.rig.run(start("task", None, &[])) else {
        panic!("a start was taken on a full disk")
    };
    assert!(error.to_string().contains("full"), "{error}");
    assert!(!run.rig.processor.is_broken(), "room can come back");
    assert_eq!(run.rig.dump(), before);
    run.recorder.fail(None);
    run.rig.start("task");
    let after = run.rig.dump();
    assert_ne!(after, before);
    assert_eq!(run.rig.crash().dump(), after);
}

#[test]
fn a_sync_that_fails_on_disk_ends_all_writing_and_loses_no_answer() {
    let mut run = Recorded::new();
    script(&mut run);
    let before = run.rig.dump();
    fail_from(&run, ffi::SQLITE_IOERR_FSYNC, |op| matches!(op, Op::Sync { .. }));
    assert!(matches!(
        run.rig.run(start("task", None, &[])),
        Err(CommandError::Store(_))
    ));
    assert!(run.rig.processor.is_broken());
    run.recorder.fail(None);
    assert!(
        run.rig.run(start("task", None, &[])).is_err(),
        "what the disk has is not known any more"
    );
    let found = run.rig.crash().dump();
    // The write may have reached the disk although its sync failed; nobody was told that it did.
    assert!(found == before || found.len() > before.len());
    assert!(before.iter().all(|row| row.starts_with("meta") || found.contains(row)));
}

#[test]
fn a_fold_beside_the_writer_that_fails_on_disk_ends_all_writing_and_loses_no_answer() {
    let mut run = Recorded::new();
    script(&mut run);
    run.rig.processor.store.fold_beside(Some(run.recorder.name())).unwrap();
    let database = |op: &Op| matches!(op, Op::Sync { file } if file == DATABASE_FILE);
    fail_from(&run, ffi::SQLITE_IOERR_FSYNC, database);
    // Until the log is long enough, and its failure is noted: that takes a turn of another thread.
    let until = Instant::now() + Duration::from_secs(60);
    let mut before = Vec::new();
    while !run.rig.processor.is_broken() {
        assert!(Instant::now() < until, "the failed fold was not noticed");
        let file = [("file", Value::Bytes(vec![7; 200_000]))];
        match run.rig.run(start("task", None, &file)) {
            Ok(_) => before = run.rig.dump(),
            Err(error) => assert!(matches!(error, CommandError::Store(_)), "{error}"),
        }
    }
    assert!(run.rig.run(start("task", None, &[])).is_err());
    run.recorder.fail(None);
    assert_eq!(run.rig.crash().dump(), before, "the log has all that was answered");
}
