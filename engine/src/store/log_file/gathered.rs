//! Bytes that were written and have not reached the file: one piece of it, without gaps.

use std::ffi::c_int;

use rusqlite::ffi;

/// What is gathered at most, in bytes, before it is written.
const GATHERED_MAX: usize = 256 * 1024;
/// The head of a frame of the log, in bytes. Without it neither the frame nor any behind it counts.
const HEAD: usize = 24;

/// What of a range is gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Nothing,
    Part,
    All,
}

/// One piece of a file. Codes are SQLite's; `out` writes bytes to a place of the file, and returns a code.
#[derive(Default)]
pub(super) struct Gathered {
    bytes: Vec<u8>,
    /// The place of the first of them.
    at: i64,
    /// A write failed that SQLite was told had succeeded: from here on the file may have other bytes than it believes.
    lost: Option<i64>,
}

impl Gathered {
    /// Takes bytes. Writes what cannot be one piece with them.
    pub(super) fn write(&mut self, bytes: &[u8], at: i64, mut out: impl FnMut(&[u8], i64) -> c_int) -> c_int {
        match self.lost {
            // SQLite has gone back.
            Some(lost) if at <= lost => self.lost = None,
            Some(_) => return ffi::SQLITE_IOERR_WRITE,
            None => {}
        }
        let place = match self.place(at) {
            Some(place) if place <= self.bytes.len() => place,
            _ => {
                let code = self.flush(&mut out);
                if code != ffi::SQLITE_OK {
                    return code;
                }
                self.at = at;
                0
            }
        };
        let over = bytes.len().min(self.bytes.len() - place);
        let (within, beyond) = bytes.split_at(over);
        if let Some(known) = self.bytes.get_mut(place..place + over) {
            known.copy_from_slice(within);
        }
        self.bytes.extend_from_slice(beyond);
        if self.bytes.len() < GATHERED_MAX {
            ffi::SQLITE_OK
        } else {
            self.flush(out)
        }
    }

    /// Writes all of it. If that fails it is gone, and [`Self::is_lost`] until SQLite writes that place anew.
    ///
    /// The head is written last: what could be written only in part, whichever part, is no commit. Behind a commit there may be
    /// frames of a transaction that was rolled back before, so even its beginning could hold all of it.
    pub(super) fn flush(&mut self, mut out: impl FnMut(&[u8], i64) -> c_int) -> c_int {
        if self.bytes.is_empty() {
            return ffi::SQLITE_OK;
        }
        let (head, rest) = self.bytes.split_at(HEAD.min(self.bytes.len()));
        let mut code = match rest {
            [] => ffi::SQLITE_OK,
            rest => out(rest, self.at.saturating_add(HEAD as i64)),
        };
        if code == ffi::SQLITE_OK {
            code = out(head, self.at);
        }
        self.bytes.clear();
        if code != ffi::SQLITE_OK {
            self.lost = Some(self.at);
        }
        code
    }

    /// Whether the file lacks bytes that SQLite was told are written.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// Reads what is gathered of a range, if that is all of it.
    pub(super) fn read(&self, into: &mut [u8], at: i64) -> Held {
        let after = at.saturating_add(i64::try_from(into.len()).unwrap_or(i64::MAX));
        if self.bytes.is_empty() || after <= self.at || self.end() <= at {
            return Held::Nothing;
        }
        let held = self
            .place(at)
            .and_then(|place| self.bytes.get(place..place.checked_add(into.len())?));
        match held {
            Some(held) => {
                into.copy_from_slice(held);
                Held::All
            }
            None => Held::Part,
        }
    }

    /// The place behind the last byte: the file is at least so long. 0 without any.
    pub(super) fn end(&self) -> i64 {
        if self.bytes.is_empty() {
            return 0;
        }
        self.at
            .saturating_add(i64::try_from(self.bytes.len()).unwrap_or(i64::MAX))
    }

    /// Where in `bytes` a place of the file is, if it is not before them.
    fn place(&self, at: i64) -> Option<usize> {
        usize::try_from(at.checked_sub(self.at)?).ok()
    }
}
