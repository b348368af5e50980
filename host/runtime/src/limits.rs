//! The memory of one call: the sum over all memories and tables of its component.

use std::fmt;

use wasmtime::ResourceLimiter;

use crate::engine::bounds;

/// Counts what a store allocates and traps the guest that exceeds its limit, rather than letting an allocation fail in
/// the middle of a language's runtime.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    limit: usize,
    used: usize,
    /// What the growth that is under way was counted with, to be taken back if the allocation itself fails.
    pending: usize,
    exceeded: Option<Exceeded>,
}

/// What a guest asked for in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exceeded {
    pub(crate) asked: usize,
    pub(crate) limit: usize,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: usize| bytes.div_ceil(1 << 20);
        write!(
            f,
            "the worker asked for {} MiB of memory; its limit is {} MiB",
            mib(self.asked),
            mib(self.limit)
        )
    }
}

impl std::error::Error for Exceeded {}

impl MemoryLimiter {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            used: 0,
            pending: 0,
            exceeded: None,
        }
    }

    /// Bytes in use. Memories never shrink, so it is the peak as well.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Whether, and how, the limit was exceeded.
    pub(crate) fn exceeded(&self) -> Option<Exceeded> {
        self.exceeded
    }

    fn grow(&mut self, bytes: usize) -> wasmtime::Result<bool> {
        let asked = self.used.saturating_add(bytes);
        if asked > self.limit {
            let exceeded = Exceeded {
                asked,
                limit: self.limit,
            };
            self.exceeded = Some(exceeded);
            return Err(wasmtime::Error::new(exceeded));
        }
        self.used = asked;
        self.pending = bytes;
        Ok(true)
    }

    fn take_back(&mut self) {
        self.used -= std::mem::take(&mut self.pending);
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(desired.saturating_sub(current))
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Err(error)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(desired.saturating_sub(current).saturating_mul(size_of::<usize>()))
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Err(error)
    }

    fn instances(&self) -> usize {
        bounds::CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        bounds::TABLES as usize
    }

    fn memories(&self) -> usize {
        bounds::MEMORIES as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_count_together() {
        let mut limiter = MemoryLimiter::new(1_000);
        assert!(limiter.memory_growing(0, 600, None).is_ok());
        assert!(limiter.memory_growing(0, 300, None).is_ok());
        assert!(limiter.memory_growing(300, 500, None).is_err());
        assert_eq!(
            limiter.exceeded(),
            Some(Exceeded {
                asked: 1_100,
                limit: 1_000
            })
        );
        assert_eq!(limiter.used(), 900);
    }

    #[test]
    fn a_growth_that_failed_is_taken_back() {
        let mut limiter = MemoryLimiter::new(1_000);
        assert!(limiter.memory_growing(0, 600, None).is_ok());
        assert!(limiter.memory_grow_failed(wasmtime::Error::msg("no memory")).is_err());
        assert_eq!(limiter.used(), 0);
    }
}
