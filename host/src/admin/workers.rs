//! The workers as people and Prometheus see them, and what may be changed about them.
//!
//! Changing is for whoever may be trusted: `POST` with the media type of JSON, which no form of a web page can send, on a
//! listener that is loopback or demands a token. The server refuses foreign origins and hosts before that.

use std::{
    fmt::Write,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use handoff_runtime::{RollbackError, WorkerState};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::Status;
use crate::{
    delegates::require_json,
    server::Refusal,
    tally::{Done, Failure},
};

/// One worker.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerStatus {
    /// Its name.
    pub name: String,
    /// The version that runs.
    pub version: Option<String>,
    /// `ready`, `loading`, `failed` or `pinned`.
    pub state: &'static str,
    /// Why what is in the folder does not run.
    pub last_error: Option<String>,
    /// When that was found out, in seconds since 1970.
    pub last_error_at: Option<u64>,
    /// The rollback that holds it.
    pub pinned: Option<PinStatus>,
    /// Since when this version runs, in seconds since 1970.
    pub since: Option<u64>,
    /// How long compiling it took, in milliseconds; none where the cache had it.
    pub compile_ms: Option<f64>,
    /// `engine/topic` for each topic.
    pub topics: Vec<String>,
    /// Delegates.
    pub delegates: Vec<String>,
    /// Tasks in hand.
    pub tasks: u32,
    /// Tasks that ended as the worker said, since the host started.
    pub ended: u64,
    /// Tasks that were reported as failed, since the host started.
    pub failed: u64,
    /// What the engine was told of the last one.
    pub last_failure: Option<String>,
    /// When that was, in seconds since 1970.
    pub last_failure_at: Option<u64>,
    /// When a task ended last, in seconds since 1970.
    pub last_task_at: Option<u64>,
    /// The median of the last tasks' times, in milliseconds.
    pub p50_ms: Option<f64>,
    /// The 99th percentile of the last tasks' times, in milliseconds.
    pub p99_ms: Option<f64>,
}

/// A rollback that holds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PinStatus {
    /// The version that is held.
    pub version: String,
    /// The version in the folder that it was rolled back from.
    pub displaced: Option<String>,
    /// Since when, in seconds since 1970.
    pub since: u64,
}

impl WorkerStatus {
    pub(super) fn of(worker: &WorkerState, tasks: u32, done: Done) -> Self {
        let manifest = worker.current.as_ref().map(|version| version.manifest());
        let topics = manifest.iter().flat_map(|manifest| {
            let engine = |topic| manifest.engine_of(topic).unwrap_or_default();
            manifest
                .topics
                .iter()
                .map(move |topic| format!("{}/{}", engine(topic), topic.name))
        });
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        let (last_failure, last_failure_at) = match done.last_failure {
            Some(Failure { message, at }) => (Some(message), seconds(at)),
            None => (None, None),
        };
        Self {
            name: worker.name.clone(),
            version: worker.current.as_ref().map(|version| version.digest().to_string()),
            state: worker.phase.label(),
            last_error: worker.last_error.as_ref().map(ToString::to_string),
            last_error_at: worker.last_error.as_ref().and_then(|error| seconds(error.at)),
            pinned: worker.pinned.map(|pinned| PinStatus {
                version: pinned.version.to_string(),
                displaced: pinned.displaced.map(|digest| digest.to_string()),
                since: seconds(pinned.since).unwrap_or_default(),
            }),
            since: worker.since.and_then(seconds),
            compile_ms: worker
                .current
                .as_ref()
                .and_then(|version| version.compiled_in())
                .map(millis),
            topics: topics.collect(),
            delegates: manifest.map(|manifest| manifest.delegates.clone()).unwrap_or_default(),
            tasks,
            ended: done.ended,
            failed: done.failed,
            last_failure,
            last_failure_at,
            last_task_at: done.last_end.and_then(seconds),
            p50_ms: done.p50.map(millis),
            p99_ms: done.p99.map(millis),
        }
    }
}

fn seconds(at: SystemTime) -> Option<u64> {
    at.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// `POST /workers/{name}/rollback`
pub(super) async fn rollback(
    State(status): State<Arc<Status>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    // Read, so that the connection can be used again.
    _body: Bytes,
) -> Result<Json<WorkerStatus>, Refusal> {
    let registry = status.changeable(&headers)?;
    let worker = registry.rollback(&name).await.map_err(refusal)?;
    Ok(Json(status.worker(&worker)))
}

/// `POST /workers/{name}/unpin`
pub(super) async fn unpin(
    State(status): State<Arc<Status>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    // Read, so that the connection can be used again.
    _body: Bytes,
) -> Result<Json<WorkerStatus>, Refusal> {
    let registry = status.changeable(&headers)?;
    let worker = registry.unpin(&name).await.map_err(refusal)?;
    Ok(Json(status.worker(&worker)))
}

impl Status {
    pub(super) fn worker(&self, worker: &WorkerState) -> WorkerStatus {
        WorkerStatus::of(worker, self.slots.used_by(&worker.name), self.tallies.of(&worker.name))
    }

    /// The workers' folder, if this request may change what runs.
    fn changeable(&self, headers: &HeaderMap) -> Result<&handoff_runtime::Registry, Refusal> {
        if !self.may_change {
            let message =
                "this listener is open to others and demands no token, so it only shows; add token-file to [admin]";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "ReadOnly", message));
        }
        require_json(headers)?;
        self.registry.as_deref().ok_or_else(|| {
            let message = "the workers of this host are not in a folder";
            Refusal::new(StatusCode::NOT_FOUND, "NoFolder", message)
        })
    }
}

fn refusal(error: RollbackError) -> Refusal {
    let (status, type_name) = match error {
        RollbackError::UnknownWorker { .. } => (StatusCode::NOT_FOUND, "UnknownWorker"),
        RollbackError::NothingKept(_) => (StatusCode::CONFLICT, "NothingKept"),
        RollbackError::Refused { .. } => (StatusCode::CONFLICT, "Refused"),
        RollbackError::Busy(_) => (StatusCode::CONFLICT, "Busy"),
        RollbackError::Overtaken(_) => (StatusCode::CONFLICT, "Overtaken"),
        RollbackError::Storage(_) => (StatusCode::INTERNAL_SERVER_ERROR, "StateUnwritable"),
        RollbackError::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "Stopping"),
    };
    Refusal::new(status, type_name, error.to_string())
}

/// The workers in Prometheus' text form. Written from what runs now rather than recorded, so that a version that is gone
/// leaves no series behind.
pub(super) fn exposition(workers: &[WorkerStatus]) -> String {
    let mut text = String::new();
    let mut family = |name: &str, help: &str, value: &dyn Fn(&WorkerStatus) -> Option<(String, f64)>| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for worker in workers {
            if let Some((labels, value)) = value(worker) {
                let _ = writeln!(text, "{name}{{worker=\"{}\"{labels}}} {value}", escaped(&worker.name));
            }
        }
    };
    let plain = |value: Option<u64>| value.map(|value| (String::new(), value as f64));
    family(
        "handoff_worker_info",
        "The version that runs, and the worker's state",
        &|worker| {
            let version = worker.version.as_deref().unwrap_or_default();
            let short = &version[..version.len().min(12)];
            Some((format!(",version=\"{short}\",state=\"{}\"", worker.state), 1.0))
        },
    );
    family(
        "handoff_worker_pinned",
        "1 while a rollback holds the worker",
        &|worker| plain(Some(u64::from(worker.pinned.is_some()))),
    );
    family(
        "handoff_worker_version_since_seconds",
        "When the version took over, since 1970",
        &|worker| plain(worker.since),
    );
    family(
        "handoff_worker_last_error_seconds",
        "When the files in the folder were refused, since 1970; absent while they are what runs",
        &|worker| plain(worker.last_error_at),
    );
    family(
        "handoff_worker_last_failure_seconds",
        "When a task of the worker failed last, since 1970",
        &|worker| plain(worker.last_failure_at),
    );
    family("handoff_worker_tasks_in_hand", "Tasks in hand", &|worker| {
        plain(Some(u64::from(worker.tasks)))
    });
    text
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
