//! Keeping the lock of a task while something is done with it.
//!
//! All times are on the monotonic clock and count from when a request was *sent*: what the engine granted lasts at
//! least that long, whatever its own clock says.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use handoff_runtime::{Deadline, DeadlineHandle};
use parking_lot::Mutex;
use rand::Rng;

use crate::engines::{Engine, Fault, Holder};

/// The shortest wait between two attempts to extend a lock.
const EXTEND_PAUSE_MIN: Duration = Duration::from_millis(50);

/// How soon a lock that ran out is looked at again.
const RENEWED_WITHIN: Duration = Duration::from_millis(200);

/// The lock of one task in this host's hand.
#[derive(Debug)]
pub struct Lease {
    until: Mutex<Instant>,
    duration: Duration,
    /// The longest that the run may take, however far its lock is extended.
    limit: Instant,
    deadline: DeadlineHandle,
    lost: AtomicBool,
}

/// Why a lock is no longer ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The task is gone: ended by somebody else, or cancelled with its activity.
    Gone,
    /// The engine does not know us as its holder any more.
    Taken,
    /// It ran out, because the engine could not be reached to extend it in time.
    Expired,
}

impl Lost {
    /// A short name in snake case, for metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Gone => "task_gone",
            Self::Taken => "lock_taken",
            Self::Expired => "lock_expired",
        }
    }
}

impl Lease {
    /// A lock that lasts until `until` and is extended by `duration`, with the deadline of the run that it covers.
    pub fn new(until: Instant, duration: Duration, limit: Instant) -> (Arc<Self>, Deadline) {
        let (handle, deadline) = Deadline::movable(until.min(limit));
        let lost = AtomicBool::new(false);
        (
            Arc::new(Self {
                until: Mutex::new(until),
                duration,
                limit,
                deadline: handle,
                lost,
            }),
            deadline,
        )
    }

    /// When the lock runs out.
    pub fn until(&self) -> Instant {
        *self.until.lock()
    }

    /// The engine granted it for longer.
    pub fn renew(&self, until: Instant) {
        *self.until.lock() = until;
        self.deadline.move_to(until.min(self.limit));
    }

    /// Extends it once.
    pub async fn extend(&self, engine: &dyn Engine, task_id: &str) -> Result<(), Fault> {
        let sent = Instant::now();
        engine.extend(task_id, self.duration).await?;
        metrics::counter!("handoff_lock_extensions_total", "engine" => engine.name().to_owned()).increment(1);
        self.renew(sent + self.duration);
        Ok(())
    }

    /// Whether the run's own limit has passed, rather than its lock.
    pub fn limit_passed(&self) -> bool {
        self.limit <= Instant::now()
    }

    /// Whether it was found to be lost.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Extends the lock, about when half of it is over, until it is lost; whoever runs under it has to stop then.
    pub async fn keep(&self, engine: &dyn Engine, task_id: &str) -> Lost {
        let lost = self.keep_until_lost(engine, task_id).await;
        self.lost.store(true, Ordering::Release);
        lost
    }

    /// Extends the lock for as long as this is awaited. For a report, which no loss stops: its own answer decides, and
    /// a task that is delivered again meanwhile renews this very lock.
    pub async fn keep_if_possible(&self, engine: &dyn Engine, task_id: &str) -> Infallible {
        loop {
            match self.keep_until_lost(engine, task_id).await {
                Lost::Expired => tokio::time::sleep(RENEWED_WITHIN).await,
                Lost::Gone | Lost::Taken => std::future::pending().await,
            }
        }
    }

    async fn keep_until_lost(&self, engine: &dyn Engine, task_id: &str) -> Lost {
        loop {
            let remaining = self.until().saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                return Lost::Expired;
            }
            // Half of what is left: early enough for several tries, and spread, so that tasks that were fetched
            // together are not extended together.
            let pause = remaining
                .mul_f64(rand::rng().random_range(0.40..0.55))
                .max(EXTEND_PAUSE_MIN)
                .min(remaining);
            tokio::time::sleep(pause).await;
            let sent = Instant::now();
            let patience = self
                .until()
                .saturating_duration_since(sent)
                .mul_f64(0.5)
                .max(EXTEND_PAUSE_MIN * 5);
            match tokio::time::timeout(patience, self.extend(engine, task_id)).await {
                Ok(Ok(())) => {}
                Ok(Err(Fault::NotFound(_))) => return Lost::Gone,
                Ok(Err(Fault::Rejected(reason))) => {
                    tracing::warn!(engine = engine.name(), task = task_id, reason, "the lock is lost");
                    // Camunda does not extend a lock that has run out either, though nobody took it.
                    return match engine.holder(task_id).await {
                        Ok(Holder::Us) => Lost::Expired,
                        Ok(Holder::Gone) => Lost::Gone,
                        Ok(Holder::Nobody | Holder::Other(_)) | Err(_) => Lost::Taken,
                    };
                }
                Ok(Err(fault)) => {
                    tracing::debug!(engine = engine.name(), task = task_id, %fault, "cannot extend the lock yet");
                }
                Err(_) => tracing::debug!(
                    engine = engine.name(),
                    task = task_id,
                    "no answer to the lock's extension"
                ),
            }
        }
    }
}
