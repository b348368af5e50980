//! The embedded store: one SQLite database in WAL mode, one connection that writes, a few that read.
//!
//! Invariant: a commit is on disk when [`Store::commit`] returns (`synchronous=FULL`). What is answered to anyone, and
//! what changes in memory, follows a commit.
//! Invariant: a transaction is committed whole or not at all. Some errors of SQLite end the whole transaction and not
//! only the statement; [`Store::rollback`] can be called in any state, and after it no transaction is open.

mod apply;
pub mod backup;
mod checkpoint;
pub mod error;
pub mod field;
pub(crate) mod ids;
mod log_file;
mod models;
mod offer;
mod open;
mod prepared;
mod readers;
#[cfg(test)]
pub(crate) mod recorder;
mod residents;
pub mod row;
pub mod value;
pub(crate) mod view;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::sync::Arc;

use handoff_machine::delta::Change;
use handoff_machine::{Id, Millis, Node};
use rusqlite::{Connection, OptionalExtension as _, params};

use self::apply::{Applier, FirstDetails};
use self::checkpoint::{Checkpointer, Checkpoints};
pub use self::error::{OpenError, StoreError};
use self::ids::IdSource;
pub use self::models::ModelCache;
use self::models::Uncommitted;
pub use self::open::DATABASE_FILE;
use self::open::DataDir;
use self::prepared::Prepared;
pub use self::readers::{ReadRefused, ReaderPool};
use self::residents::Residents;
use self::view::{Findings, Guard, StoreView};
use crate::config::{Config, HistoryLevel};

/// A point at which a test may make the store fail.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultPoint {
    /// Before a change is applied.
    Apply,
    /// Before a commit.
    Commit,
}

/// Decides whether the store fails.
#[cfg(test)]
pub(crate) type Faults = Box<dyn FnMut(FaultPoint) -> Option<rusqlite::Error> + Send>;

/// The writer's side of the store. There is one.
pub(crate) struct Store {
    prepared: Prepared,
    models: Arc<ModelCache>,
    uncommitted: Uncommitted,
    residents: RefCell<Residents>,
    ids: IdSource,
    level: HistoryLevel,
    node: Node,
    readers: ReaderPool,
    /// None: the writer folds the log itself.
    checkpoints: Option<Checkpoints>,
    #[cfg(test)]
    pub(crate) faults: Option<Faults>,
    // Dropped last: the directory is free when the connections are closed.
    directory: DataDir,
}

impl Store {
    /// Opens the database, or makes it.
    pub(crate) fn open(config: &Config, now: Millis) -> Result<Self, OpenError> {
        Self::open_on(config, now, None)
    }

    /// Opens the database with a file system layer of SQLite's (a VFS), by its name; none is the system's.
    pub(crate) fn open_on(config: &Config, now: Millis, vfs: Option<&str>) -> Result<Self, OpenError> {
        let directory = DataDir::take(&config.data_dir)?;
        let connection = open::writer(&directory, vfs)?;
        let failed = |source| OpenError::Sqlite {
            path: directory.database.clone(),
            source,
        };
        let node = load_node(&connection, now).map_err(failed)?;
        let ids = IdSource::load(&connection).map_err(failed)?;
        let models = Arc::new(ModelCache::new(config.limits.cached_models));
        let readers = ReaderPool::open(&directory.database, &config.limits, Arc::clone(&models))?;
        Ok(Self {
            prepared: Prepared::new(connection),
            models,
            uncommitted: Uncommitted::default(),
            residents: RefCell::new(Residents::new(config.limits.resident_bytes)),
            ids,
            level: config.history,
            node,
            readers,
            checkpoints: None,
            #[cfg(test)]
            faults: None,
            directory,
        })
    }

    /// Folds the log beside the writer from now on, and no longer within its commits.
    pub(crate) fn fold_beside(&mut self, vfs: Option<&str>) -> Result<(), OpenError> {
        let checkpointer = Checkpointer::open(&self.directory.database, vfs)?;
        self.checkpoints = Some(Checkpoints::start(checkpointer, self.connection())?);
        Ok(())
    }

    /// Ends what [`Store::fold_beside`] has begun, after what it was asked for.
    ///
    /// # Errors
    /// It has failed, in a way after which nothing more may be written.
    fn stop_folding(&mut self) -> Result<(), StoreError> {
        self.checkpoints.take().map_or(Ok(()), Checkpoints::stop)
    }

    /// Folds the log once, as it is done beside the writer.
    #[cfg(test)]
    pub(crate) fn fold_once(&self, vfs: Option<&str>) {
        let checkpointer = Checkpointer::open(&self.directory.database, vfs).unwrap();
        checkpointer.fold().unwrap();
    }

    pub(crate) fn node(&self) -> Node {
        self.node
    }

    pub(crate) fn readers(&self) -> ReaderPool {
        self.readers.clone()
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.prepared.connection()
    }

    pub(crate) fn ids(&mut self) -> &mut IdSource {
        &mut self.ids
    }

    /// The machine's view within the open transaction.
    pub(crate) fn view<'s>(&'s self, guard: &'s dyn Guard, findings: &'s Findings) -> StoreView<'s> {
        StoreView {
            connection: self.connection(),
            models: &self.models,
            uncommitted: &self.uncommitted,
            residents: Some(&self.residents),
            guard,
            findings,
        }
    }

    /// A definition as the open transaction sees it.
    pub(crate) fn definition(&self, id: Id) -> Result<Option<Arc<handoff_machine::view::Definition>>, StoreError> {
        if self.uncommitted.contains(id) {
            self.models.changed(self.connection(), id)
        } else {
            self.models.definition(self.connection(), id)
        }
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// SQLite refuses; or the log could not be folded, in a way after which nothing more may be written.
    pub(crate) fn begin(&mut self) -> Result<(), StoreError> {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.check()?;
        }
        Ok(self.prepared.execute("BEGIN IMMEDIATE", []).map(drop)?)
    }

    /// Writes changes into the open transaction.
    ///
    /// # Errors
    /// The transaction must be rolled back: some of the changes may be in it, or it is gone already.
    pub(crate) fn apply(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let first_details = FirstDetails::among(changes, self.level);
        for change in changes {
            #[cfg(test)]
            self.fault(FaultPoint::Apply)?;
            self.applier(&first_details).apply(change)?;
            self.residents.borrow_mut().follow(change);
        }
        self.residents.borrow_mut().applied();
        Ok(())
    }

    fn applier<'s>(&'s self, first_details: &'s FirstDetails) -> Applier<'s> {
        Applier {
            prepared: &self.prepared,
            first_details,
            uncommitted: &self.uncommitted,
            residents: &self.residents,
            level: self.level,
        }
    }

    /// Removes, in the open transaction, the history of at most `max` instances and batches whose time is over, and gives
    /// at most `pages` free pages back to the file system. Returns how many were removed, and whether there may be more.
    ///
    /// # Errors
    /// The transaction must be rolled back.
    pub(crate) fn remove_expired(&mut self, now: Millis, max: usize, pages: u32) -> Result<(u64, bool), StoreError> {
        let removed = self.applier(&FirstDetails::default()).remove_expired(now, max.max(1))?;
        let mut more = removed >= max.max(1);
        let free: u32 = self
            .connection()
            .query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
        if free > 0 {
            // Each row that it returns is a page.
            let mut vacuum = self
                .connection()
                .prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut rows = vacuum.raw_query();
            while rows.next()?.is_some() {}
            more |= free > pages;
        }
        Ok((removed as u64, more))
    }

    /// How often a job was about to call a delegate; 0 if there is no such job.
    pub(crate) fn attempts(&self, job: Id) -> Result<u32, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT attempts FROM job WHERE id = ?1")?;
        Ok(statement.query_row([job.0], |row| row.get(0)).optional()?.unwrap_or(0))
    }

    /// Whether there is such a job, with retries, that is not suspended.
    pub(crate) fn can_run(&self, job: Id) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM job WHERE id = ?1 AND retries > 0 AND suspended = 0";
        Ok(self.connection().prepare_cached(sql)?.exists([job.0])?)
    }

    /// Notes, in the open transaction, that a job is about to call a delegate.
    pub(crate) fn note_attempt(&mut self, job: Id) -> Result<(), StoreError> {
        let sql = "UPDATE job SET attempts = attempts + 1 WHERE id = ?1";
        Ok(self.prepared.execute(sql, [job.0]).map(drop)?)
    }

    /// Commits. When this returns, all of the transaction is on disk.
    ///
    /// # Errors
    /// Nothing of it is; the transaction must be rolled back.
    pub(crate) fn commit(&mut self) -> Result<(), StoreError> {
        #[cfg(test)]
        self.fault(FaultPoint::Commit)?;
        self.ids.write(self.prepared.connection())?;
        self.prepared.execute("COMMIT", [])?;
        self.ids.finished(true);
        let changed = self.uncommitted.take();
        if !changed.is_empty() {
            self.models.forget(&changed);
        }
        if let Some(checkpoints) = &mut self.checkpoints {
            checkpoints.committed(self.prepared.connection());
        }
        Ok(())
    }

    /// Whether the transaction is still open: some errors end it, whoever has seen them.
    pub(crate) fn check_transaction(&self) -> Result<(), StoreError> {
        if self.connection().is_autocommit() {
            Err(StoreError::TransactionLost)
        } else {
            Ok(())
        }
    }

    /// Ends the transaction without a trace, whether SQLite has ended it already or not.
    pub(crate) fn rollback(&mut self) -> Result<(), StoreError> {
        self.ids.finished(false);
        self.uncommitted.take();
        self.residents.get_mut().forget();
        if !self.connection().is_autocommit() {
            self.prepared.execute("ROLLBACK", [])?;
        }
        Ok(())
    }

    /// Folds the log into the database, and empties it if readers let it.
    pub(crate) fn checkpoint(&self) -> Result<(), StoreError> {
        Ok(self
            .connection()
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Closes the store: notes the ids that were given, and folds the log into the database.
    pub(crate) fn close(mut self) -> Result<(), StoreError> {
        self.stop_folding()?;
        self.ids.close(self.connection())?;
        self.checkpoint()
    }

    #[cfg(test)]
    fn fault(&mut self, point: FaultPoint) -> Result<(), StoreError> {
        match self.faults.as_mut().and_then(|faults| faults(point)) {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}

/// The node of a database: drawn when it is made, and never changed.
fn load_node(connection: &Connection, now: Millis) -> rusqlite::Result<Node> {
    let stored: Option<i64> = connection
        .query_row("SELECT value FROM meta WHERE key = 'node'", [], |row| row.get(0))
        .optional()?;
    if let Some(bits) = stored {
        return Ok(Node::new(bits as u64));
    }
    let node = Node::new(rand::random());
    connection.execute(
        "INSERT INTO meta (key, value) VALUES ('node', ?1), ('created', ?2)",
        params![node.bits() as i64, now],
    )?;
    Ok(node)
}
