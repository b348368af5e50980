//! Opening the database: whose it is, which version it has, and what every connection is set to.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::OpenError;
use super::log_file;

/// The database in the data directory.
pub const DATABASE_FILE: &str = "engine.db";
/// Locked by the process that has the directory.
const LOCK_FILE: &str = "engine.lock";

/// How long a directory may still be held: by an engine that is just ending, or by a process that was started by whoever
/// closed the directory, which has copies of all open files until it runs its program.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// Marks our files: `HdOf`.
const APPLICATION_ID: i64 = 0x4864_4f66;
/// The migrations; the schema version of a file is the number of those that it has seen.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/v1.sql"),
    include_str!("schema/v2.sql"),
    include_str!("schema/v3.sql"),
    include_str!("schema/v4.sql"),
    include_str!("schema/v5.sql"),
    include_str!("schema/v6.sql"),
    include_str!("schema/v7.sql"),
];

/// SQLite before this one could damage a WAL database when a checkpoint met a restart of the log.
const SQLITE_MIN: i32 = 3_051_003;

/// A page. Each page that a commit touches is written to the log as a whole, and a small commit touches a few bytes of many.
const PAGE_BYTES: u32 = 2048;
/// The page cache of the writer, in KiB. After a page was split a commit walks through all of it; what it does not have is a
/// call away, in the system's.
const WRITER_CACHE_KIB: u32 = 2 * 1024;
/// The page cache of one reader, in KiB.
const READER_CACHE_KIB: u32 = 2 * 1024;
/// Statements that a connection keeps compiled.
const STATEMENTS: usize = 256;
/// The log is cut to this size when it was longer and could start anew.
const LOG_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// The data directory, held by this process until it is dropped.
#[derive(Debug)]
pub(super) struct DataDir {
    pub(super) database: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Takes the directory; makes it (for its owner alone) if it does not exist.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Directory {
            path: path.to_owned(),
            source,
        };
        make_private(path).map_err(failed)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK_FILE))
            .map_err(failed)?;
        let until = Instant::now() + LOCK_PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        database: path.join(DATABASE_FILE),
                        _lock: lock,
                    });
                }
                Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { path: path.to_owned() }),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
    }

    /// Makes the directory's entries durable: without that, a new file may be gone after a power failure.
    pub(super) fn sync(&self) -> Result<(), OpenError> {
        let Some(path) = self.database.parent() else {
            return Ok(());
        };
        File::open(path)
            .and_then(|directory| directory.sync_all())
            .map_err(|source| OpenError::Directory {
                path: path.to_owned(),
                source,
            })
    }
}

#[cfg(unix)]
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path)
}

/// Opens the writer's connection; makes the database or brings it to the newest schema.
pub(super) fn writer(directory: &DataDir, vfs: Option<&str>) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < SQLITE_MIN {
        return Err(OpenError::SqliteTooOld {
            found: rusqlite::version(),
        });
    }
    let path = &directory.database;
    let open = || {
        let layer = log_file::over(vfs)?;
        writing(path, OpenFlags::SQLITE_OPEN_CREATE, Some(&layer))
    };
    let mut connection = open().map_err(|source| explain(path, source))?;
    prepare(path, &mut connection)?;
    directory.sync()?;
    Ok(connection)
}

/// Opens a connection that folds the log of a database that is there.
pub(super) fn checkpointer(path: &Path, vfs: Option<&str>) -> Result<Connection, OpenError> {
    let open = || {
        let connection = writing(path, OpenFlags::empty(), vfs)?;
        // A fold syncs the log, and then the database.
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(connection)
    };
    open().map_err(|source| explain(path, source))
}

fn writing(path: &Path, flags: OpenFlags, vfs: Option<&str>) -> rusqlite::Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match vfs {
        None => Connection::open_with_flags(path, flags),
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs),
    }
}

/// Opens a connection that cannot write.
pub(super) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let open = || {
        let connection =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -i64::from(READER_CACHE_KIB))?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        keep_plans(&connection)?;
        Ok(connection)
    };
    open().map_err(|source| explain(path, source))
}

fn prepare(path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let version = known_version(path, connection)?;
    configure(connection, version == 0).map_err(|source| explain(path, source))?;
    migrate(connection, version).map_err(|source| explain(path, source))
}

/// The schema version of a file, 0 for a new one; one that a newer engine has written is refused.
pub(super) fn known_version(path: &Path, connection: &Connection) -> Result<i64, OpenError> {
    let found = schema_version(path, connection)?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok(found)
}

fn schema_version(path: &Path, connection: &Connection) -> Result<i64, OpenError> {
    let read = || {
        let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((application, version, objects))
    };
    match read().map_err(|source| explain(path, source))? {
        // Also what a crash has left while the file was being made: the first schema comes in one transaction.
        (0, 0, 0) => Ok(0),
        (APPLICATION_ID, version, objects) if version > 0 && objects > 0 => Ok(version),
        _ => Err(OpenError::Foreign { path: path.to_owned() }),
    }
}

fn configure(connection: &Connection, new: bool) -> rusqlite::Result<()> {
    if new {
        // Both must come before the first page is written.
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    // One process has the directory, and the readers are its own.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    // In WAL mode only FULL syncs the log at each commit, which `log_file` depends on too.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -i64::from(WRITER_CACHE_KIB))?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_MAX, |_| Ok(()))?;
    // Damage is found where it is, and never spread by a schema that a file brings along.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    keep_plans(connection)
}

/// Keeps statements compiled. Otherwise SQLite compiles those anew, at each of their runs, of which a parameter might tell
/// whether a partial index can be used.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    for (version, sql) in (1..).zip(MIGRATIONS).skip(usize::try_from(from).unwrap_or(usize::MAX)) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

pub(super) fn explain(path: &Path, source: rusqlite::Error) -> OpenError {
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign { path: path.to_owned() },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged {
            path: path.to_owned(),
            detail: source.to_string(),
        },
        _ => OpenError::Sqlite {
            path: path.to_owned(),
            source,
        },
    }
}
