//! Whose file it is, and what is kept over a restart.

use handoff_machine::Id;
use rusqlite::Connection;

use super::{NOW, directory, open};
use crate::store::{DATABASE_FILE, OpenError, Store};

#[test]
fn a_database_keeps_its_node_and_its_settings() {
    let (_directory, config) = directory();
    let store = open(&config);
    let node = store.node();
    store.close().unwrap();
    let store = open(&config);
    assert_eq!(store.node(), node);
    let setting = |pragma: &str| -> i64 {
        let sql = format!("PRAGMA {pragma}");
        store.connection().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(setting("auto_vacuum"), 2, "incremental");
    assert_eq!(setting("synchronous"), 2, "full");
    let mode: String = store
        .connection()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn a_directory_belongs_to_one_engine() {
    let (_directory, config) = directory();
    let store = open(&config);
    assert!(matches!(Store::open(&config, NOW), Err(OpenError::InUse { .. })));
    store.close().unwrap();
    open(&config);
}

#[test]
fn a_file_of_another_program_is_refused_and_left_alone() {
    let (_directory, config) = directory();
    std::fs::create_dir_all(&config.data_dir).unwrap();
    let path = config.data_dir.join(DATABASE_FILE);
    std::fs::write(&path, "these are my notes, and no database at all").unwrap();
    assert!(matches!(Store::open(&config, NOW), Err(OpenError::Foreign { .. })));
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .starts_with("these are my notes")
    );

    std::fs::remove_file(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE notes (text TEXT)")
        .unwrap();
    assert!(matches!(Store::open(&config, NOW), Err(OpenError::Foreign { .. })));
}

#[test]
fn a_newer_schema_is_refused() {
    let (_directory, config) = directory();
    open(&config).close().unwrap();
    let connection = Connection::open(config.data_dir.join(DATABASE_FILE)).unwrap();
    connection.pragma_update(None, "user_version", 1000).unwrap();
    drop(connection);
    assert!(matches!(
        Store::open(&config, NOW),
        Err(OpenError::Newer { found: 1000, .. })
    ));
}

#[test]
fn a_damaged_file_is_refused_with_what_to_do() {
    let (_directory, config) = directory();
    open(&config).close().unwrap();
    let path = config.data_dir.join(DATABASE_FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    // The schema's own page, behind the header that says that it is a database.
    bytes[100..200].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let Err(error) = Store::open(&config, NOW) else {
        panic!("a damaged file was opened")
    };
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("restore a backup"), "{error}");
}

#[test]
fn ids_never_go_back_over_a_restart_nor_with_the_clock() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    let first = store.ids().first(NOW);
    assert_eq!(first, Id::first_at(NOW));
    store.begin().unwrap();
    store.ids().take(first, 5_000_000);
    store.commit().unwrap();
    let given = store.ids().first(NOW);
    assert!(given.0 >= first.0 + 5_000_000);
    // Without a clean end: what was written at the commit must be enough.
    drop(store);
    let mut store = open(&config);
    assert!(store.ids().first(NOW - 86_400_000) >= given);
}

#[test]
fn readers_see_what_is_committed_and_cannot_write() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    let readers = store.readers();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let count = || {
        let count = readers.read(|connection| {
            connection
                .query_row("SELECT count(*) FROM deployment", [], |row| row.get::<_, i64>(0))
                .unwrap()
        });
        runtime.block_on(count).unwrap()
    };
    store.begin().unwrap();
    store
        .connection()
        .execute("INSERT INTO deployment (id, time) VALUES (1, 2)", [])
        .unwrap();
    assert_eq!(count(), 0);
    store.commit().unwrap();
    assert_eq!(count(), 1);
    let write = readers.read(|connection| connection.execute("DELETE FROM deployment", []).is_err());
    assert!(runtime.block_on(write).unwrap());
    // A read that panics costs an answer, and no connection.
    for _ in 0..2 * config.limits.readers {
        let panics = readers.read(|_| panic!("a bug"));
        assert!(runtime.block_on(panics).is_err());
    }
    assert_eq!(count(), 1);
}

#[test]
fn a_file_of_the_first_schema_is_brought_to_the_newest() {
    let (_directory, config) = directory();
    std::fs::create_dir_all(&config.data_dir).unwrap();
    let connection = Connection::open(config.data_dir.join(DATABASE_FILE)).unwrap();
    connection.execute_batch(include_str!("../schema/v1.sql")).unwrap();
    connection
        .execute_batch("INSERT INTO deployment (id, time) VALUES (1, 2); PRAGMA application_id = 0x48644f66; PRAGMA user_version = 1;")
        .unwrap();
    drop(connection);
    let store = open(&config);
    let count = |sql: &str| -> i64 { store.connection().query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM deployment"), 1, "what was there is kept");
    assert_eq!(count("SELECT count(*) FROM attachment"), 0);
    assert_eq!(
        count("SELECT \"notnull\" FROM pragma_table_info('identity_link_log') WHERE name = 'instance'"),
        0
    );
    let newest = count("PRAGMA user_version");
    assert!(newest > 1, "{newest}");
}
