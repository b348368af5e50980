//! The Camunda 7 REST dialect, at `/engine-rest/…` and, the same tree, at `/engine-rest/engine/{name}/…`.
//!
//! What clients rely on is mirrored exactly: statuses, the types and codes of errors, null fields, the content type
//! `application/json` without a parameter. Commands go to the engine's writer; everything else is a SELECT on a
//! connection that cannot write. One file is one resource.
//!
//! Our own are `GET /engine-rest/handoff` (what this engine can do beyond Camunda 7), the fields `dedupeKey` and
//! `ifRunning` of starts, and `GET /metrics`.
//!
//! Invariant: every answer of 400 and above has a JSON body (see [`error`]).

mod api;
mod auth;
mod batch;
mod body;
mod condition;
mod counters;
mod date;
mod decision_definition;
mod decision_requirements;
mod definition;
mod deployment;
mod engine;
mod error;
mod event_subscription;
mod execution;
mod external_task;
mod form;
#[cfg(test)]
mod fuzz;
mod guard;
mod history;
mod id;
mod identity;
mod incident;
mod instructions;
mod job;
mod job_definition;
mod message;
mod metrics;
mod migration;
mod modification;
mod once;
mod openapi;
mod path;
mod process_definition;
mod process_instance;
mod query;
mod reader;
mod router;
mod scope;
mod server;
mod signal;
mod suspension;
mod targets;
mod task;
mod variable_instance;
pub(crate) mod variables;

pub use self::auth::AuthError;
pub use self::router::router;
pub use self::server::{ServeError, Server};
