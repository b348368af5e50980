//! The host over real sockets, against a fake engine that can be made to misbehave.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking; clippy's own exception covers only the functions that are marked as tests"
)]

mod auth;
mod book;
mod capabilities;
mod cases;
mod component;
mod containment;
mod defects;
mod delegates;
mod dispatch;
mod draining;
mod fake_engine;
mod faults;
#[path = "../../runtime/tests/runtime/guests.rs"]
#[allow(dead_code, reason = "the runtime's tests need more of them")]
mod guests;
mod locks;
mod operations;
mod outages;
mod polling;
mod real_engine;
mod secrets;
mod support;
mod tls;
mod token_endpoint;
mod wire;
