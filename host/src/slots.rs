//! Slots: how many tasks are in hand at once, per worker and in all.
//!
//! A slot is held from a task's arrival to its report, across a worker's versions: a new version does not get the old
//! one's slots on top.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// All slots of a host.
#[derive(Debug)]
pub struct Slots {
    total: u32,
    used: Mutex<Used>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Used {
    all: u32,
    by_worker: HashMap<String, u32>,
    /// How many free slots those wait for who wait. A busy host frees slots all the time: nobody is woken in vain.
    awaited: Vec<u32>,
}

/// One who waits for free slots; no longer when it is dropped.
struct Waiting<'a> {
    slots: &'a Slots,
    free: u32,
}

impl<'a> Waiting<'a> {
    fn new(slots: &'a Slots, free: u32) -> Self {
        slots.used.lock().awaited.push(free);
        Self { slots, free }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let awaited = &mut self.slots.used.lock().awaited;
        if let Some(index) = awaited.iter().position(|free| *free == self.free) {
            awaited.swap_remove(index);
        }
    }
}

/// One slot; free again when it is dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
    worker: String,
}

impl Slots {
    /// So many slots.
    pub fn new(total: u32) -> Arc<Self> {
        Arc::new(Self {
            total,
            used: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// All of them.
    pub const fn total(&self) -> u32 {
        self.total
    }

    /// The slots that are in use.
    pub fn used(&self) -> u32 {
        self.used.lock().all
    }

    /// The slots of one worker that are in use.
    pub fn used_by(&self, worker: &str) -> u32 {
        self.used.lock().by_worker.get(worker).copied().unwrap_or(0)
    }

    /// The slots that are free.
    pub fn free(&self) -> u32 {
        self.total.saturating_sub(self.used())
    }

    /// The slots that are free for a worker that may have `cap`.
    pub fn free_for(&self, worker: &str, cap: u32) -> u32 {
        let used = self.used.lock();
        let own = used.by_worker.get(worker).copied().unwrap_or(0);
        self.total.saturating_sub(used.all).min(cap.saturating_sub(own))
    }

    /// Takes a slot if one is free.
    pub fn try_acquire(self: &Arc<Self>, worker: &str, cap: u32) -> Option<Slot> {
        let mut used = self.used.lock();
        let own = used.by_worker.get(worker).copied().unwrap_or(0);
        if used.all >= self.total || own >= cap {
            return None;
        }
        used.all += 1;
        used.by_worker.insert(worker.to_owned(), own + 1);
        drop(used);
        Some(Slot {
            slots: self.clone(),
            worker: worker.to_owned(),
        })
    }

    /// Takes a slot, waiting for one to become free.
    pub async fn acquire(self: &Arc<Self>, worker: &str, cap: u32, patience: Duration) -> Option<Slot> {
        let taken = self.when(1, || self.try_acquire(worker, cap));
        tokio::time::timeout(patience, taken).await.ok()
    }

    /// Waits until one of these workers, which had no free slot, has one, and then for more, but not for long: fetching
    /// one task for every slot that becomes free would double the requests of a busy host.
    pub async fn replenished(&self, waiting: &[(String, u32)], enough: u32, patience: Duration) {
        let one = || {
            waiting
                .iter()
                .any(|(worker, cap)| self.free_for(worker, *cap) > 0)
                .then_some(())
        };
        self.when(1, one).await;
        self.gathered(enough, patience).await;
    }

    /// Waits for so many free slots, but not for long.
    pub async fn gathered(&self, enough: u32, patience: Duration) {
        let several = || (self.free() >= enough).then_some(());
        let _ = tokio::time::timeout(patience, self.when(enough, several)).await;
    }

    /// Waits for a condition that needs `free` free slots at least.
    async fn when<T>(&self, free: u32, condition: impl Fn() -> Option<T>) -> T {
        let _waiting = Waiting::new(self, free);
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if let Some(result) = condition() {
                return result;
            }
            freed.await;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut used = self.slots.used.lock();
        used.all = used.all.saturating_sub(1);
        if let Some(own) = used.by_worker.get_mut(&self.worker) {
            *own -= 1;
            if *own == 0 {
                used.by_worker.remove(&self.worker);
            }
        }
        let free = self.slots.total.saturating_sub(used.all);
        let enough = used.awaited.iter().any(|awaited| *awaited <= free);
        drop(used);
        if enough {
            self.slots.freed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn caps_hold_per_worker_and_in_all() {
        let slots = Slots::new(3);
        let first = slots.try_acquire("a", 1).unwrap();
        assert!(slots.try_acquire("a", 1).is_none());
        let _b = slots.try_acquire("b", 8).unwrap();
        assert_eq!(
            (slots.free(), slots.free_for("a", 1), slots.free_for("b", 8)),
            (1, 0, 1)
        );
        let waiting = tokio::spawn({
            let slots = slots.clone();
            async move { slots.acquire("a", 1, Duration::from_secs(10)).await.is_some() }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert!(waiting.await.unwrap());
        assert_eq!(slots.used(), 1);
    }

    #[tokio::test]
    async fn patience_ends() {
        let slots = Slots::new(1);
        let _held = slots.try_acquire("a", 1);
        assert!(slots.acquire("b", 1, Duration::from_millis(10)).await.is_none());
    }
}
