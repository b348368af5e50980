//! A backup is one snapshot of a database in use; restored, it is the engine of that moment.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::{Rig, model, of};
use crate::config::Config;
use crate::store::DATABASE_FILE;
use crate::store::backup::{BackupError, backup, examine};

/// An engine over a restored backup.
fn restore(file: &Path, now: i64) -> Rig {
    let directory = TempDir::new().unwrap();
    std::fs::copy(file, directory.path().join(DATABASE_FILE)).unwrap();
    Rig::open(Config::new(directory.path()), Arc::new(directory), now)
}

#[test]
fn a_backup_of_a_running_engine_is_the_engine_of_that_moment() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    for _ in 0..20 {
        rig.start("p");
    }
    let task = rig.fetch(of("t"))[0].task.id;
    rig.complete(task, "w").unwrap();
    let then = rig.dump();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("monday.db");
    let bytes = backup(&rig.config.data_dir, &file).unwrap();
    assert_eq!(bytes, std::fs::metadata(&file).unwrap().len());
    rig.start("p");
    assert_ne!(rig.dump(), then);

    assert_eq!(examine(&file).unwrap().problems, [] as [String; 0]);
    let mut restored = restore(&file, rig.now);
    assert_eq!(restored.dump(), then);
    restored.now += 2_000;
    assert_eq!(restored.fetch(of("t")).len(), 10, "work goes on");
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["monday.db"], "nothing else is left");
}

#[test]
fn a_backup_overwrites_nothing_and_needs_a_database() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("backup.db");
    std::fs::write(&file, "my notes").unwrap();
    assert!(matches!(
        backup(&rig.config.data_dir, &file),
        Err(BackupError::Exists { .. })
    ));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "my notes");
    let other = folder.path().join("other.db");
    assert!(matches!(
        backup(folder.path(), &other),
        Err(BackupError::Missing { .. })
    ));
    let nowhere = folder.path().join("no/such/folder/backup.db");
    assert!(matches!(
        backup(&rig.config.data_dir, &nowhere),
        Err(BackupError::Write { .. })
    ));
    assert!(!other.exists());
}

#[test]
fn damage_and_rows_that_miss_their_owner_are_found() {
    let mut rig = Rig::new();
    rig.deploy(&model::task("p", "t", ""));
    let instance = rig.start("p");
    let folder = TempDir::new().unwrap();
    let orphaned = folder.path().join("orphaned.db");
    let sql = "DELETE FROM process_instance WHERE id = ?1";
    rig.processor.store.connection().execute(sql, [instance.0]).unwrap();
    backup(&rig.config.data_dir, &orphaned).unwrap();
    let problems = examine(&orphaned).unwrap().problems;
    assert!(
        problems
            .iter()
            .any(|problem| problem.contains("external_task") && problem.contains("instance")),
        "{problems:?}"
    );

    let damaged = folder.path().join("damaged.db");
    let mut bytes = std::fs::read(&orphaned).unwrap();
    // The last pages: the first ones say whose file it is and what the others are.
    let rest = bytes.len() - 3 * 4096;
    for byte in &mut bytes[rest..] {
        *byte ^= 0x55;
    }
    std::fs::write(&damaged, bytes).unwrap();
    assert_ne!(examine(&damaged).unwrap().problems, [] as [String; 0]);
}
