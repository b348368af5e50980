//! The sidecar: polls engines for external tasks, keeps their locks, runs each task in a fresh instance of a worker and
//! reports how it ended; serves the delegates that engines call.
//!
//! ```text
//! poll ──► dispatch ──► worker (handoff-runtime)      one long poll per engine, only for free slots
//!            │ lock        │ capabilities             one run per task; its lock is extended while it runs
//!            ▼             ▼
//!          report ──► engines/ (one trait, a folder per dialect)
//! delegates (HTTP from engines)    admin (health, metrics, status)
//! ```
//!
//! Invariant: only `engines/` knows a dialect; only `typed_json` knows how values are written.
//!
//! Invariant: a lock is never left to age that could be extended, reported or released.

pub mod admin;
mod backoff;
pub mod capabilities;
pub mod check;
pub mod config;
pub mod delegates;
pub mod dispatch;
pub mod engines;
mod files;
pub mod hand;
pub mod health;
mod host;
pub mod lock;
pub mod metric;
pub mod poll;
pub mod report;
pub mod retries;
mod run;
mod server;
pub mod slots;
pub mod sweep;
pub mod tally;
pub mod trace;
pub mod typed_json;
pub mod worker;

pub use config::{Config, ConfigError};
pub use host::{Host, HostError, runtime_config};
