//! The metrics of one worker. Labels are bounded: the worker's name and the kind of outcome.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::error::CallErrorKind;

/// The handles of a worker's metrics, looked up once.
pub(crate) struct WorkerMeter {
    worker: String,
    succeeded: Counter,
    seconds: Histogram,
    memory: Histogram,
    dropped_lines: Counter,
    running: Running,
}

#[derive(Clone)]
struct Running {
    count: Arc<AtomicU32>,
    gauge: Gauge,
}

/// Counts a call as running while it is alive.
pub(crate) struct RunningGuard(Running);

impl WorkerMeter {
    pub(crate) fn new(worker: &str) -> Self {
        let label = || worker.to_owned();
        // Shown before there is anything to count: a rate needs the zero that it begins at.
        counter!("handoff_worker_swaps_total", "worker" => label()).increment(0);
        counter!("handoff_worker_candidates_refused_total", "worker" => label()).increment(0);
        for capability in ["processes", "tasks", "http", "secrets"] {
            counter!("handoff_worker_denials_total", "worker" => label(), "capability" => capability).increment(0);
        }
        Self {
            worker: label(),
            succeeded: counter!("handoff_worker_calls_total", "worker" => label(), "outcome" => "ok"),
            seconds: histogram!("handoff_worker_call_seconds", "worker" => label()),
            memory: histogram!("handoff_worker_memory_bytes", "worker" => label()),
            dropped_lines: counter!("handoff_worker_log_lines_dropped_total", "worker" => label()),
            running: Running {
                count: Arc::default(),
                gauge: gauge!("handoff_worker_running", "worker" => label()),
            },
        }
    }

    /// A call has ended; `dropped` log lines exceeded its limit.
    pub(crate) fn finished(&self, elapsed: Duration, failure: Option<CallErrorKind>, dropped: u64) {
        self.seconds.record(elapsed);
        if dropped > 0 {
            self.dropped_lines.increment(dropped);
        }
        match failure {
            None => self.succeeded.increment(1),
            Some(kind) => {
                counter!("handoff_worker_calls_total", "worker" => self.worker.clone(), "outcome" => kind.label())
                    .increment(1);
            }
        }
    }

    /// The memory that a call's instance had in the end.
    #[allow(clippy::cast_precision_loss, reason = "histograms are floating-point numbers")]
    pub(crate) fn memory(&self, bytes: usize) {
        self.memory.record(bytes as f64);
    }

    pub(crate) fn running(&self) -> RunningGuard {
        self.running.count.fetch_add(1, Ordering::Relaxed);
        self.running.gauge.increment(1);
        RunningGuard(self.running.clone())
    }

    pub(crate) fn now_running(&self) -> u32 {
        self.running.count.load(Ordering::Relaxed)
    }
}

impl Drop for RunningGuard {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
        self.0.gauge.decrement(1);
    }
}
