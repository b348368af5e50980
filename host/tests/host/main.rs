//! The host over real sockets, against a fake engine that can be made to misbehave.

mod capabilities;
mod component;
mod delegates;
mod dispatch;
mod fake_engine;
mod faults;
mod locks;
mod operations;
mod polling;
mod support;
