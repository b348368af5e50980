//! Folds the log into the database beside the writer, on a connection and a thread of its own: a commit waits for its own
//! sync, and not for the pages of the commits before it.
//!
//! SQLite lets a checkpoint and the writer work at once. The log starts anew at a write that finds all of it folded; under
//! a load without a pause that moment does not come by itself, so the writer folds what is left once the log has
//! [`LONG`] pages.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::Connection;

use super::error::{OpenError, StoreError};
use super::open;

/// Pages of the log that are not folded yet, after which they are.
const BEHIND: i64 = 2_000;
/// The log is looked at after so many commits: SQLite compiles the question anew each time.
const COMMITS: u32 = 16;
/// Pages of the log from which on the writer folds it itself: 32 MiB.
const LONG: i64 = 16_000;
/// Until a fold is tried again that had no room on the disk.
const PAUSE: Duration = Duration::from_secs(1);

/// A connection that folds the log.
pub(super) struct Checkpointer(Connection);

impl Checkpointer {
    pub(super) fn open(path: &Path, vfs: Option<&str>) -> Result<Self, OpenError> {
        Ok(Self(open::checkpointer(path, vfs)?))
    }

    /// Folds what no reader is in the way of.
    pub(super) fn fold(&self) -> Result<(), StoreError> {
        fold(&self.0)
    }

    /// Folds each time that somebody asks and enough has come together, until nobody can ask any more.
    fn run(&self, asked: &Receiver<()>, failure: &Mutex<Option<StoreError>>) {
        while asked.recv().is_ok() {
            let folded = Length::of(&self.0).and_then(|log| if log.behind < BEHIND { Ok(()) } else { self.fold() });
            let Err(error) = folded else { continue };
            if error.is_io() {
                failure.lock().get_or_insert(error);
                return;
            }
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the log could not be folded into the database; it grows until that succeeds"
            );
            if is_over_within(PAUSE, asked) {
                return;
            }
        }
    }
}

/// Waits, and whether nobody can ask any more before that is over. Who asks meanwhile asks again.
fn is_over_within(pause: Duration, asked: &Receiver<()>) -> bool {
    let until = Instant::now() + pause;
    loop {
        match asked.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => return true,
        }
    }
}

fn fold(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?;
    Ok(statement.query_row([], |_| Ok(()))?)
}

/// How long the log is, in pages.
pub(super) struct Length {
    pub(super) all: i64,
    /// What is not folded yet.
    pub(super) behind: i64,
}

impl Length {
    pub(super) fn of(connection: &Connection) -> Result<Self, StoreError> {
        let mut statement = connection.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?;
        Ok(statement.query_row([], |row| {
            let all = row.get(1)?;
            Ok(Self {
                all,
                behind: all - row.get::<_, i64>(2)?,
            })
        })?)
    }
}

/// The thread that folds.
pub(super) struct Checkpoints {
    ask: Option<SyncSender<()>>,
    /// Commits since the log was looked at.
    commits: u32,
    failure: Arc<Mutex<Option<StoreError>>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts it. From now on the writer folds the log only when it is long, and by hand: what SQLite does within a commit
    /// tells of no error.
    pub(super) fn start(checkpointer: Checkpointer, writer: &Connection) -> Result<Self, OpenError> {
        let (ask, asked) = sync_channel(1);
        let failure = Arc::<Mutex<Option<StoreError>>>::default();
        let noted = Arc::clone(&failure);
        let thread = std::thread::Builder::new()
            .name("engine-log".to_owned())
            .spawn(move || checkpointer.run(&asked, &noted))
            .map_err(OpenError::Thread)?;
        writer
            .pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))
            .map_err(StoreError::from)?;
        Ok(Self {
            ask: Some(ask),
            commits: 0,
            failure,
            thread: Some(thread),
        })
    }

    /// Ends it, after what it was asked for.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub(super) fn stop(mut self) -> Result<(), StoreError> {
        self.join();
        self.check()
    }

    fn join(&mut self) {
        drop(self.ask.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    /// # Errors
    /// Folding failed before, in a way after which nothing can be known of the file.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.failure.lock().as_ref() {
            Some(error) => Err(error.repeat()),
            None => Ok(()),
        }
    }

    /// Notes a commit, and looks now and then whether there is enough to fold. What fails is told by [`Self::check`]: the
    /// commit stands.
    pub(super) fn committed(&mut self, writer: &Connection) {
        self.commits += 1;
        if self.commits < COMMITS {
            return;
        }
        self.commits = 0;
        let looked = Length::of(writer).and_then(|log| {
            if log.behind >= BEHIND
                && let Some(ask) = &self.ask
            {
                // Where it was asked already, it will look.
                let _ = ask.try_send(());
            }
            if log.all >= LONG { fold(writer) } else { Ok(()) }
        });
        // Of what may pass the thread beside tells, which takes its time.
        if let Err(error) = looked
            && error.is_io()
        {
            self.failure.lock().get_or_insert(error);
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.join();
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;
    use tempfile::TempDir;

    use super::*;
    use crate::config::Config;
    use crate::store::recorder::{Op, Recorder};
    use crate::store::{DATABASE_FILE, Store};

    #[test]
    fn a_long_log_is_folded_by_the_writer_and_it_sees_when_that_fails() {
        let directory = TempDir::new().unwrap();
        let config = Config::new(directory.path().join("data"));
        let recorder = Recorder::register();
        let mut store = Store::open_on(&config, 1_780_000_000_000, Some(recorder.name())).unwrap();
        let off = |_: &rusqlite::Row<'_>| Ok(());
        store
            .connection()
            .pragma_update_and_check(None, "wal_autocheckpoint", 0, off)
            .unwrap();
        // Nobody folds beside it.
        let mut checkpoints = Checkpoints {
            ask: None,
            commits: 0,
            failure: Arc::default(),
            thread: None,
        };
        let database = |op: &Op| matches!(op, Op::Sync { file } if file == DATABASE_FILE);
        let mut folds = |failing: bool| {
            store.begin().unwrap();
            let sql = "INSERT OR REPLACE INTO meta (key, value) VALUES ('long', randomblob(34000000))";
            store.connection().execute(sql, []).unwrap();
            store.commit().unwrap();
            let length = Length::of(store.connection()).unwrap().all;
            assert!(length >= LONG, "{length} pages");
            let before = recorder.ops().iter().filter(|op| database(op)).count();
            if failing {
                recorder.fail(Some(Box::new(move |op| {
                    database(op).then_some(ffi::SQLITE_IOERR_FSYNC)
                })));
            }
            checkpoints.commits = COMMITS - 1;
            checkpoints.committed(store.connection());
            recorder.fail(None);
            let after = recorder.ops().iter().filter(|op| database(op)).count();
            (after - before, checkpoints.check().is_err())
        };
        assert_eq!(folds(false), (1, false));
        assert_eq!(folds(true), (0, true));
    }
}
