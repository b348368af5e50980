//! From a task that the engine locked to the report of how it ended.
//!
//! A task is run once at a time, in a slot, under a lock that is extended while it runs and while its end is reported.
//! Whatever happens, the engine is told: an outcome, a failure with one retry less, or the task is given back. Giving
//! back is for what was no attempt: no slot, no worker any more, a stop.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use handoff_runtime::{
    CallContext, Capabilities,
    wit::types::{Task, Value},
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    engines::{Engine, Fault, Locked},
    hand::Hand,
    health::Health,
    lock::Lease,
    run::Run,
    slots::Slots,
    tally::Tallies,
    trace::TRACEPARENT,
    worker::Workforce,
};

/// How long giving a task back may take.
const RELEASE_TIME: Duration = Duration::from_secs(2);

/// An engine with the tasks of it that are in hand.
#[derive(Clone)]
pub struct Line {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// Its tasks.
    pub hand: Arc<Hand>,
    /// What is known of it.
    pub health: Arc<Health>,
}

/// Runs tasks.
pub struct Dispatcher {
    workforce: watch::Receiver<Arc<Workforce>>,
    capabilities: Arc<dyn Capabilities>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) lost_locks_max: u32,
    pub(crate) tallies: Arc<Tallies>,
    runs: TaskTracker,
    pub(crate) abort: CancellationToken,
    me: Weak<Self>,
}

impl Dispatcher {
    /// Prepares to run the tasks of `workforce`.
    pub fn new(
        workforce: watch::Receiver<Arc<Workforce>>,
        capabilities: Arc<dyn Capabilities>,
        slots: Arc<Slots>,
        lost_locks_max: u32,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            workforce,
            capabilities,
            slots,
            lost_locks_max,
            tallies: Arc::default(),
            runs: TaskTracker::new(),
            abort: CancellationToken::new(),
            me: me.clone(),
        })
    }

    /// Takes a task over from a poll. False: it is in hand already, and its lock was renewed.
    pub fn deliver(&self, line: &Line, locked: Locked) -> bool {
        let workforce = self.workforce.borrow().clone();
        let worker = workforce.topic(line.engine.name(), &locked.task.topic).cloned();
        let time_limit = worker
            .as_ref()
            .map_or(Duration::ZERO, |worker| worker.profile().time_limit);
        let (lease, deadline) = Lease::new(locked.until, locked.duration, Instant::now() + time_limit);
        let Some(held) = line.hand.admit(&locked.task.id.id, &lease) else {
            metrics::counter!("handoff_duplicate_deliveries_total", "engine" => line.engine.name().to_owned())
                .increment(1);
            return false;
        };
        let Some(dispatcher) = self.me.upgrade() else {
            return false;
        };
        // Taken here and not by the run: the next poll is planned before the run begins.
        let slot = worker.as_ref().and_then(|worker| {
            let profile = worker.profile();
            self.slots.try_acquire(&profile.name, profile.concurrency)
        });
        let (line, arrived) = (line.clone(), Instant::now());
        self.runs.spawn(async move {
            let Locked { task, defect, .. } = locked;
            let Some(worker) = worker else {
                tracing::info!(
                    engine = line.engine.name(),
                    task = task.id.id,
                    topic = task.topic,
                    "no worker for the task any more"
                );
                release(&line, &task.id.id).await;
                return;
            };
            let context = CallContext {
                deadline,
                capabilities: dispatcher.capabilities.clone(),
                cancel: CancellationToken::new(),
                traceparent: traceparent(&task),
            };
            let run = Run {
                dispatcher: &dispatcher,
                line: &line,
                worker: &*worker,
                lease,
                held,
                arrived,
            };
            run.observed(slot, task, context, defect).await;
        });
        true
    }

    /// Waits until nothing runs, or until `deadline`; then stops what still runs and gives it back.
    pub async fn drain(&self, deadline: Instant) {
        self.runs.close();
        if tokio::time::timeout_at(deadline.into(), self.runs.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                running = self.runs.len(),
                "the time to stop is over: running tasks are given back"
            );
            self.abort.cancel();
            let _ = tokio::time::timeout(RELEASE_TIME + Duration::from_millis(500), self.runs.wait()).await;
        }
    }

    /// Tasks that are in hand.
    pub fn running(&self) -> usize {
        self.runs.len()
    }
}

/// Gives a task back. If that fails its lock runs out by itself.
pub(crate) async fn release(line: &Line, task_id: &str) {
    match tokio::time::timeout(RELEASE_TIME, line.engine.release(task_id)).await {
        Ok(Ok(()) | Err(Fault::NotFound(_))) => {}
        Ok(Err(fault)) => {
            tracing::warn!(engine = line.engine.name(), task = task_id, %fault, "cannot give the task back")
        }
        Err(_) => tracing::warn!(
            engine = line.engine.name(),
            task = task_id,
            "cannot give the task back in time"
        ),
    }
}

/// The trace that the process belongs to: an extension property of the activity, else a variable.
fn traceparent(task: &Task) -> Option<String> {
    let property = task
        .extension_properties
        .iter()
        .find(|(key, _)| key == TRACEPARENT)
        .map(|(_, value)| value.clone());
    property.or_else(|| {
        task.variables
            .iter()
            .find(|variable| variable.name == TRACEPARENT)
            .and_then(|variable| match &variable.value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            })
    })
}
