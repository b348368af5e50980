//! The runtime over real components: the workers of this repository, and small ones in WebAssembly text that misbehave.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a panic is how a test fails; what is measured is printed"
)]

mod calls;
mod capabilities;
mod compiling;
mod containment;
#[allow(dead_code, reason = "the host's tests need more of them")]
mod guests;
mod hot_swap;
mod languages;
mod misbehaving;
mod neighbours;
mod replacing;
mod rollback;
mod support;
