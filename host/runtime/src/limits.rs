//! The memory of one call: the sum over all memories and tables of its component.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use wasmtime::ResourceLimiter;

use crate::engine::bounds;

/// Counts what a store allocates and traps the guest that exceeds its limit, rather than letting an allocation fail in
/// the middle of a language's runtime.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    host: Arc<HostMemory>,
    limit: usize,
    used: usize,
    /// What the growth that is under way was counted with, to be taken back if the allocation itself fails.
    pending: usize,
    exceeded: Option<Exceeded>,
}

/// The memory of all calls of a host together.
#[derive(Debug)]
pub(crate) struct HostMemory {
    limit: usize,
    used: AtomicUsize,
}

/// What a guest asked for in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exceeded {
    pub(crate) asked: usize,
    pub(crate) limit: usize,
    pub(crate) whose: Whose,
}

/// Whose limit was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Worker,
    Host,
}

impl HostMemory {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicUsize::new(0),
        })
    }

    /// Bytes in use.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> Result<(), Exceeded> {
        let add = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        match self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add) {
            Ok(_) => Ok(()),
            Err(used) => Err(Exceeded {
                asked: used.saturating_add(bytes),
                limit: self.limit,
                whose: Whose::Host,
            }),
        }
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for MemoryLimiter {
    fn drop(&mut self) {
        self.host.give_back(self.used);
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: usize| bytes.div_ceil(1 << 20);
        let (asked, limit) = (mib(self.asked), mib(self.limit));
        match self.whose {
            Whose::Worker => write!(
                f,
                "the worker asked for {asked} MiB of memory; its limit is {limit} MiB. Raise memory-mb under [limits] in its manifest"
            ),
            Whose::Host => write!(
                f,
                "the worker asked for memory with which all workers together would have {asked} MiB; the host's limit is \
                 {limit} MiB. Raise memory-mb under [limits] in the host's configuration, or let fewer tasks run at once"
            ),
        }
    }
}

impl std::error::Error for Exceeded {}

impl MemoryLimiter {
    pub(crate) fn new(limit: usize, host: Arc<HostMemory>) -> Self {
        Self {
            host,
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
        let own = Exceeded {
            asked,
            limit: self.limit,
            whose: Whose::Worker,
        };
        let taken = if asked > self.limit {
            Err(own)
        } else {
            self.host.take(bytes)
        };
        if let Err(exceeded) = taken {
            self.exceeded = Some(exceeded);
            return Err(wasmtime::Error::new(exceeded));
        }
        self.used = asked;
        self.pending = bytes;
        Ok(true)
    }

    fn take_back(&mut self) {
        let bytes = std::mem::take(&mut self.pending);
        self.used -= bytes;
        self.host.give_back(bytes);
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
        let mut limiter = MemoryLimiter::new(1_000, HostMemory::new(1_500));
        assert!(limiter.memory_growing(0, 600, None).is_ok());
        assert!(limiter.memory_growing(0, 300, None).is_ok());
        assert!(limiter.memory_growing(300, 500, None).is_err());
        assert_eq!(
            limiter.exceeded(),
            Some(Exceeded {
                asked: 1_100,
                limit: 1_000,
                whose: Whose::Worker
            })
        );
        assert_eq!(limiter.used(), 900);
    }

    #[test]
    fn the_hosts_limit_holds_over_all_calls_and_what_they_had_comes_back() {
        let host = HostMemory::new(1_500);
        let mut one = MemoryLimiter::new(1_000, host.clone());
        let mut two = MemoryLimiter::new(1_000, host.clone());
        assert!(one.memory_growing(0, 1_000, None).is_ok());
        assert!(two.memory_growing(0, 600, None).is_err());
        let exceeded = two.exceeded().unwrap();
        assert_eq!(
            (exceeded.asked, exceeded.limit, exceeded.whose),
            (1_600, 1_500, Whose::Host)
        );
        drop(one);
        assert!(two.memory_growing(0, 600, None).is_ok());
        drop(two);
        assert_eq!(host.used(), 0);
    }

    #[test]
    fn a_growth_that_failed_is_taken_back() {
        let mut limiter = MemoryLimiter::new(1_000, HostMemory::new(1_500));
        assert!(limiter.memory_growing(0, 600, None).is_ok());
        assert!(limiter.memory_grow_failed(wasmtime::Error::msg("no memory")).is_err());
        assert_eq!(limiter.used(), 0);
    }
}
