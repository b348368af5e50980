//! Finding locks that this host holds without knowing (design, F6).
//!
//! A poll whose answer was lost may have locked tasks, and one that was aborted may still do so on an engine that does
//! not notice. After each such poll the engine is asked which tasks are locked in this host's name, and those that it
//! knows nothing of are given back: they are delivered again at once instead of when their lock runs out.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    dispatch::Line,
    engines::{Engine, Fault},
    health::Health,
};

/// Locks that are looked at in one go.
const HELD_MAX: u32 = 10_000;
/// How long an answer with tasks may be on its way from an engine that lists them as locked already.
const IN_TRANSIT: Duration = Duration::from_millis(300);
/// How long an engine may take to notice that a poll's client has gone, and to commit what it was doing.
const NOTICED_WITHIN: Duration = Duration::from_secs(1);
/// The wait between two looks while an abandoned poll may still be served.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Looks for forgotten locks at one engine.
pub struct Sweeper {
    line: Line,
    health: Arc<Health>,
    due: Mutex<Option<Instant>>,
    wake: Notify,
}

impl Sweeper {
    /// For one engine.
    pub fn new(line: Line, health: Arc<Health>) -> Self {
        Self {
            line,
            health,
            due: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// A poll did not end in a fully read answer; an engine that does not notice serves it until `served_until`.
    pub fn request(&self, served_until: Instant) {
        let notices = self
            .health
            .features()
            .is_some_and(|features| features.drops_abandoned_fetches);
        let until = if notices {
            Instant::now() + NOTICED_WITHIN
        } else {
            served_until + NOTICED_WITHIN
        };
        let mut due = self.due.lock();
        *due = Some(due.map_or(until, |present| present.max(until)));
        drop(due);
        self.wake.notify_one();
    }

    /// Sweeps whenever it is requested, until it has succeeded.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.sweep_on_request() => {}
        }
    }

    async fn sweep_on_request(&self) {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(3));
        loop {
            self.wake.notified().await;
            loop {
                let Some(until) = *self.due.lock() else { break };
                let last = until <= Instant::now();
                match self.sweep().await {
                    Ok(_) => {
                        backoff.reset();
                        if last && self.settled(until) {
                            break;
                        }
                        let pause = until.saturating_duration_since(Instant::now()).min(LOOK_AGAIN);
                        tokio::time::sleep(pause).await;
                    }
                    Err(_) => tokio::time::sleep(backoff.next_wait()).await,
                }
            }
        }
    }

    /// Whether nothing was requested beyond what has been done; then nothing is due any more.
    fn settled(&self, until: Instant) -> bool {
        let mut due = self.due.lock();
        let settled = *due == Some(until);
        if settled {
            *due = None;
        }
        settled
    }

    /// Looks once, and gives back what this host does not know of. Answers how many tasks those were.
    pub async fn sweep(&self) -> Result<usize, Fault> {
        let engine = &*self.line.engine;
        let unknown = self.unknown(engine).await?;
        if unknown.is_empty() {
            return Ok(0);
        }
        // Another poll's answer with these tasks may be on its way. What is still unknown after that is forgotten.
        tokio::time::sleep(IN_TRANSIT).await;
        let mut forgotten = 0;
        for task_id in self.unknown(engine).await?.intersection(&unknown) {
            if !self.line.hand.give_back(task_id) {
                continue;
            }
            match engine.release(task_id).await {
                Ok(()) | Err(Fault::NotFound(_)) => forgotten += 1,
                Err(fault) => return Err(fault),
            }
        }
        if forgotten > 0 {
            tracing::info!(
                engine = engine.name(),
                tasks = forgotten,
                "gave back tasks that a lost answer had locked"
            );
            metrics::counter!("handoff_forgotten_locks_total", "engine" => engine.name().to_owned())
                .increment(forgotten as u64);
        }
        Ok(forgotten)
    }

    async fn unknown(&self, engine: &dyn Engine) -> Result<HashSet<String>, Fault> {
        let held = engine.held(HELD_MAX).await?;
        Ok(held.into_iter().filter(|id| !self.line.hand.accounts_for(id)).collect())
    }
}
