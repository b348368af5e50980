//! Fills a database as if an engine had run for long: the rows of an instance are copied, with other ids.
//!
//! Nothing here knows the schema. The ids that an engine has given while a template was made are a range of integers
//! so large that nothing else is in it, instants included: a row whose key is in the range belongs to the template, and
//! a column with such a value holds ids. A copy gets ids of its own behind all that were given, in the same order.
//!
//! The engine must not run meanwhile. `handoff engine check` says whether what comes of it is sound.

use std::{collections::BTreeSet, ops::Range, path::Path, process::Command};

use anyhow::{Context, Result, bail, ensure};
use handoff_harness::Engine;
use rusqlite::{Connection, params};

/// Copies that are written by one statement.
const CHUNK: u32 = 20_000;
/// The column of which each copy has a value of its own: the template's, a hyphen and the number of the copy.
const NUMBERED: &str = "business_key";
/// The page cache, in KiB.
const CACHE_KIB: i64 = 256 * 1024;

/// The ids that were given while `make` ran on an engine, which is stopped before and after it.
pub(super) fn ids_of(engine: &mut Engine, make: impl FnOnce(&Engine) -> Result<()>) -> Result<Range<i64>> {
    let first = next_id(&open(&database(engine))?)?;
    engine.restart()?;
    make(engine)?;
    engine.stop()?;
    Ok(first..next_id(&open(&database(engine))?)?)
}

/// The database of an engine.
pub(super) fn database(engine: &Engine) -> std::path::PathBuf {
    engine.data_dir().join("engine.db")
}

/// Copies the rows with these ids so many times, into the database of a stopped engine.
pub(super) fn copy(database: &Path, template: &Range<i64>, copies: u32) -> Result<()> {
    let connection = open(database)?;
    // Whatever goes wrong, the file is thrown away.
    connection.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    let mut filler = Filler {
        connection,
        template: template.clone(),
        ids: BTreeSet::new(),
    };
    filler.copy(copies)?;
    drop(filler);
    Ok(std::fs::File::open(database)?.sync_all()?)
}

/// Has the engine's own examination look at a database.
pub(super) fn check(handoff: &Path, database: &Path) -> Result<()> {
    let output = Command::new(handoff)
        .args(["engine", "check"])
        .arg(database)
        .output()
        .with_context(|| format!("run {} engine check", handoff.display()))?;
    let said = [output.stdout, output.stderr].concat();
    ensure!(
        output.status.success(),
        "the filled database is not sound: {}",
        String::from_utf8_lossy(&said)
    );
    Ok(())
}

/// A connection to the database of a stopped engine.
pub(super) fn open(database: &Path) -> Result<Connection> {
    Connection::open_with_flags(database, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE)
        .with_context(|| format!("open {}", database.display()))
}

/// The id that a stopped engine will give next.
fn next_id(connection: &Connection) -> Result<i64> {
    let sql = "SELECT value FROM meta WHERE key = 'ids'";
    connection.query_row(sql, [], |row| row.get(0)).context("the next id")
}

struct Filler {
    connection: Connection,
    template: Range<i64>,
    /// All ids of the template.
    ids: BTreeSet<i64>,
}

/// A table that has rows of the template.
struct Source {
    name: String,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    is_id: bool,
}

impl Filler {
    fn copy(&mut self, copies: u32) -> Result<()> {
        let mut sources = Vec::new();
        for (table, key) in self.tables()? {
            if let Some(source) = self.source(table, &key)? {
                sources.push(source);
            }
        }
        if sources.is_empty() {
            bail!("no row has an id of the template");
        }
        self.connection
            .execute_batch("CREATE TEMP TABLE rank (id INTEGER PRIMARY KEY, rank INTEGER NOT NULL)")?;
        for (rank, id) in (0_i64..).zip(&self.ids) {
            let sql = "INSERT INTO temp.rank VALUES (?1, ?2)";
            self.connection.execute(sql, params![id, rank])?;
        }
        let first = next_id(&self.connection)?;
        let width = i64::try_from(self.ids.len())?;
        for source in &sources {
            self.copy_table(source, first, width, copies)
                .with_context(|| format!("fill {}", source.name))?;
        }
        let next = first + width * i64::from(copies);
        self.connection
            .execute("UPDATE meta SET value = ?1 WHERE key = 'ids'", [next])?;
        Ok(())
    }

    /// All tables with an integer as their key.
    fn tables(&self) -> Result<Vec<(String, String)>> {
        let sql = "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
                   WHERE t.type = 'table' AND c.pk = 1 AND c.type = 'INTEGER' ORDER BY t.name";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps a table's rows of the template aside, if it has any.
    fn source(&mut self, table: String, key: &str) -> Result<Option<Source>> {
        let Range { start, end } = self.template;
        let sql = format!("SELECT * FROM {table} WHERE {key} >= ?1 AND {key} < ?2");
        let mut statement = self.connection.prepare(&sql)?;
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut columns: Vec<Column> = names.into_iter().map(|name| Column { name, is_id: false }).collect();
        let mut rows = statement.query([start, end])?;
        let mut any = false;
        while let Some(row) = rows.next()? {
            any = true;
            for (place, column) in columns.iter_mut().enumerate() {
                if let rusqlite::types::ValueRef::Integer(value) = row.get_ref(place)?
                    && self.template.contains(&value)
                {
                    column.is_id = true;
                    self.ids.insert(value);
                }
            }
        }
        drop(rows);
        drop(statement);
        if !any {
            return Ok(None);
        }
        let sql = format!(
            "CREATE TEMP TABLE source_{table} AS SELECT * FROM main.{table} \
             WHERE {key} >= {start} AND {key} < {end} ORDER BY {key}"
        );
        self.connection.execute_batch(&sql)?;
        Ok(Some(Source { name: table, columns }))
    }

    fn copy_table(&self, source: &Source, first: i64, width: i64, copies: u32) -> Result<()> {
        let Source { name: table, columns } = source;
        for column in columns.iter().filter(|column| column.is_id) {
            let column = &column.name;
            // A null refers to nothing; any other value that is no id of the template ends it here.
            let sql = format!(
                "UPDATE temp.source_{table} AS source SET {column} = (SELECT rank FROM temp.rank r WHERE r.id = source.{column}) \
                 WHERE {column} IN (SELECT id FROM temp.rank)"
            );
            self.connection.execute(&sql, [])?;
            let sql = format!("SELECT count(*) FROM temp.source_{table} WHERE {column} >= ?1");
            let others: i64 = self.connection.query_row(&sql, [width], |row| row.get(0))?;
            ensure!(others == 0, "{column} has ids of the template and others");
        }
        let values: Vec<String> = columns.iter().map(Column::of_copy).collect();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        // Copy after copy, and within one in the order of ids: each row goes to the end of its table.
        let sql = format!(
            "WITH RECURSIVE copies (number) AS (SELECT ?3 UNION ALL SELECT number + 1 FROM copies WHERE number < ?4 - 1) \
             INSERT INTO main.{table} ({}) SELECT {} FROM copies CROSS JOIN temp.source_{table} source",
            names.join(", "),
            values.join(", ")
        );
        let mut statement = self.connection.prepare(&sql)?;
        for from in (0..copies).step_by(CHUNK as usize) {
            let until = copies.min(from + CHUNK);
            self.connection.execute_batch("BEGIN")?;
            statement.execute(params![first, width, from, until])?;
            self.connection.execute_batch("COMMIT")?;
        }
        Ok(())
    }
}

impl Column {
    /// What a copy has in it.
    fn of_copy(&self) -> String {
        let name = &self.name;
        if self.is_id {
            format!("?1 + ?2 * copies.number + source.{name}")
        } else if name == NUMBERED {
            format!("source.{name} || '-' || copies.number")
        } else {
            format!("source.{name}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: i64 = 1 << 60;

    fn database(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        let sql = "CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
             CREATE TABLE instance (id INTEGER PRIMARY KEY, definition INTEGER, super INTEGER, time INTEGER, \
             business_key TEXT) STRICT;
             CREATE TABLE variable (id INTEGER PRIMARY KEY, instance INTEGER, value ANY) STRICT;
             CREATE TABLE untouched (id INTEGER PRIMARY KEY) STRICT;";
        connection.execute_batch(sql).unwrap();
        let rows = format!(
            "INSERT INTO meta VALUES ('ids', {GIVEN} + 50);
             INSERT INTO untouched VALUES ({GIVEN} - 5);
             INSERT INTO instance VALUES ({GIVEN} + 3, {GIVEN} - 5, NULL, 1780000000000, 'key');
             INSERT INTO variable VALUES ({GIVEN} + 7, {GIVEN} + 3, 41), ({GIVEN} + 9, {GIVEN} + 3, 'x');"
        );
        connection.execute_batch(&rows).unwrap();
        connection
    }

    fn rows(connection: &Connection, sql: &str) -> Vec<(i64, Option<i64>, String)> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn a_copy_has_ids_of_its_own_and_refers_to_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.db");
        drop(database(&path));
        copy(&path, &(GIVEN..GIVEN + 50), 2).unwrap();
        let connection = open(&path).unwrap();
        let found = rows(
            &connection,
            "SELECT id, super, definition || ' ' || time || ' ' || business_key FROM instance ORDER BY id",
        );
        let of = |key: &str| format!("{} 1780000000000 {key}", GIVEN - 5);
        // Three ids each: of the instance, and of its two variables.
        let expected = [
            (GIVEN + 3, None, of("key")),
            (GIVEN + 50, None, of("key-0")),
            (GIVEN + 53, None, of("key-1")),
        ];
        assert_eq!(found, expected);
        let found = rows(&connection, "SELECT id, instance, '' FROM variable ORDER BY id");
        let ids: Vec<_> = found
            .iter()
            .skip(2)
            .map(|(id, instance, _)| (id - GIVEN, instance.map(|id| id - GIVEN)))
            .collect();
        let expected = [(51, Some(50)), (52, Some(50)), (54, Some(53)), (55, Some(53))];
        assert_eq!(ids, expected);
        assert_eq!(next_id(&connection).unwrap(), GIVEN + 56);
        let untouched: i64 = connection
            .query_row("SELECT count(*) FROM untouched", [], |row| row.get(0))
            .unwrap();
        assert_eq!(untouched, 1);
    }

    #[test]
    fn without_rows_there_is_nothing_to_copy() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.db");
        drop(database(&path));
        assert!(copy(&path, &(GIVEN + 20..GIVEN + 50), 2).is_err());
    }
}
