//! The tasks of one engine that are in this host's hand.
//!
//! Invariant: one run per task id. A task that is delivered again while it is in hand only renews its lock.
//!
//! What is locked for a reason without a run is *parked*: deferred tasks, and failed ones that wait for their next try
//! (Camunda leaves the worker's name on them). Whoever looks for forgotten locks has to leave those alone.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::lock::Lease;

/// Parked tasks that are remembered. Of more than these, those that run out soonest are forgotten, which at worst
/// gives a task back early.
const PARKED_MAX: usize = 100_000;
/// How long a task is remembered that was given back as forgotten: longer than any answer with it is on its way.
const GIVEN_BACK_FOR: Duration = Duration::from_secs(120);
/// Tasks that are remembered as given back.
const GIVEN_BACK_MAX: usize = 10_000;
/// Tasks whose lost locks are counted.
const STRIKES_MAX: usize = 10_000;

/// The tasks of one engine.
#[derive(Debug, Default)]
pub struct Hand {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    running: HashMap<String, Arc<Lease>>,
    parked: HashMap<String, Instant>,
    strikes: HashMap<String, u32>,
    strikes_order: VecDeque<String>,
    given_back: VecDeque<(Instant, String)>,
}

/// A task in hand; put down when it is dropped.
#[derive(Debug)]
pub struct Held {
    hand: Arc<Hand>,
    task_id: String,
    lease: Arc<Lease>,
}

impl Hand {
    /// Takes a task in hand. None: it is in hand already, and its lock was renewed.
    pub fn admit(self: &Arc<Self>, task_id: &str, lease: &Arc<Lease>) -> Option<Held> {
        let mut inner = self.inner.lock();
        if let Some(present) = inner.running.get(task_id)
            && !present.is_lost()
        {
            present.renew(lease.until());
            return None;
        }
        inner.parked.remove(task_id);
        inner.running.insert(task_id.to_owned(), lease.clone());
        Some(Held {
            hand: self.clone(),
            task_id: task_id.to_owned(),
            lease: lease.clone(),
        })
    }

    /// How many tasks are in hand.
    pub fn running(&self) -> usize {
        self.inner.lock().running.len()
    }

    /// How many tasks are locked without a run.
    pub fn parked(&self) -> usize {
        let now = Instant::now();
        self.inner.lock().parked.values().filter(|until| **until > now).count()
    }

    /// Leaves a task locked until `until` without a run.
    pub fn park(&self, task_id: &str, until: Instant) {
        let mut inner = self.inner.lock();
        if inner.parked.len() >= PARKED_MAX {
            let now = Instant::now();
            inner.parked.retain(|_, until| *until > now);
            if inner.parked.len() >= PARKED_MAX
                && let Some(first) = inner
                    .parked
                    .iter()
                    .min_by_key(|(_, until)| **until)
                    .map(|(id, _)| id.clone())
            {
                inner.parked.remove(&first);
            }
        }
        inner.parked.insert(task_id.to_owned(), until);
    }

    /// Whether a lock on this task is as it should be.
    pub fn accounts_for(&self, task_id: &str) -> bool {
        let inner = self.inner.lock();
        inner.running.contains_key(task_id) || inner.parked.get(task_id).is_some_and(|until| *until > Instant::now())
    }

    /// Remembers that a task is given back because no run of it is known: an answer with it may still come. False: it has
    /// come, and the task must be kept.
    #[must_use]
    pub fn give_back(&self, task_id: &str) -> bool {
        let mut inner = self.inner.lock();
        if inner.running.contains_key(task_id) {
            return false;
        }
        let now = Instant::now();
        while inner.given_back.len() >= GIVEN_BACK_MAX
            || inner
                .given_back
                .front()
                .is_some_and(|(at, _)| now.duration_since(*at) > GIVEN_BACK_FOR)
        {
            inner.given_back.pop_front();
        }
        inner.given_back.push_back((now, task_id.to_owned()));
        true
    }

    /// Whether a task was given back lately, so that a lock on it is in doubt.
    pub fn gave_back(&self, task_id: &str) -> bool {
        let inner = self.inner.lock();
        inner
            .given_back
            .iter()
            .any(|(at, id)| id == task_id && at.elapsed() <= GIVEN_BACK_FOR)
    }

    /// Counts that a task lost its lock to somebody else while it ran here; answers how often that happened.
    pub fn strike(&self, task_id: &str) -> u32 {
        let mut inner = self.inner.lock();
        if !inner.strikes.contains_key(task_id) {
            if inner.strikes_order.len() >= STRIKES_MAX
                && let Some(oldest) = inner.strikes_order.pop_front()
            {
                inner.strikes.remove(&oldest);
            }
            inner.strikes_order.push_back(task_id.to_owned());
        }
        let strikes = inner.strikes.entry(task_id.to_owned()).or_default();
        *strikes += 1;
        *strikes
    }

    /// How often a task lost its lock to somebody else while it ran here.
    pub fn strikes(&self, task_id: &str) -> u32 {
        self.inner.lock().strikes.get(task_id).copied().unwrap_or(0)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut inner = self.hand.inner.lock();
        // A run that lost its lock may have been followed by another of the same task.
        if inner
            .running
            .get(&self.task_id)
            .is_some_and(|lease| Arc::ptr_eq(lease, &self.lease))
        {
            inner.running.remove(&self.task_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(seconds: u64) -> Arc<Lease> {
        let now = Instant::now();
        Lease::new(
            now + Duration::from_secs(seconds),
            Duration::from_secs(1),
            now + Duration::from_secs(99),
        )
        .0
    }

    #[test]
    fn a_second_delivery_renews_the_lock_of_the_first() {
        let hand = Arc::new(Hand::default());
        let (first, second) = (lease(1), lease(30));
        let held = hand.admit("t", &first).unwrap();
        assert!(hand.admit("t", &second).is_none());
        assert_eq!(first.until(), second.until());
        drop(held);
        assert!(!hand.accounts_for("t"));
        assert!(hand.admit("t", &second).is_some());
    }

    #[test]
    fn a_task_that_has_arrived_is_not_given_back() {
        let hand = Arc::new(Hand::default());
        let held = hand.admit("t", &lease(1)).unwrap();
        assert!(!hand.give_back("t") && !hand.gave_back("t"));
        drop(held);
        assert!(hand.give_back("t") && hand.gave_back("t"));
    }

    #[test]
    fn parked_tasks_are_accounted_for_until_their_lock_runs_out() {
        let hand = Arc::new(Hand::default());
        hand.park("deferred", Instant::now() + Duration::from_secs(9));
        hand.park("over", Instant::now());
        assert!(hand.accounts_for("deferred") && !hand.accounts_for("over") && !hand.accounts_for("ghost"));
        assert_eq!(hand.parked(), 1);
        drop(hand.admit("deferred", &lease(1)));
        assert_eq!(hand.parked(), 0);
    }
}
