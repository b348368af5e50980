//! A file system layer of SQLite (a VFS) for the writer: what a commit adds to the log reaches the file in one piece.
//!
//! SQLite writes each page of the log with two calls, and a commit has dozens of pages. This layer gathers what follows
//! one another, and writes it when the log is synced, at the latest. All other files are those of the layer below.
//!
//! Invariant: what is gathered is seen by the connection that wrote it alone. So only a connection that syncs each commit
//! (`synchronous=FULL`) may be opened on it: there, SQLite tells other connections of a commit after its sync. (It would not
//! do so of all of it over files that have no `SQLITE_IOCAP_POWERSAFE_OVERWRITE`; those of SQLite's own layers have it.)
//! Invariant: if a gathered write fails, the sync fails, and so does every later one until SQLite has gone back and written
//! that place anew. What was refused is never written later.

#![allow(
    unsafe_code,
    reason = "a reviewed place: SQLite's VFS is a table of C functions; see each SAFETY"
)]

mod gathered;
#[cfg(test)]
mod tests;

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::NonNull;

use parking_lot::Mutex;
use rusqlite::ffi::{self, sqlite3_file, sqlite3_filename, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use self::gathered::{Gathered, Held};

/// What is written with one call, in bytes: SQLite's own layer takes only the lower 17 bits of a length.
const CALL_BYTES: usize = 64 * 1024;

/// The name of the layer over another one; none is the system's. It is registered when it is asked for first, and stays until the
/// process ends: there is one, and in tests one for each layer below.
///
/// # Errors
/// There is none of that name, or SQLite refuses to take one more.
pub(super) fn over(below: Option<&str>) -> rusqlite::Result<String> {
    static REGISTERING: Mutex<()> = Mutex::new(());
    let _alone = REGISTERING.lock();
    let name = format!("handoff-log-{}", below.unwrap_or_default());
    let c_name = CString::new(name.as_str())?;
    if find(Some(&c_name)).is_none() {
        let below = below.map(CString::new).transpose()?;
        let below = find(below.as_deref()).ok_or_else(|| failure(ffi::SQLITE_ERROR))?;
        register(below, c_name)?;
    }
    Ok(name)
}

/// The layer of this name; none is the system's.
pub(super) fn find(name: Option<&CStr>) -> Option<NonNull<sqlite3_vfs>> {
    // SAFETY: a name ends in zero and is read during the call; none is the default's.
    unsafe {
        match ffi::sqlite3_initialize() {
            ffi::SQLITE_OK => NonNull::new(ffi::sqlite3_vfs_find(name.map_or(std::ptr::null(), CStr::as_ptr))),
            _ => None,
        }
    }
}

fn register(below: NonNull<sqlite3_vfs>, name: CString) -> rusqlite::Result<()> {
    let below = below.as_ptr();
    // SAFETY: a VFS that is registered lives as long as the process and is not changed. Ours, and its name, are leaked.
    let code = unsafe {
        let vfs = Box::leak(Box::new(sqlite3_vfs {
            szOsFile: (*below).szOsFile.saturating_add(HEAD as c_int),
            pNext: std::ptr::null_mut(),
            zName: name.into_raw(),
            pAppData: below.cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            // The rest does not look at the VFS it is called with.
            ..*below
        }));
        ffi::sqlite3_vfs_register(vfs, 0)
    };
    if code == ffi::SQLITE_OK {
        Ok(())
    } else {
        Err(failure(code))
    }
}

fn failure(code: c_int) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
}

/// The log, as SQLite has it open. Behind it follows the file of the layer below.
#[repr(C)]
struct LogFile {
    /// All that SQLite knows of it.
    file: sqlite3_file,
    gathered: Gathered,
}

/// Where the file of the layer below begins, in bytes. SQLite aligns files at 8 bytes.
const HEAD: usize = size_of::<LogFile>().next_multiple_of(8);
const _: () = assert!(align_of::<LogFile>() <= 8, "SQLite aligns files at 8 bytes");

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // What came with later versions is asked of databases only, never of a log.
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// Calls a method of a file of the layer below, or comes to a code if it has none.
macro_rules! call {
    ($file:expr, $method:ident($($argument:expr),*), $missing:expr) => {
        match (*(*$file).pMethods).$method {
            Some(method) => method($file $(, $argument)*),
            None => $missing,
        }
    };
}

/// What is gathered of the log, and the log's file below.
///
/// # Safety
/// `file` is one that [`open`] has made of a log, and [`close`] has not been called with it. SQLite uses a file from one
/// thread at a time, and calls no method of it within another.
unsafe fn parts<'f>(file: *mut sqlite3_file) -> (&'f mut Gathered, *mut sqlite3_file) {
    // SAFETY: see above: both were made by `open`.
    unsafe { (&mut (*file.cast::<LogFile>()).gathered, below(file)) }
}

/// The file below.
///
/// # Safety
/// `file` has the room that [`register`] asked for.
unsafe fn below(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: see above.
    unsafe { file.cast::<u8>().add(HEAD).cast() }
}

/// Writes to the file below.
///
/// # Safety
/// The file is open.
unsafe fn put(file: *mut sqlite3_file) -> impl FnMut(&[u8], i64) -> c_int {
    move |bytes, at| {
        let places = (at..).step_by(CALL_BYTES);
        for (place, piece) in places.zip(bytes.chunks(CALL_BYTES)) {
            // SAFETY: see above; the bytes are as many as is said.
            let code = unsafe {
                let length = piece.len() as c_int;
                call!(
                    file,
                    xWrite(piece.as_ptr().cast(), length, place),
                    ffi::SQLITE_IOERR_WRITE
                )
            };
            if code != ffi::SQLITE_OK {
                return code;
            }
        }
        ffi::SQLITE_OK
    }
}

// SAFETY, of all that follows: SQLite calls a VFS's functions with the VFS that was registered, whose `pAppData` is the one
// below, and a file's methods with a file that `open` has made, until it is closed. What is passed on is SQLite's own.

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    path: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: there is room for both files, as `register` asked for.
    unsafe {
        let system = (*vfs).pAppData.cast::<sqlite3_vfs>();
        let Some(system_open) = (*system).xOpen else {
            return ffi::SQLITE_CANTOPEN;
        };
        if flags & ffi::SQLITE_OPEN_WAL == 0 {
            return system_open(system, path, file, flags, out_flags);
        }
        (*file).pMethods = std::ptr::null();
        let log = below(file);
        (*log).pMethods = std::ptr::null();
        let code = system_open(system, path, log, flags, out_flags);
        if code == ffi::SQLITE_OK {
            file.cast::<LogFile>().write(LogFile {
                file: sqlite3_file { pMethods: &METHODS },
                gathered: Gathered::default(),
            });
        } else if !(*log).pMethods.is_null() {
            // A file that could not be opened is closed if it has methods.
            call!(log, xClose(), ffi::SQLITE_OK);
        }
        code
    }
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, path: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: as above.
    unsafe {
        let system = (*vfs).pAppData.cast::<sqlite3_vfs>();
        match (*system).xDelete {
            Some(system_delete) => system_delete(system, path, sync_folder),
            None => ffi::SQLITE_IOERR_DELETE,
        }
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: as above; what is gathered is dropped once, because the file is used no more.
    unsafe {
        let (gathered, log) = parts(file);
        let flushed = gathered.flush(put(log));
        std::ptr::drop_in_place(gathered);
        let closed = call!(log, xClose(), ffi::SQLITE_OK);
        if flushed == ffi::SQLITE_OK { closed } else { flushed }
    }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, into: *mut c_void, length: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: as above; SQLite has room for `length` bytes, which are initialised first.
    unsafe {
        let (gathered, log) = parts(file);
        let size = usize::try_from(length).unwrap_or_default();
        if gathered.end() > at {
            into.cast::<u8>().write_bytes(0, size);
            match gathered.read(std::slice::from_raw_parts_mut(into.cast(), size), at) {
                Held::All => return ffi::SQLITE_OK,
                Held::Part => match gathered.flush(put(log)) {
                    ffi::SQLITE_OK => {}
                    code => return code,
                },
                Held::Nothing => {}
            }
        }
        call!(log, xRead(into, length, at), ffi::SQLITE_IOERR_READ)
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, length: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: as above; SQLite passes `length` bytes.
    unsafe {
        let (gathered, log) = parts(file);
        let Ok(size) = usize::try_from(length) else {
            return ffi::SQLITE_IOERR_WRITE;
        };
        gathered.write(std::slice::from_raw_parts(from.cast(), size), at, put(log))
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: as above.
    unsafe {
        let (gathered, log) = parts(file);
        match gathered.flush(put(log)) {
            ffi::SQLITE_OK => call!(log, xTruncate(size), ffi::SQLITE_IOERR_TRUNCATE),
            code => code,
        }
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: as above.
    unsafe {
        let (gathered, log) = parts(file);
        match gathered.flush(put(log)) {
            ffi::SQLITE_OK if gathered.is_lost() => ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_OK => call!(log, xSync(flags), ffi::SQLITE_IOERR_FSYNC),
            code => code,
        }
    }
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    // SAFETY: as above; SQLite has room for the size.
    unsafe {
        let (gathered, log) = parts(file);
        let code = call!(log, xFileSize(size), ffi::SQLITE_IOERR_FSTAT);
        if code == ffi::SQLITE_OK {
            *size = (*size).max(gathered.end());
        }
        code
    }
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: as above.
    unsafe { call!(below(file), xLock(level), ffi::SQLITE_OK) }
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: as above.
    unsafe { call!(below(file), xUnlock(level), ffi::SQLITE_OK) }
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, reserved: *mut c_int) -> c_int {
    // SAFETY: as above.
    unsafe {
        call!(
            below(file),
            xCheckReservedLock(reserved),
            ffi::SQLITE_IOERR_CHECKRESERVEDLOCK
        )
    }
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: as above.
    unsafe { call!(below(file), xFileControl(operation, argument), ffi::SQLITE_NOTFOUND) }
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    // SAFETY: as above.
    unsafe { call!(below(file), xSectorSize(), 0) }
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    // SAFETY: as above.
    unsafe { call!(below(file), xDeviceCharacteristics(), 0) }
}
