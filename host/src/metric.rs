//! Every metric of the host: its name, its labels, what it counts. `docs/operations.md` and the dashboard are held to
//! this list, and so is what a running host shows.
//!
//! Labels are bounded by what is configured and by what is written here: engines, workers and delegates by their
//! configured names; never a task's, an instance's or a caller's own words.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::worker::WorkerProfile;

/// What kind of number a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// A distribution, in buckets.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it counts.
    pub help: &'static str,
}

const fn metric(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric {
        name,
        kind,
        labels,
        help,
    }
}

use Kind::{Counter, Gauge, Histogram};

/// All of them.
#[rustfmt::skip]
pub const METRICS: &[Metric] = &[
    metric("handoff_build_info", Gauge, &["version"], "1, with the host's version as a label"),
    metric("handoff_tasks_total", Counter, &["engine", "worker", "outcome"], "Tasks that left the host: completed, bpmn_error, failed, deferred; gone, task_gone (ended by somebody else); lock_taken, lock_expired; released (given back, no attempt); unreported"),
    metric("handoff_task_seconds", Histogram, &["engine", "worker"], "From a task's arrival to the engine's answer that it has ended"),
    metric("handoff_task_slots", Gauge, &[], "Tasks that may be in hand at once, all workers together"),
    metric("handoff_tasks_in_hand", Gauge, &[], "Slots in use"),
    metric("handoff_tasks_parked", Gauge, &["engine"], "Tasks that are locked without a run: deferred, or waiting for their next try"),
    metric("handoff_polls_total", Counter, &["engine", "result"], "Polls by how they ended: tasks, empty, or a fault"),
    metric("handoff_engine_reachable", Gauge, &["engine"], "1 if the engine answered last time"),
    metric("handoff_engine_faults_total", Counter, &["engine", "fault"], "Polls and probes without an answer of the engine"),
    metric("handoff_poller_restarts_total", Counter, &["engine"], "Pollers that panicked and were started again: an error of the host's own"),
    metric("handoff_token_requests_total", Counter, &["result"], "Requests for OAuth2 tokens: ok or failed"),
    metric("handoff_report_faults_total", Counter, &["engine", "fault"], "Reports of a task's end that had to be tried again or were refused"),
    metric("handoff_duplicate_deliveries_total", Counter, &["engine"], "Tasks that were delivered while they were in hand"),
    metric("handoff_forgotten_locks_total", Counter, &["engine"], "Tasks that a lost answer had locked, given back"),
    metric("handoff_lock_extensions_total", Counter, &["engine"], "Extensions of a running task's lock"),
    metric("handoff_capability_calls_total", Counter, &["call", "engine", "result"], "Workers' calls of engines: start, correlate, set_variables, settle, extend_lock, unlock, read_file; by result: ok, or a fault"),
    metric("handoff_delegate_calls_total", Counter, &["delegate", "status"], "Engines' calls of delegates by HTTP status; names that nobody serves are `unknown`"),
    metric("handoff_worker_ready", Gauge, &["worker"], "1 if a version of the worker runs"),
    metric("handoff_worker_running", Gauge, &["worker"], "Calls of the worker that run now"),
    metric("handoff_worker_calls_total", Counter, &["worker", "outcome"], "Calls of the worker: ok, or why there was no outcome"),
    metric("handoff_worker_call_seconds", Histogram, &["worker"], "A call of the worker: waiting for a slot, instantiating, running"),
    metric("handoff_worker_memory_bytes", Histogram, &["worker"], "Memory of an instance when its call ended"),
    metric("handoff_worker_log_lines_dropped_total", Counter, &["worker"], "Lines beyond the worker's log-lines limit"),
    metric("handoff_worker_denials_total", Counter, &["worker", "capability"], "Capabilities that were asked for and not granted"),
    metric("handoff_worker_swaps_total", Counter, &["worker"], "Versions that began to run"),
    metric("handoff_worker_candidates_refused_total", Counter, &["worker"], "Versions that were refused; what ran went on"),
    metric("handoff_worker_compile_cache_total", Counter, &["result"], "Components that were found compiled (hit) or were not (miss)"),
    metric("handoff_worker_info", Gauge, &["worker", "version", "state"], "1, with the version that runs and the worker's state as labels"),
    metric("handoff_worker_pinned", Gauge, &["worker"], "1 while a rollback holds the worker"),
    metric("handoff_worker_version_since_seconds", Gauge, &["worker"], "When the version took over, since 1970"),
    metric("handoff_worker_last_error_seconds", Gauge, &["worker"], "When the files in the folder were refused, since 1970; absent while they are what runs"),
    metric("handoff_worker_last_failure_seconds", Gauge, &["worker"], "When a task of the worker failed last, since 1970"),
    metric("handoff_worker_tasks_in_hand", Gauge, &["worker"], "Tasks of the worker in hand"),
    metric("handoff_worker_pool_enabled", Gauge, &[], "1 if instances come from a pool, 0 if they are made on demand, which is slower"),
    metric("handoff_worker_pool_instances", Gauge, &[], "Instances that live now"),
    metric("handoff_worker_pool_memories", Gauge, &[], "Linear memories in use"),
    metric("handoff_worker_pool_warm_memories", Gauge, &[], "Memories that are kept for the next instance of their component"),
    metric("handoff_worker_pool_resident_bytes", Gauge, &[], "Memory that unused slots of the pool keep"),
];

const SECONDS: [f64; 16] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 300.0,
];

/// From 1 MiB to 1 GiB.
const BYTES: [f64; 11] = {
    let mut buckets = [1_048_576.0; 11];
    let mut index = 1;
    while index < buckets.len() {
        buckets[index] = buckets[index - 1] * 2.0;
        index += 1;
    }
    buckets
};

/// Records all metrics of this process from now on, and shows them as Prometheus reads them.
pub(crate) fn record() -> PrometheusHandle {
    let with_buckets = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), &BYTES));
    // Fails only where there are no buckets.
    let recorder = with_buckets.unwrap_or_default().build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::warn!("another part of the process records metrics already; /metrics stays empty");
    }
    for metric in METRICS {
        match metric.kind {
            Counter => describe_counter!(metric.name, Unit::Count, metric.help),
            Gauge => describe_gauge!(metric.name, metric.help),
            Histogram => describe_histogram!(metric.name, metric.help),
        }
    }
    gauge!("handoff_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
    handle
}

/// Shows what is counted of an engine before there is anything to count: a rate needs the zero that it begins at.
pub(crate) fn begin_engine(engine: &str) {
    let label = || engine.to_owned();
    gauge!("handoff_engine_reachable", "engine" => label()).set(0);
    for result in ["tasks", "empty"] {
        counter!("handoff_polls_total", "engine" => label(), "result" => result).increment(0);
    }
    for fault in ["unreachable", "timed_out"] {
        counter!("handoff_engine_faults_total", "engine" => label(), "fault" => fault).increment(0);
        counter!("handoff_report_faults_total", "engine" => label(), "fault" => fault).increment(0);
    }
    for name in [
        "handoff_duplicate_deliveries_total",
        "handoff_forgotten_locks_total",
        "handoff_lock_extensions_total",
        "handoff_poller_restarts_total",
    ] {
        counter!(name, "engine" => label()).increment(0);
    }
}

/// The same for an engine's tasks of a worker.
pub(crate) fn begin_topic(engine: &str, worker: &WorkerProfile) {
    for outcome in ["completed", "failed"] {
        let labels = [
            ("engine", engine.to_owned()),
            ("worker", worker.name.clone()),
            ("outcome", outcome.to_owned()),
        ];
        counter!("handoff_tasks_total", &labels).increment(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_as_prometheus_wants_them() {
        for metric in METRICS {
            let rest = metric.name.strip_prefix("handoff_").unwrap();
            assert!(
                rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{}",
                metric.name
            );
            assert_eq!(metric.kind == Counter, rest.ends_with("_total"), "{}", metric.name);
            if metric.kind == Histogram {
                assert!(
                    rest.ends_with("_seconds") || rest.ends_with("_bytes"),
                    "{}",
                    metric.name
                );
            }
            for forbidden in ["task", "id", "topic", "process_instance", "le"] {
                assert!(!metric.labels.contains(&forbidden), "{}", metric.name);
            }
        }
        let mut names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), METRICS.len());
    }
}
