//! Workers for Handoff, written in Rust.
//!
//! A worker is a WebAssembly component that handles the external tasks of BPMN engines. In Rust it is one function:
//!
//! ```
//! use handoff_sdk::{Completion, Result, Task};
//!
//! #[handoff_sdk::handler]
//! fn handle(task: Task) -> Result<Completion> {
//!     let name: String = task.get("name")?;
//!     Ok(Completion::new().variable("greeting", format!("Hello, {name}!")))
//! }
//! ```
//!
//! It is built by `cargo build --target wasm32-wasip2` as a `cdylib`, and put into a host's folder of workers with a
//! manifest of the same name beside it that says which topics of which engine it serves.
//!
//! # Ending a task
//!
//! A handler returns anything that is [`IntoOutcome`]:
//!
//! - [`Completion`]: the task is done, with variables for the process;
//! - [`BpmnError`]: a business error that the process model handles;
//! - [`Failure`]: a technical one; the engine offers the task again, or raises an incident when no retries are left.
//!   `?` makes any [`std::error::Error`] one;
//! - [`Deferral`]: somebody else will complete the task, by [`tasks::complete`]. The lock runs on; when it runs out the
//!   task is delivered again, so what was done before must be idempotent: start processes by [`Task::start`].
//!
//! [`Outcome`] holds either. Tasks are delivered **at least once**.
//!
//! # Being called by an engine
//!
//! A function with [`#[delegate]`](delegate) is called synchronously by an engine, within its transaction: as a listener,
//! or as the behaviour of a service task. A crate may have a handler and a delegate; its component then does both.
//!
//! # Capabilities
//!
//! What a worker may do beside ending its own task is granted in its manifest *and* by the host's operator:
//! [`processes`], [`tasks`], [`secrets`], and HTTP through `wasi:http`. What was not granted fails with
//! [`EngineError::Denied`], which names the line that would grant it. [`config`], [`run`] and logging are always there;
//! logging is the [`log`] crate's, with fields: `log::info!(item, quantity; "counted")`.
//!
//! # Panics
//!
//! A panic ends the run: the host logs its message and place, and reports the task as failed.
//!
//! # Tests
//!
//! A worker's crate also compiles for the machine it is written on, where `cargo test` can call its functions with a
//! [`Task::new`]. Capabilities answer [`EngineError::Unavailable`] there.

extern crate self as handoff_sdk;

mod bindings;
pub mod config;
mod delegation;
mod deserialize;
mod engine_error;
mod error;
mod execution;
mod export;
mod logging;
mod outcome;
pub mod processes;
pub mod run;
pub mod secrets;
mod start_once;
mod task;
pub mod tasks;
mod value;
mod variables;

pub use bindings::delegate::{Delegation, Execution, ExecutionEvent};
pub use bindings::types::{
    BpmnError, Completion, Deferral, Denial, Failure, File, FileContent, FileReference, Instant, Outcome, Serialized,
    Task, TaskRef, Value, Variable,
};
pub use delegation::IntoDelegation;
pub use deserialize::VariableError;
pub use engine_error::EngineError;
pub use error::{Error, Result};
pub use handoff_sdk_macros::{delegate, handler};
pub use outcome::IntoOutcome;
pub use variables::Variables;

// What workers use together with this crate, so that it can stay their only dependency.
pub use {log, serde, serde_json};

/// What the attributes expand to. Not for use by hand; it may change with every version.
#[doc(hidden)]
pub mod __private {
    pub use crate::bindings::delegate::{DelegateError, Guest as DelegateGuest};
    pub use crate::bindings::listener::export_delegate;
    pub use crate::bindings::worker::export_handler;
    pub use crate::bindings::worker::exports::handoff::worker::handler::Guest as HandlerGuest;
    pub use crate::bindings::{listener, worker};
    pub use crate::export::{call_delegate, call_handler};
    pub use wit_bindgen::rt;

    /// What a delegate's export answers.
    pub type DelegateAnswer = Result<crate::Delegation, DelegateError>;
}

/// The README's examples are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
