//! Runs worker components: the wasmtime engine, the bindings to the WIT contract, limits, capabilities, and the
//! registry that hot-swaps workers from a folder.
//!
//! This crate knows no engine and no HTTP dialect. Whoever embeds it implements [`Capabilities`] over its engines, opens
//! a [`Registry`] over a folder, and calls [`WorkerVersion::handle`] or [`WorkerVersion::execute`].
//!
//! Invariant: a call runs in an instance of its own that is dropped with the call; nothing survives in guest memory.
//!
//! Invariant: nothing a guest does can delay the runtime that the embedder runs on: guests run on threads of their own.

pub mod bindings;
mod cache;
mod call;
pub mod capabilities;
pub mod compile;
pub mod config;
mod deadline;
mod engine;
mod error;
mod limits;
mod logs;
pub mod manifest;
mod meter;
pub mod registry;
mod runtime;
mod state;
mod version;

pub use bindings::wit;
pub use call::{CallContext, NoEngines};
pub use capabilities::{Caller, Capabilities};
pub use config::{Allocator, CompileMode, OperatorPolicy, RuntimeConfig, SecretSource, WorkerLimits};
pub use deadline::{Deadline, DeadlineHandle};
pub use error::{CallError, CallErrorKind, RuntimeError};
pub use manifest::{Grants, Manifest, ManifestError, TopicSubscription};
pub use registry::{
    CandidateError, Catalog, Pinned, Registry, RegistryConfig, RollbackError, WorkerPhase, WorkerState, check_state_dir,
};
pub use runtime::Runtime;
pub use version::{Digest, WorkerVersion};
