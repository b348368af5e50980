//! Folds the log into the database beside the writer, on a connection and a thread of its own: a commit does not wait for the
//! pages of the commits before it.
//!
//! SQLite lets a checkpoint and the writer work at once. The log starts anew at a write that finds all of it folded; under
//! a load without a pause that moment does not come by itself, so the writer folds what is left once the log has
//! [`LONG`] pages.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::error::{OpenError, StoreError};
use super::log::Log;
use super::open;

/// Pages of the log that are not folded yet, after which they are.
const BEHIND: i64 = 2_000;
/// The log is looked at after so many commits: SQLite compiles the question anew each time.
const COMMITS: u32 = 16;
/// Pages of the log from which on the writer folds it itself: 32 MiB.
const LONG: u32 = 16_000;
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
        let mut statement = self.0.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?;
        Ok(statement.query_row([], |_| Ok(()))?)
    }

    /// Folds each time that somebody asks and enough has come together, until nobody can ask any more.
    fn run(&self, asked: &Receiver<()>, log: &Log) {
        while asked.recv().is_ok() {
            let folded = behind(&self.0).and_then(|behind| if behind < BEHIND { Ok(()) } else { self.fold() });
            let Err(error) = folded else { continue };
            if error.is_io() {
                log.fail(error);
                return;
            }
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the log could not be folded into the database; it grows until that succeeds"
            );
            std::thread::sleep(PAUSE);
        }
    }
}

/// Pages of the log that are not folded yet.
fn behind(connection: &Connection) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?;
    Ok(statement.query_row([], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))?)
}

/// The thread that folds.
pub(super) struct Checkpoints {
    ask: Option<SyncSender<()>>,
    /// Commits since the log was looked at.
    commits: u32,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts it. From now on the writer folds the log only when it is long.
    pub(super) fn start(checkpointer: Checkpointer, writer: &Connection, log: Log) -> Result<Self, OpenError> {
        let (ask, asked) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("engine-log".to_owned())
            .spawn(move || checkpointer.run(&asked, &log))
            .map_err(OpenError::Thread)?;
        writer
            .pragma_update_and_check(None, "wal_autocheckpoint", LONG, |_| Ok(()))
            .map_err(StoreError::from)?;
        Ok(Self {
            ask: Some(ask),
            commits: 0,
            thread: Some(thread),
        })
    }

    /// Notes a commit, and looks now and then whether there is enough to fold.
    ///
    /// # Errors
    /// It could not be looked.
    pub(super) fn committed(&mut self, writer: &Connection) -> Result<(), StoreError> {
        self.commits += 1;
        if self.commits < COMMITS {
            return Ok(());
        }
        self.commits = 0;
        if behind(writer)? >= BEHIND
            && let Some(ask) = &self.ask
        {
            // Where it was asked already, it will look.
            let _ = ask.try_send(());
        }
        Ok(())
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.ask.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
