//! The memory of a script: counted, and bounded without letting QuickJS run dry.
//!
//! QuickJS does not survive everywhere that a small allocation fails: the error that it makes of it needs memory too. So beyond the
//! limit only what is large is refused at once, which becomes an error that a script can see; what is small is still given, and
//! the script is interrupted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rquickjs::allocator::{Allocator, RustAllocator};

/// What counts as large: no object, string or frame of the engine's own.
const LARGE: usize = 1 << 20;
/// What a script may take beyond its limit until it is interrupted: QuickJS looks only every ten thousand steps.
const SLACK: usize = 512 << 20;

/// Gives a script its memory.
pub(super) struct Bounded {
    used: usize,
    limit: usize,
    over: Arc<AtomicBool>,
}

impl Bounded {
    /// At most `limit` bytes; `over` becomes true when the script wants more.
    pub(super) fn new(limit: usize, over: Arc<AtomicBool>) -> Self {
        Self { used: 0, limit, over }
    }

    /// Whether so many bytes more may be had.
    fn admits(&self, more: usize) -> bool {
        let wanted = self.used.saturating_add(more);
        if wanted <= self.limit {
            return true;
        }
        self.over.store(true, Ordering::Relaxed);
        more < LARGE && wanted <= self.limit.saturating_add(SLACK)
    }

    fn note(&mut self, pointer: *mut u8) -> *mut u8 {
        if !pointer.is_null() {
            // SAFETY: it comes from this very allocator.
            self.used += unsafe { RustAllocator::usable_size(pointer) };
        }
        pointer
    }
}

// SAFETY: everything is the inner allocator's; this only counts, and refuses with null as the trait allows.
unsafe impl Allocator for Bounded {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        if !self.admits(size) {
            return std::ptr::null_mut();
        }
        let pointer = RustAllocator.alloc(size);
        self.note(pointer)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        if !count.checked_mul(size).is_some_and(|bytes| self.admits(bytes)) {
            return std::ptr::null_mut();
        }
        let pointer = RustAllocator.calloc(count, size);
        self.note(pointer)
    }

    unsafe fn dealloc(&mut self, pointer: *mut u8) {
        // SAFETY: as the caller's.
        unsafe {
            self.used = self.used.saturating_sub(RustAllocator::usable_size(pointer));
            RustAllocator.dealloc(pointer);
        }
    }

    unsafe fn realloc(&mut self, pointer: *mut u8, new_size: usize) -> *mut u8 {
        // SAFETY: as the caller's.
        let before = unsafe { RustAllocator::usable_size(pointer) };
        if new_size > before && !self.admits(new_size - before) {
            return std::ptr::null_mut();
        }
        // SAFETY: as the caller's.
        let moved = unsafe { RustAllocator.realloc(pointer, new_size) };
        if !moved.is_null() {
            self.used = self.used.saturating_sub(before);
        }
        self.note(moved)
    }

    unsafe fn usable_size(pointer: *mut u8) -> usize {
        // SAFETY: as the caller's.
        unsafe { RustAllocator::usable_size(pointer) }
    }
}
