//! The run itself. Outside of a component it has all the time there is, and no names.

use std::time::Duration;

use crate::bindings::run as host;

/// The time that is left before the host stops this run. It grows while the host extends the task's lock.
pub fn remaining() -> Duration {
    let milliseconds = if cfg!(target_family = "wasm") {
        host::remaining_ms()
    } else {
        u32::MAX
    };
    Duration::from_millis(milliseconds.into())
}

/// The name of the worker, which is the name of its file.
pub fn worker_name() -> String {
    if cfg!(target_family = "wasm") {
        host::worker_name()
    } else {
        String::new()
    }
}

/// The version of the worker: the digest of its component and its manifest, in hex.
pub fn worker_version() -> String {
    if cfg!(target_family = "wasm") {
        host::worker_version()
    } else {
        String::new()
    }
}

/// The W3C `traceparent` of this run, to be passed on.
pub fn traceparent() -> Option<String> {
    if cfg!(target_family = "wasm") {
        host::traceparent()
    } else {
        None
    }
}
