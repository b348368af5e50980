//! What can go wrong with the database, and what to do about it.

use std::path::PathBuf;

/// A failure of the store while it runs. The transaction that it happened in has left no trace.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A stored model could not be read or compiled again.
    #[error("the model of process definition {definition} could not be loaded: {reason}")]
    Model {
        /// The definition's key.
        definition: i64,
        /// Why.
        reason: String,
    },
    /// A command changed more than it may.
    #[error("the command gave {given} ids, more than the {allowed} that were set aside for it")]
    TooManyIds {
        /// How many it gave.
        given: u32,
        /// How many were set aside.
        allowed: u32,
    },
    /// SQLite has ended the transaction of its own accord.
    #[error("the database gave the whole transaction up")]
    TransactionLost,
    /// A write or sync failed, after which nothing can be known of the file: no further command is taken.
    #[error(
        "writing the database failed before ({0}): the engine takes no more commands. Check the disk, then start it \
         again; all that was acknowledged is safe"
    )]
    Broken(String),
    /// The writer's thread ended by a bug.
    #[error("the writer has died; all that was acknowledged is safe")]
    WriterDied,
}

impl StoreError {
    /// Whether SQLite could not write or sync: after that, the state of the file is unknown until it is recovered.
    #[must_use]
    pub fn is_io(&self) -> bool {
        matches!(
            self,
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _))
                if matches!(error.code, rusqlite::ErrorCode::SystemIoFailure | rusqlite::ErrorCode::DatabaseCorrupt)
        )
    }

    /// The same error once more, for each command of a group that failed as a whole.
    #[must_use]
    pub(crate) fn repeat(&self) -> Self {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, message)) => {
                Self::Sqlite(rusqlite::Error::SqliteFailure(*error, message.clone()))
            }
            Self::Sqlite(error) => Self::Broken(error.to_string()),
            Self::Model { definition, reason } => Self::Model {
                definition: *definition,
                reason: reason.clone(),
            },
            Self::TooManyIds { given, allowed } => Self::TooManyIds {
                given: *given,
                allowed: *allowed,
            },
            Self::Broken(reason) => Self::Broken(reason.clone()),
            Self::TransactionLost => Self::TransactionLost,
            Self::WriterDied => Self::WriterDied,
        }
    }
}

/// Whether SQLite says that the file itself is wrong.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// Why an engine could not be opened. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory cannot be used.
    #[error("the data directory {path} cannot be used: {source}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("the data directory {path} is in use by another engine: stop that one first, or choose another --data-dir")]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// The file is no database of ours.
    #[error("{path} is not a database of this engine: choose another --data-dir, or move that file away")]
    Foreign {
        /// Which.
        path: PathBuf,
    },
    /// A newer engine has written it.
    #[error(
        "{path} has schema version {found}, and this engine knows versions up to {known}: start it with the newer \
         engine that wrote it, or restore a backup made before the upgrade"
    )]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// The file is damaged.
    #[error(
        "{path} is damaged: {detail}. Keep a copy of the whole directory, then restore a backup (the files {file}, \
         {file}-wal and {file}-shm belong together: a database without its -wal file may look damaged)",
        file = crate::store::DATABASE_FILE
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// The SQLite that is linked has known ways to lose data.
    #[error("SQLite {found} is linked, and at least 3.51.3 is needed: build the engine with its bundled SQLite")]
    SqliteTooOld {
        /// Its version.
        found: &'static str,
    },
    /// Any other failure of the database.
    #[error("the database {path} could not be opened: {source}")]
    Sqlite {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The rest of the start failed.
    #[error("the store could not be started: {0}")]
    Store(#[from] StoreError),
    /// The delegates' address or token file cannot be used.
    #[error("delegates cannot be called: {0}")]
    Delegates(String),
    /// No thread could be started.
    #[error("no thread could be started: {0}")]
    Thread(#[source] std::io::Error),
}
