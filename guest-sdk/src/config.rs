//! Settings of the worker: its manifest's `[config]`, overridden by the operator's. Empty outside of a component.

use crate::bindings::config as host;

/// One setting.
pub fn get(key: &str) -> Option<String> {
    if cfg!(target_family = "wasm") {
        host::get(key)
    } else {
        None
    }
}

/// All settings.
pub fn get_all() -> Vec<(String, String)> {
    if cfg!(target_family = "wasm") {
        host::get_all()
    } else {
        Vec::new()
    }
}
