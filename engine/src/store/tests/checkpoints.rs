//! The log is folded beside the writer: when enough has come together, and without the writer.

use rusqlite::params;

use super::{directory, open};
use crate::store::Store;
use crate::store::checkpoint::Length;

/// Commits so many rows of two pages or more, one by one.
fn write(store: &mut Store, from: i64, rows: i64) {
    for key in from..from + rows {
        store.begin().unwrap();
        let mut insert = store
            .connection()
            .prepare_cached("INSERT INTO meta (key, value) VALUES (?1, zeroblob(3000))")
            .unwrap();
        insert.execute(params![format!("page {key}")]).unwrap();
        drop(insert);
        store.commit().unwrap();
    }
}

#[test]
fn a_log_is_folded_when_enough_has_come_together() {
    let (_directory, config) = directory();
    let mut store = open(&config);
    store.fold_beside(None).unwrap();
    write(&mut store, 0, 100);
    store.stop_folding().unwrap();
    let log = Length::of(store.connection()).unwrap();
    assert_eq!(log.behind, log.all, "a little is not worth it");

    store.fold_beside(None).unwrap();
    write(&mut store, 100, 2_000);
    // It ends after what it was asked for.
    store.stop_folding().unwrap();
    let log = Length::of(store.connection()).unwrap();
    assert!(log.behind < 2_200, "of 4,200 pages {} are not folded", log.behind);
    let rows = "SELECT count(*) FROM meta WHERE key LIKE 'page %'";
    let count: i64 = store.connection().query_row(rows, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2_100);
}
