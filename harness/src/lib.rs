//! Runs the real thing: processes of the `handoff` binary on ports of their own, a client for their REST, and proxies
//! that fail on purpose. The demo, the benchmark and the tests of the pattern are written with it.
//!
//! It is blocking and has an HTTP client of its own, so that nothing of what it observes is in the observer.
//!
//! Invariant: what is started here dies with the value that stands for it, unless it is explicitly left running; no
//! process outlives a failed test.

#![allow(
    clippy::print_stderr,
    reason = "a failed test has only its output to tell what the processes said"
)]

pub mod camunda;
mod engine;
pub mod history;
mod host;
pub mod models;
pub mod orders;
pub mod pattern;
mod ports;
mod process;
pub mod proxy;
mod rest;
mod usage;
mod wait;
mod workers;

pub use camunda::{Camunda, CamundaOptions};
pub use engine::{Engine, EngineOptions};
pub use host::{Host, HostOptions};
pub use ports::free_port;
pub use process::{Process, kill_by_id};
pub use rest::{Answer, Rest};
pub use usage::Usage;
pub use wait::{eventually, wait_until};
pub use workers::WorkersFolder;
