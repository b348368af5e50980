//! A copy of a database that an engine may be writing meanwhile, and the examination of one.
//!
//! The copy is one snapshot: all that was committed when it began, and nothing else. It is compact, it is on disk when
//! [`backup`] returns, and it appears under its name whole or not at all. To restore it, put it as
//! [`super::DATABASE_FILE`] into an empty data directory.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::open::{self, DATABASE_FILE};
use super::{OpenError, error};

/// More problems than this say nothing new.
const PROBLEMS_MAX: usize = 100;

/// Why there is no backup. Nothing was written, and what was there is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no database.
    #[error("{path} does not exist: --data-dir must be the folder of an engine that has been started before")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The target exists.
    #[error("{path} exists and is not overwritten: choose another name, or move it away")]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// The copy cannot be written.
    #[error("the backup {path} cannot be written: {reason}")]
    Write {
        /// The target.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What was found in a database.
#[derive(Debug)]
pub struct Examination {
    /// The file.
    pub path: PathBuf,
    /// The version of its schema; none where the damage hides it.
    pub schema_version: Option<i64>,
    /// Running instances, open external tasks, jobs, and instances in history.
    pub counts: Vec<(&'static str, i64)>,
    /// What is wrong: SQLite's findings, then rows that miss what they refer to. Empty: it is sound. At most 100.
    pub problems: Vec<String>,
}

/// Copies the database of a data directory into a new file, whether an engine runs on it or not. Returns the copy's size
/// in bytes.
///
/// # Errors
/// See [`BackupError`].
pub fn backup(data_dir: &Path, target: &Path) -> Result<u64, BackupError> {
    let source = data_dir.join(DATABASE_FILE);
    if !source.exists() {
        return Err(BackupError::Missing { path: source });
    }
    if target.exists() {
        return Err(BackupError::Exists {
            path: target.to_owned(),
        });
    }
    let (connection, _) = read_only(&source)?;
    let failed = |reason: String| BackupError::Write {
        path: target.to_owned(),
        reason,
    };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Private like the data directory, and gone if anything fails.
    let part = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(error.to_string()))?;
    let name = part
        .path()
        .to_str()
        .ok_or_else(|| failed("its path is not UTF-8".to_owned()))?;
    connection
        .execute("VACUUM INTO ?1", [name])
        .map_err(|error| match error::is_damage(&error) {
            true => open::explain(&source, error).into(),
            false => failed(error.to_string()),
        })?;
    part.as_file().sync_all().map_err(|error| failed(error.to_string()))?;
    let file = part
        .persist_noclobber(target)
        .map_err(|error| match error.error.kind() {
            std::io::ErrorKind::AlreadyExists => BackupError::Exists {
                path: target.to_owned(),
            },
            _ => failed(error.error.to_string()),
        })?;
    // The name is on disk too.
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .and_then(|()| file.metadata())
        .map(|metadata| metadata.len())
        .map_err(|error| failed(error.to_string()))
}

/// Examines a database, or that of a data directory: every page, every index, and whether each row has what it refers to.
///
/// # Errors
/// It cannot be opened, or is not ours. Damage is not an error but a problem of the examination.
pub fn examine(path: &Path) -> Result<Examination, OpenError> {
    let path = match path.is_dir() {
        true => path.join(DATABASE_FILE),
        false => path.to_owned(),
    };
    let found = |schema_version, counts, problems| Examination {
        path: path.clone(),
        schema_version,
        counts,
        problems,
    };
    let (connection, schema_version) = match read_only(&path) {
        Err(OpenError::Damaged { detail, .. }) => return Ok(found(None, Vec::new(), vec![detail])),
        opened => opened?,
    };
    let mut problems = integrity(&connection).unwrap_or_else(|error| vec![error.to_string()]);
    // Rows of a damaged file prove nothing.
    let mut counts = Vec::new();
    if problems.is_empty() {
        problems = references(&connection).map_err(|source| open::explain(&path, source))?;
        counts = count(&connection).map_err(|source| open::explain(&path, source))?;
    }
    Ok(found(Some(schema_version), counts, problems))
}

/// A connection that cannot write, and the schema's version.
fn read_only(path: &Path) -> Result<(Connection, i64), OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|source| open::explain(path, source))?;
    let version = open::known_version(path, &connection)?;
    Ok((connection, version))
}

fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({PROBLEMS_MAX})"))?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// A table, its column, and the table whose id it holds. Null refers to nothing.
const REFERENCES: &[(&str, &str, &str)] = &[
    ("resource", "deployment", "deployment"),
    ("definition", "deployment", "deployment"),
    ("decision", "deployment", "deployment"),
    ("decision", "requirements", "requirements"),
    ("requirements", "deployment", "deployment"),
    ("process_instance", "definition", "definition"),
    ("execution", "instance", "process_instance"),
    ("variable", "instance", "process_instance"),
    ("external_task", "execution", "execution"),
    ("external_task", "instance", "process_instance"),
    ("task", "execution", "execution"),
    ("job", "instance", "process_instance"),
    ("event_subscription", "instance", "process_instance"),
    ("attachment_content", "id", "attachment"),
];

fn references(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut problems = Vec::new();
    for (table, column, other) in REFERENCES {
        let sql = format!(
            "SELECT id FROM {table} t WHERE t.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {other} o WHERE \
             o.id = t.{column}) LIMIT {PROBLEMS_MAX}"
        );
        let mut statement = connection.prepare(&sql)?;
        let ids: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        problems.extend(
            ids.iter()
                .map(|id| format!("row {id} of {table}: its {column} does not exist")),
        );
    }
    problems.truncate(PROBLEMS_MAX);
    Ok(problems)
}

fn count(connection: &Connection) -> rusqlite::Result<Vec<(&'static str, i64)>> {
    [
        ("process instances", "process_instance"),
        ("external tasks", "external_task"),
        ("jobs", "job"),
        ("process instances in history", "historic_instance"),
    ]
    .into_iter()
    .map(|(name, table)| {
        let count = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        Ok((name, count))
    })
    .collect()
}
