//! Health, metrics and status over HTTP.
//!
//! `/healthz`: the process serves. `/readyz`: every engine answers; a worker that could not be loaded does not make the
//! host unready (the others run), but is listed. `/metrics`: Prometheus. `/workers`: what runs, and what is wrong;
//! `/status`: both. `POST /workers/{name}/rollback` and `…/unpin` change what runs.

mod workers;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    response::IntoResponse,
    routing::{get, post},
};
use handoff_runtime::{Catalog, Registry};
use http::{StatusCode, header::CONTENT_TYPE};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio::sync::watch;

pub use self::workers::{PinStatus, WorkerStatus};
use crate::{dispatch::Line, health::Health, slots::Slots, tally::Tallies};

/// What the admin server shows.
pub struct Status {
    pub(crate) engines: Vec<(Line, Arc<Health>)>,
    pub(crate) catalog: watch::Receiver<Arc<Catalog>>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) tallies: Arc<Tallies>,
    /// The folder, where the workers are in one.
    pub(crate) registry: Option<Arc<Registry>>,
    /// Whoever reaches the admin server may change what runs: it is loopback's, or demands a token.
    pub(crate) may_change: bool,
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
    /// Polls come back when they should. An engine without topics, or without free slots for them, is not polled.
    pub polled: bool,
    /// Tasks in hand.
    pub running: usize,
    /// Tasks that are locked without a run: deferred, or waiting for their next try.
    pub parked: usize,
}

/// `/status`: all that a person wants to see at once.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// Whether the host can do its work.
    pub ready: bool,
    /// Its engines, by name.
    pub engines: BTreeMap<String, EngineStatus>,
    /// What a person should look at, ready or not.
    pub problems: Vec<String>,
    /// Tasks in hand.
    pub tasks: u32,
    /// Tasks that could be in hand.
    pub task_slots: u32,
    /// The workers.
    pub workers: Vec<WorkerStatus>,
}

impl Status {
    /// Whether the host can do its work, and what is in its way.
    pub fn readiness(&self) -> Readiness {
        let catalog = self.catalog.borrow().clone();
        let mut problems = Vec::new();
        let mut engines = BTreeMap::new();
        for (line, health) in &self.engines {
            let name = line.engine.name();
            let report = health.report();
            let polled = report.overdue.is_none();
            if let Some(overdue) = report.overdue {
                problems.push(format!(
                    "engine {name}: the poller should have been heard of {} s ago",
                    overdue.as_secs()
                ));
            }
            match &report.fault {
                Some(fault) => problems.push(format!("engine {name}: {fault}")),
                None if !report.reachable => problems.push(format!("engine {name}: not reached yet")),
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
            ready: !stopping && engines.values().all(|engine| engine.reachable && engine.polled),
            engines,
            workers: catalog.workers().filter(|worker| worker.current.is_some()).count(),
            problems,
        }
    }

    /// What runs, and what is wrong.
    pub fn workers(&self) -> Vec<WorkerStatus> {
        let catalog = self.catalog.borrow().clone();
        catalog.workers().map(|worker| self.worker(worker)).collect()
    }

    /// All of it.
    pub fn overview(&self) -> Overview {
        let readiness = self.readiness();
        Overview {
            ready: readiness.ready,
            engines: readiness.engines,
            problems: readiness.problems,
            tasks: self.slots.used(),
            task_slots: self.slots.total(),
            workers: self.workers(),
        }
    }

    /// The metrics, in Prometheus's form.
    pub fn metrics(&self) -> String {
        metrics::gauge!("handoff_tasks_in_hand").set(self.slots.used());
        metrics::gauge!("handoff_task_slots").set(self.slots.total());
        for (line, ..) in &self.engines {
            metrics::gauge!("handoff_tasks_parked", "engine" => line.engine.name().to_owned())
                .set(line.hand.parked() as f64);
        }
        self.metrics.render() + &workers::exposition(&self.workers())
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
            .route("/workers", get(list))
            .route("/status", get(overview))
            .route("/workers/{name}/rollback", post(workers::rollback))
            .route("/workers/{name}/unpin", post(workers::unpin))
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

async fn list(State(status): State<Arc<Status>>) -> impl IntoResponse {
    Json(status.workers())
}

async fn overview(State(status): State<Arc<Status>>) -> impl IntoResponse {
    Json(status.overview())
}

async fn prometheus(State(status): State<Arc<Status>>) -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        status.metrics(),
    )
}
