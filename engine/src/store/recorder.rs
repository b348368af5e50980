//! A file system layer of SQLite for tests: it passes everything on to the system's own, writes down what changes files,
//! and fails where a test says so.
//!
//! It copies the system's table of file methods and replaces four of them, so that locks, shared memory and reads stay
//! SQLite's own. What a crash can leave behind is made of its record: see [`images`].

#![allow(
    unsafe_code,
    reason = "a reviewed place: SQLite's VFS is a table of C functions; see each SAFETY"
)]

pub(crate) mod images;

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;
use rusqlite::ffi::{self, sqlite3_file, sqlite3_filename, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

/// Something that has changed a file, or was about to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Bytes were written.
    Write {
        /// The file's name, without its folder.
        file: String,
        /// The place of the first byte.
        at: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// The file was cut or grown to a size in bytes.
    Truncate {
        /// The file.
        file: String,
        /// Its new size.
        size: u64,
    },
    /// All that was written to the file is on disk.
    Sync {
        /// The file.
        file: String,
    },
    /// The file was removed.
    Delete {
        /// The file.
        file: String,
        /// Whether its folder was synced too.
        durable: bool,
    },
    /// The folder was synced: which files there are is on disk.
    SyncFolder,
    /// The test has seen an answer.
    Mark,
}

/// Decides which operation fails, and with which of SQLite's codes. It is asked before the operation.
pub(crate) type Failing = Box<dyn FnMut(&Op) -> Option<c_int> + Send>;

#[derive(Default)]
struct Shared {
    ops: Mutex<Vec<Op>>,
    failing: Mutex<Option<Failing>>,
}

impl Shared {
    /// Asks whether an operation fails; does it; notes it if it was done.
    fn observe(&self, op: Op, act: impl FnOnce() -> c_int) -> c_int {
        if let Some(code) = self.failing.lock().as_mut().and_then(|failing| failing(&op)) {
            return code;
        }
        let code = act();
        if code == ffi::SQLITE_OK {
            self.ops.lock().push(op);
        }
        code
    }
}

/// The layer under one name. It stays registered until the process ends.
#[derive(Clone)]
pub(crate) struct Recorder {
    name: String,
    shared: Arc<Shared>,
}

/// What is known of an open file, by the address at which SQLite keeps it.
struct Open {
    name: String,
    shared: Arc<Shared>,
    /// The system's methods of this file.
    system: &'static sqlite3_io_methods,
}

static OPEN: LazyLock<Mutex<HashMap<usize, Arc<Open>>>> = LazyLock::new(Mutex::default);

impl Recorder {
    /// Registers a layer under a name of its own.
    pub(crate) fn register() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("recorder-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let shared = Arc::<Shared>::default();
        let c_name = CString::new(name.clone()).unwrap().into_raw();
        let system = system();
        let vfs = Box::leak(Box::new(sqlite3_vfs {
            pNext: std::ptr::null_mut(),
            zName: c_name,
            pAppData: Arc::into_raw(Arc::clone(&shared)).cast_mut().cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            // SAFETY: SQLite's default VFS lives as long as the process and is not changed after it is registered.
            ..unsafe { *system }
        }));
        // SAFETY: the table and the name are leaked, so they outlive every connection.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        assert_eq!(code, ffi::SQLITE_OK);
        Self { name, shared }
    }

    /// Its name, for opening a connection on it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What was done so far.
    pub(crate) fn ops(&self) -> Vec<Op> {
        self.shared.ops.lock().clone()
    }

    /// Notes what SQLite does not do itself.
    pub(crate) fn note(&self, op: Op) {
        self.shared.ops.lock().push(op);
    }

    /// Makes operations fail from now on; none: all succeed.
    pub(crate) fn fail(&self, failing: Option<Failing>) {
        *self.shared.failing.lock() = failing;
    }
}

/// The system's own VFS.
fn system() -> *mut sqlite3_vfs {
    super::log_file::find(None).unwrap().as_ptr()
}

/// The shared state behind a VFS of ours.
///
/// # Safety
/// `vfs` is one that [`Recorder::register`] has made: its `pAppData` is an `Arc<Shared>` that is never released.
unsafe fn shared(vfs: *mut sqlite3_vfs) -> Arc<Shared> {
    // SAFETY: see above; the count is raised first, so that the leaked reference stays.
    unsafe {
        let raw = (*vfs).pAppData.cast::<Shared>().cast_const();
        Arc::increment_strong_count(raw);
        Arc::from_raw(raw)
    }
}

/// A path's last part.
///
/// # Safety
/// `path` is a string that ends in zero, or null.
unsafe fn base_name(path: *const c_char) -> String {
    if path.is_null() {
        return "temporary".to_owned();
    }
    // SAFETY: see above.
    let path = unsafe { CStr::from_ptr(path) }.to_string_lossy().into_owned();
    let name = Path::new(&path).file_name();
    name.map_or_else(|| path.clone(), |name| name.to_string_lossy().into_owned())
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    path: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite calls this with the VFS it was registered with, a path that lives as long as the file, and room for a
    // file of the system's VFS, whose size was copied.
    unsafe {
        let system = system();
        let Some(system_open) = (*system).xOpen else {
            return ffi::SQLITE_CANTOPEN;
        };
        let code = system_open(system, path, file, flags, out_flags);
        if code != ffi::SQLITE_OK || (*file).pMethods.is_null() {
            return code;
        }
        let methods = &*(*file).pMethods;
        let known = Open {
            name: base_name(path),
            shared: shared(vfs),
            system: methods,
        };
        OPEN.lock().insert(file as usize, Arc::new(known));
        (*file).pMethods = Box::leak(Box::new(sqlite3_io_methods {
            xClose: Some(close),
            xWrite: Some(write),
            xTruncate: Some(truncate),
            xSync: Some(sync),
            ..*methods
        }));
        code
    }
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, path: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: as for `open`.
    unsafe {
        let system = system();
        let Some(system_delete) = (*system).xDelete else {
            return ffi::SQLITE_IOERR_DELETE;
        };
        let op = Op::Delete {
            file: base_name(path),
            durable: sync_folder != 0,
        };
        shared(vfs).observe(op, || system_delete(system, path, sync_folder))
    }
}

/// What is known of a file that SQLite hands to one of the methods below: they are called only for files that `open` has
/// noted, and not after `close`.
fn known(file: *mut sqlite3_file) -> Option<Arc<Open>> {
    OPEN.lock().get(&(file as usize)).cloned()
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let Some(open) = OPEN.lock().remove(&(file as usize)) else {
        return ffi::SQLITE_IOERR_CLOSE;
    };
    match open.system.xClose {
        // SAFETY: the file is one of the system's VFS, and open.
        Some(close) => unsafe { close(file) },
        None => ffi::SQLITE_IOERR_CLOSE,
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, length: c_int, at: sqlite3_int64) -> c_int {
    let (Some(open), Ok(size), Ok(place)) = (known(file), usize::try_from(length), u64::try_from(at)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    let Some(write) = open.system.xWrite else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    let op = Op::Write {
        file: open.name.clone(),
        at: place,
        // SAFETY: SQLite passes `length` bytes at `from`.
        bytes: unsafe { std::slice::from_raw_parts(from.cast::<u8>(), size) }.to_vec(),
    };
    // SAFETY: as for `close`.
    open.shared.observe(op, || unsafe { write(file, from, length, at) })
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    let (Some(open), Ok(bytes)) = (known(file), u64::try_from(size)) else {
        return ffi::SQLITE_IOERR_TRUNCATE;
    };
    let Some(truncate) = open.system.xTruncate else {
        return ffi::SQLITE_IOERR_TRUNCATE;
    };
    let op = Op::Truncate {
        file: open.name.clone(),
        size: bytes,
    };
    // SAFETY: as for `close`.
    open.shared.observe(op, || unsafe { truncate(file, size) })
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    let Some(open) = known(file) else {
        return ffi::SQLITE_IOERR_FSYNC;
    };
    let Some(sync) = open.system.xSync else {
        return ffi::SQLITE_IOERR_FSYNC;
    };
    let op = Op::Sync {
        file: open.name.clone(),
    };
    // SAFETY: as for `close`.
    open.shared.observe(op, || unsafe { sync(file, flags) })
}
