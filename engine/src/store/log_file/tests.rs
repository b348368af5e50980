use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::*;
use crate::store::recorder::{Op, Recorder};

/// A file in memory that can have no room.
#[derive(Default)]
struct Disk {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Disk {
    fn put(&mut self, bytes: &[u8], at: i64) -> c_int {
        if self.is_full {
            return ffi::SQLITE_FULL;
        }
        let at = usize::try_from(at).unwrap();
        self.bytes.resize(self.bytes.len().max(at + bytes.len()), 0);
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        ffi::SQLITE_OK
    }
}

/// What a reader behind the layer gets.
fn seen(gathered: &mut Gathered, disk: &mut Disk, range: Range<usize>) -> Vec<u8> {
    let mut into = vec![0; range.len()];
    match gathered.read(&mut into, range.start as i64) {
        Held::All => return into,
        Held::Part => assert_eq!(gathered.flush(|bytes, at| disk.put(bytes, at)), ffi::SQLITE_OK),
        Held::Nothing => {}
    }
    for (to, from) in into.iter_mut().zip(disk.bytes.iter().skip(range.start)) {
        *to = *from;
    }
    into
}

proptest! {
    #[test]
    fn what_is_read_is_what_was_written_wherever_it_is(
        steps in prop::collection::vec((0_usize..400, 1_usize..120, any::<u8>(), 0_u8..8), 1..60)
    ) {
        let (mut gathered, mut disk, mut plain) = (Gathered::default(), Disk::default(), Disk::default());
        for (place, size, byte, what) in steps {
            match what {
                0 => prop_assert_eq!(gathered.flush(|bytes, at| disk.put(bytes, at)), ffi::SQLITE_OK),
                1 | 2 => {
                    let end = (place + size).min(plain.bytes.len());
                    if place < end {
                        prop_assert_eq!(&seen(&mut gathered, &mut disk, place..end), &plain.bytes[place..end]);
                    }
                }
                // What follows the last one, as in a log, or any place.
                _ => {
                    let at = if what < 6 { gathered.end().max(0) } else { place as i64 };
                    let bytes = vec![byte; size];
                    prop_assert_eq!(gathered.write(&bytes, at, |bytes, at| disk.put(bytes, at)), ffi::SQLITE_OK);
                    plain.put(&bytes, at);
                }
            }
            let size = disk.bytes.len().max(usize::try_from(gathered.end()).unwrap());
            prop_assert_eq!(size, plain.bytes.len());
        }
        gathered.flush(|bytes, at| disk.put(bytes, at));
        prop_assert_eq!(disk.bytes, plain.bytes);
    }
}

#[test]
fn what_could_not_be_written_never_is() {
    let (mut gathered, mut disk) = (Gathered::default(), Disk::default());
    let write = |gathered: &mut Gathered, disk: &mut Disk, bytes: &[u8], at| {
        gathered.write(bytes, at, |bytes, at| disk.put(bytes, at))
    };
    assert_eq!(write(&mut gathered, &mut disk, b"kept", 0), ffi::SQLITE_OK);
    assert_eq!(gathered.flush(|bytes, at| disk.put(bytes, at)), ffi::SQLITE_OK);

    disk.is_full = true;
    assert_eq!(write(&mut gathered, &mut disk, b"refused", 4), ffi::SQLITE_OK);
    assert_eq!(gathered.flush(|bytes, at| disk.put(bytes, at)), ffi::SQLITE_FULL);
    disk.is_full = false;
    assert!(gathered.is_lost());
    assert_eq!(write(&mut gathered, &mut disk, b"behind", 11), ffi::SQLITE_IOERR_WRITE);
    assert_eq!(gathered.flush(|bytes, at| disk.put(bytes, at)), ffi::SQLITE_OK);
    assert_eq!(disk.bytes, b"kept");

    assert_eq!(write(&mut gathered, &mut disk, b"anew", 4), ffi::SQLITE_OK);
    assert!(!gathered.is_lost());
    assert_eq!(gathered.flush(|bytes, at| disk.put(bytes, at)), ffi::SQLITE_OK);
    assert_eq!(disk.bytes, b"keptanew");
}

#[test]
fn what_is_written_in_part_has_no_head() {
    // Calls that succeed before the disk is full, and whether the first bytes must then be as they were.
    for (calls, is_whole) in [(0, false), (1, false), (2, true)] {
        let (mut gathered, mut disk) = (Gathered::default(), Disk::default());
        disk.put(&[0; 100], 0);
        gathered.write(&[1; 100], 0, |bytes, at| disk.put(bytes, at));
        let mut left = calls;
        let code = gathered.flush(|bytes, at| {
            disk.is_full = left == 0;
            left -= i32::from(left > 0);
            disk.put(bytes, at)
        });
        assert_eq!(code == ffi::SQLITE_OK, is_whole);
        assert_eq!(disk.bytes[..24], if is_whole { [1; 24] } else { [0; 24] });
    }
}

#[test]
fn what_becomes_long_is_written_at_once() {
    let (mut gathered, mut pieces) = (Gathered::default(), Vec::new());
    for page in 0..300 {
        let code = gathered.write(&[0; 1024], page * 1024, |bytes, at| {
            pieces.push((at, bytes.len()));
            ffi::SQLITE_OK
        });
        assert_eq!(code, ffi::SQLITE_OK);
    }
    assert_eq!(pieces, [(24, 256 * 1024 - 24), (0, 24)]);
}

/// A connection on the layer over a recorder, with a table, in a folder of its own.
fn connect() -> (TempDir, Recorder, Connection) {
    let folder = TempDir::new().unwrap();
    let recorder = Recorder::register();
    let layer = over(Some(recorder.name())).unwrap();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = Connection::open_with_flags_and_vfs(folder.path().join("it.db"), flags, layer.as_str()).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0")
        .unwrap();
    connection.execute_batch("CREATE TABLE it (bytes BLOB)").unwrap();
    (folder, recorder, connection)
}

fn insert(connection: &Connection, rows: u32) -> rusqlite::Result<()> {
    let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1) \
               INSERT INTO it SELECT zeroblob(1000) FROM n";
    connection.execute(sql, [rows]).map(drop)
}

fn count(connection: &Connection) -> i64 {
    connection
        .query_row("SELECT count(*) FROM it WHERE length(bytes) = 1000", [], |row| {
            row.get(0)
        })
        .unwrap()
}

#[test]
fn a_commit_reaches_the_log_in_one_piece_and_its_head_before_its_sync() {
    let (folder, recorder, connection) = connect();
    insert(&connection, 1).unwrap();
    let before = recorder.ops().len();
    insert(&connection, 40).unwrap();
    let ops: Vec<_> = recorder.ops().into_iter().skip(before).collect();
    match &ops[..] {
        [
            Op::Write { file, bytes, .. },
            Op::Write { bytes: head, .. },
            Op::Sync { file: synced },
        ] => {
            assert_eq!((file.as_str(), synced.as_str()), ("it.db-wal", "it.db-wal"));
            assert!(bytes.len() > 40_000 && head.len() == 24);
        }
        other => panic!("{} operations", other.len()),
    }
    // Another connection, without the layer, sees it.
    let reader = Connection::open(folder.path().join("it.db")).unwrap();
    assert_eq!(count(&reader), 41);
}

#[test]
fn a_transaction_that_is_larger_than_the_cache_reads_what_it_has_spilled() {
    let (folder, _recorder, connection) = connect();
    connection.pragma_update(None, "cache_size", 10).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..20 {
        insert(&connection, 100).unwrap();
        connection
            .execute("UPDATE it SET bytes = zeroblob(1000) WHERE rowid % 7 = 0", [])
            .unwrap();
    }
    assert_eq!(count(&connection), 2_000);
    connection.execute_batch("COMMIT").unwrap();
    let reader = Connection::open(folder.path().join("it.db")).unwrap();
    assert_eq!(count(&reader), 2_000);
    let sound: String = reader
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
}

#[test]
fn a_commit_without_room_is_refused_and_stays_so() {
    let (folder, recorder, connection) = connect();
    connection.pragma_update(None, "cache_size", 10).unwrap();
    insert(&connection, 10).unwrap();
    let full = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&full);
    recorder.fail(Some(Box::new(move |op| {
        (matches!(op, Op::Write { .. }) && asked.load(Ordering::Relaxed)).then_some(ffi::SQLITE_FULL)
    })));
    // Within what is gathered, and beyond it, when pages are spilled in the middle of the transaction.
    for rows in [20, 2_000] {
        let error = insert(&connection, rows).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
        assert_eq!(count(&connection), 10);
    }
    full.store(false, Ordering::Relaxed);
    insert(&connection, 5).unwrap();
    drop(connection);
    let reader = Connection::open(folder.path().join("it.db")).unwrap();
    assert_eq!(count(&reader), 15);
}

#[test]
fn a_refused_commit_is_not_on_disk_even_if_only_the_end_of_what_was_rolled_back_before_it_failed() {
    let (folder, recorder, connection) = connect();
    connection.pragma_update(None, "cache_size", 10).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    insert(&connection, 180).unwrap();
    connection.execute_batch("ROLLBACK").unwrap();
    // The next commit is short, and what is left of the one before behind it.
    let written = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let seen = Arc::clone(&written);
    recorder.fail(Some(Box::new(move |op| match op {
        Op::Write { bytes, .. } => {
            let before = seen.fetch_add(bytes.len(), Ordering::Relaxed);
            (before > 0).then_some(ffi::SQLITE_FULL)
        }
        _ => None,
    })));
    let error = insert(&connection, 1).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
    assert!(
        written.load(Ordering::Relaxed) > 64 * 1024,
        "the first piece was written, and a second one tried"
    );
    // As after a crash: the files as they are now.
    let other = tempfile::tempdir().unwrap();
    for name in ["it.db", "it.db-wal"] {
        std::fs::copy(folder.path().join(name), other.path().join(name)).unwrap();
    }
    assert_eq!(count(&Connection::open(other.path().join("it.db")).unwrap()), 0);
}
