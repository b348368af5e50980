//! Which commits are on disk, and the way to get them there.
//!
//! A commit is in the log, and readers see it, before it is on disk (`synchronous=NORMAL`): the next group is decided while
//! the disk is at work on the one before. Invariant: nobody outside learns of a commit before [`Log::sync`] has returned
//! after it; that goes for what readers have seen of it too, which sync it themselves.
//!
//! The log is a chain of checksums: what a crash leaves of it is a prefix of the commits, and all up to the last sync. SQLite
//! syncs it once more before it folds it, and begins it anew only when all of it is folded.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use super::error::StoreError;

/// The file of the log.
pub(crate) trait Disk: Send {
    /// Returns when all that was written to it is on disk.
    fn sync(&mut self) -> io::Result<()>;
}

impl Disk for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Opens the log of a database that is open already.
pub(super) fn file(database: &Path) -> io::Result<Box<dyn Disk>> {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    // Some systems sync only what may be written.
    Ok(Box::new(OpenOptions::new().write(true).open(name)?))
}

/// The log of an open store. Clones are the same log.
#[derive(Clone)]
pub(crate) struct Log(Arc<Shared>);

struct Shared {
    disk: Mutex<Box<dyn Disk>>,
    /// The number of the last commit that readers may have seen.
    written: AtomicU64,
    /// The number of the last one that is on disk.
    synced: AtomicU64,
    /// After this nothing is known of the file: it is never said to be on disk again.
    failure: Mutex<Option<StoreError>>,
}

impl Log {
    pub(crate) fn new(disk: Box<dyn Disk>) -> Self {
        Self(Arc::new(Shared {
            disk: Mutex::new(disk),
            // What is in it may be what a crash has left, and not on disk.
            written: AtomicU64::new(1),
            synced: AtomicU64::new(0),
            failure: Mutex::new(None),
        }))
    }

    /// To be called before each commit: from now on somebody may see it.
    pub(crate) fn written(&self) {
        self.0.written.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether all that anybody may have seen is on disk.
    pub(crate) fn is_synced(&self) -> bool {
        self.0.synced.load(Ordering::Acquire) >= self.0.written.load(Ordering::Acquire)
    }

    /// Returns when all that anybody may have seen is on disk. Callers that come together share a sync.
    ///
    /// # Errors
    /// The disk failed, now or before.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        let wanted = self.0.written.load(Ordering::Acquire);
        let is_there = || self.0.synced.load(Ordering::Acquire) >= wanted;
        if is_there() {
            return Ok(());
        }
        // One at a time: a file tells of a failure once, and only to one of those who sync it.
        let mut disk = self.0.disk.lock();
        if is_there() {
            return Ok(());
        }
        self.check()?;
        let written = self.0.written.load(Ordering::Acquire);
        let begun = Instant::now();
        if let Err(error) = disk.sync() {
            let error = StoreError::Sync(Arc::new(error));
            self.fail(error.repeat());
            return Err(error);
        }
        metrics::histogram!("handoff_engine_sync_seconds").record(begun.elapsed().as_secs_f64());
        self.0.synced.store(written, Ordering::Release);
        Ok(())
    }

    /// Notes that writing has failed, in a way after which nothing is known of the file.
    pub(super) fn fail(&self, error: StoreError) {
        self.0.failure.lock().get_or_insert(error);
    }

    /// # Errors
    /// Writing has failed before.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.0.failure.lock().as_ref() {
            Some(error) => Err(error.repeat()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Counts its syncs, and fails those that it is told to.
    struct Counting(Arc<AtomicUsize>, fn(usize) -> bool);

    impl Disk for Counting {
        fn sync(&mut self) -> io::Result<()> {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            if self.1(count) {
                return Err(io::Error::other("gone"));
            }
            Ok(())
        }
    }

    fn log(fails: fn(usize) -> bool) -> (Log, Arc<AtomicUsize>) {
        let syncs = Arc::<AtomicUsize>::default();
        (Log::new(Box::new(Counting(Arc::clone(&syncs), fails))), syncs)
    }

    #[test]
    fn a_sync_is_for_all_that_was_written_before_it() {
        let (log, syncs) = log(|_| false);
        log.sync().unwrap();
        assert_eq!(syncs.load(Ordering::Relaxed), 1, "there may be what a crash has left");
        log.written();
        log.written();
        assert!(!log.is_synced());
        for _ in 0..2 {
            log.sync().unwrap();
            assert!(log.is_synced());
            assert_eq!(syncs.load(Ordering::Relaxed), 2);
        }
    }

    #[test]
    fn what_failed_once_is_never_said_to_be_on_disk() {
        let (log, syncs) = log(|count| count == 0);
        log.written();
        assert!(log.sync().unwrap_err().is_io());
        // The disk would say yes now: it has told of its failure.
        assert!(log.sync().unwrap_err().is_io());
        assert_eq!(syncs.load(Ordering::Relaxed), 1);
        assert!(!log.is_synced());
        assert!(log.check().is_err());
    }
}
