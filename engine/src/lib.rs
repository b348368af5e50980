//! The engine: a durable store, a service that decides commands in groups, and the Camunda 7 REST dialect over both.
//!
//! What a process model means is decided in `handoff-machine`, which does no I/O; this crate is everything around it.
//! See ARCHITECTURE.md.

pub mod config;
pub mod model;
pub mod rest;
pub mod serve;
pub mod service;
pub mod store;

pub use self::config::{Config, DelegatesConfig, HistoryLevel, Limits, TlsFiles};
pub use self::serve::{EngineError, serve};
pub use self::service::{CommandError, Engine};
pub use self::store::OpenError;
pub use self::store::backup::{BackupError, Examination, backup, examine};
