//! Health, metrics and status over HTTP.
//!
//! `/healthz`: the process serves. `/readyz`: every engine answers; a worker that could not be loaded does not make the
//! host unready (the others run), but is listed. `/metrics`: Prometheus. `/workers`: what runs, and what is wrong.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Json, Router, extract::State, response::IntoResponse, routing::get};
use handoff_runtime::Catalog;
use http::{StatusCode, header::CONTENT_TYPE};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio::sync::watch;

use crate::{dispatch::Line, health::Health, slots::Slots};

/// What the admin server shows.
pub struct Status {
    pub(crate) engines: Vec<(Line, Arc<Health>, Duration)>,
    pub(crate) catalog: watch::Receiver<Arc<Catalog>>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) stopping: tokio_util::sync::CancellationToken,
}

/// `/readyz`
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// Whether the host can do its work.
    pub ready: bool,
    /// Its engines, by name.
    pub engines: BTreeMap<String, EngineStatus>,
    /// How many workers run.
    pub workers: usize,
    /// What a person should look at, ready or not.
    pub problems: Vec<String>,
}

/// One engine.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineStatus {
    /// It answered last time.
    pub reachable: bool,
    /// What it calls itself.
    pub product: Option<String>,
    /// Why it is not reachable.
    pub fault: Option<String>,
    /// For how long it has not answered, in milliseconds.
    pub failing_for_ms: Option<u128>,
    /// How long ago a poll was last read to its end, in milliseconds.
    pub last_poll_ms: Option<u128>,
    /// Polls come back when they should. An engine without topics is not polled.
    pub polled: bool,
    /// Tasks in hand.
    pub running: usize,
    /// Tasks that are locked without a run: deferred, or waiting for their next try.
    pub parked: usize,
}

/// One worker.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerStatus {
    /// Its name.
    pub name: String,
    /// The version that runs.
    pub version: Option<String>,
    /// `ready`, `loading` or `failed`.
    pub state: &'static str,
    /// Why what is in the folder does not run.
    pub last_error: Option<String>,
    /// Since when this version runs, in seconds since 1970.
    pub since: Option<u64>,
    /// `engine/topic` for each topic.
    pub topics: Vec<String>,
    /// Delegates.
    pub delegates: Vec<String>,
    /// Tasks in hand.
    pub tasks: u32,
}

impl Status {
    /// Whether the host can do its work, and what is in its way.
    pub fn readiness(&self) -> Readiness {
        let catalog = self.catalog.borrow().clone();
        let mut problems = Vec::new();
        let mut engines = BTreeMap::new();
        for (line, health, poll_period) in &self.engines {
            let name = line.engine.name();
            let report = health.report();
            let wanted = catalog.topics().any(|(engine, ..)| engine == name);
            let polled = !wanted || report.last_poll.is_some_and(|ago| ago <= *poll_period);
            match &report.fault {
                Some(fault) => problems.push(format!("engine {name}: {fault}")),
                None if !report.reachable => problems.push(format!("engine {name}: not reached yet")),
                // At its cap a host rightly does not poll.
                None if !polled && self.slots.free() > 0 && report.last_poll.is_some() => {
                    problems.push(format!(
                        "engine {name}: no poll has come back for {} s",
                        report.last_poll.unwrap_or_default().as_secs()
                    ));
                }
                None => {}
            }
            let status = EngineStatus {
                reachable: report.reachable,
                product: report.product,
                fault: report.fault,
                failing_for_ms: report.failing_for.map(|time| time.as_millis()),
                last_poll_ms: report.last_poll.map(|time| time.as_millis()),
                polled,
                running: line.hand.running(),
                parked: line.hand.parked(),
            };
            engines.insert(name.to_owned(), status);
        }
        let stopping = self.stopping.is_cancelled();
        if stopping {
            problems.push("the host is stopping".to_owned());
        }
        problems.extend(catalog.workers().filter_map(|worker| {
            worker
                .last_error
                .as_ref()
                .map(|error| format!("worker {}: {error}", worker.name))
        }));
        Readiness {
            ready: !stopping && engines.values().all(|engine| engine.reachable),
            engines,
            workers: catalog.workers().filter(|worker| worker.current.is_some()).count(),
            problems,
        }
    }

    /// What runs, and what is wrong.
    pub fn workers(&self) -> Vec<WorkerStatus> {
        let catalog = self.catalog.borrow().clone();
        catalog
            .workers()
            .map(|worker| {
                let manifest = worker.current.as_ref().map(|version| version.manifest());
                WorkerStatus {
                    name: worker.name.clone(),
                    version: worker.current.as_ref().map(|version| version.digest().to_string()),
                    state: worker.phase.label(),
                    last_error: worker.last_error.as_ref().map(ToString::to_string),
                    since: worker
                        .since
                        .and_then(|at: SystemTime| at.duration_since(UNIX_EPOCH).ok())
                        .map(|since| since.as_secs()),
                    topics: manifest
                        .iter()
                        .flat_map(|manifest| {
                            manifest.topics.iter().map(|topic| {
                                format!("{}/{}", manifest.engine_of(topic).unwrap_or_default(), topic.name)
                            })
                        })
                        .collect(),
                    delegates: manifest.map(|manifest| manifest.delegates.clone()).unwrap_or_default(),
                    tasks: self.slots.used_by(&worker.name),
                }
            })
            .collect()
    }

    /// The routes.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route(
                "/healthz",
                get(|| async { Json(serde_json::json!({ "status": "ok" })) }),
            )
            .route("/readyz", get(readyz))
            .route("/metrics", get(prometheus))
            .route("/workers", get(workers))
            .with_state(self)
    }
}

async fn readyz(State(status): State<Arc<Status>>) -> impl IntoResponse {
    let readiness = status.readiness();
    (
        if readiness.ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        },
        Json(readiness),
    )
}

async fn workers(State(status): State<Arc<Status>>) -> impl IntoResponse {
    Json(status.workers())
}

async fn prometheus(State(status): State<Arc<Status>>) -> impl IntoResponse {
    metrics::gauge!("handoff_tasks_in_hand").set(status.slots.used());
    metrics::gauge!("handoff_task_slots").set(status.slots.total());
    for (line, ..) in &status.engines {
        metrics::gauge!("handoff_tasks_parked", "engine" => line.engine.name().to_owned())
            .set(line.hand.parked() as f64);
    }
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        status.metrics.render(),
    )
}
