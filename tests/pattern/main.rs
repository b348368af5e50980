//! The promises of the hand-off, each a test over real processes and sockets: two engines with databases of their own,
//! one or two hosts, and proxies between them that fail on purpose.
//!
//! Every test has a set-up of its own. What is asserted about orders is read from both engines' histories.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "in a test an error is a failure, and its helpers are no #[test] functions"
)]

mod async_after;
mod bad_input;
mod bind_mount;
mod broken_components;
mod counting;
mod delivered_twice;
mod engine_down;
mod engine_killed;
mod host_killed;
mod hot_swap;
mod idle;
mod limits;
mod lost_commit;
mod name_resolution;
mod namespace;
mod observed;
mod orders_at_once;
mod packaging;
mod rollback;
mod scene;
mod slow_compile;
mod slow_delegate;
mod stopping;
mod traces;
mod two_hosts;
