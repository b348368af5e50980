//! Whether a component is of this host's world: what it imports is offered, and it exports a handler, a delegate, or both.

use wasmtime::{
    Engine,
    component::{Component, InstancePre, Linker},
};

use crate::{
    bindings::{delegate_export, handler_export},
    manifest::Manifest,
    state::RunState,
};

/// The package that this host offers and calls.
const PACKAGE: &str = "handoff:worker";
const VERSION: &str = "0.1.0";

/// A component that fits, with what it exports.
pub(super) struct Exports {
    pub(super) pre: InstancePre<RunState>,
    pub(super) handler: Option<handler_export::GuestIndices>,
    pub(super) delegate: Option<delegate_export::GuestIndices>,
    names: String,
}

/// Links a component and finds its exports.
pub(super) fn check(linker: &Linker<RunState>, component: &Component) -> Result<Exports, String> {
    let names = exports_of(component);
    let pre = linker.instantiate_pre(component).map_err(|error| {
        format!(
            "it imports something that this host does not offer: {error:#}. This host offers {PACKAGE}@{VERSION} and WASI 0.2; \
             the component exports {names}"
        )
    })?;
    let has = |interface: &str| exports(component, interface);
    let mismatch = |interface: &str, error: wasmtime::Error| {
        format!("its export {PACKAGE}/{interface} is not that of {PACKAGE}@{VERSION}: {error:#}")
    };
    let handler = has("handler")
        .then(|| handler_export::GuestIndices::new(&pre).map_err(|error| mismatch("handler", error)))
        .transpose()?;
    let delegate = has("delegate")
        .then(|| delegate_export::GuestIndices::new(&pre).map_err(|error| mismatch("delegate", error)))
        .transpose()?;
    if handler.is_none() && delegate.is_none() {
        return Err(format!(
            "it is of another world or version: it exports {names}; a worker exports {PACKAGE}/handler@{VERSION}, \
             {PACKAGE}/delegate@{VERSION}, or both"
        ));
    }
    Ok(Exports {
        pre,
        handler,
        delegate,
        names,
    })
}

impl Exports {
    /// Whether the component exports what the manifest promises.
    pub(super) fn fit(&self, manifest: &Manifest) -> Result<(), String> {
        let missing = |key: &str, interface: &str| {
            Err(format!(
                "its manifest has {key}, but the component does not export {PACKAGE}/{interface}@{VERSION}; it exports {}",
                self.names
            ))
        };
        match (&self.handler, &self.delegate) {
            (None, _) if !manifest.topics.is_empty() => missing("topics", "handler"),
            (_, None) if !manifest.delegates.is_empty() => missing("delegates", "delegate"),
            _ => Ok(()),
        }
    }
}

/// Whether an interface of our package is exported in a version that can be called.
fn exports(component: &Component, interface: &str) -> bool {
    component
        .get_export_index(None, format!("{PACKAGE}/{interface}@{VERSION}"))
        .is_some()
}

/// What a component exports, for a person.
fn exports_of(component: &Component) -> String {
    let engine: &Engine = component.engine();
    let names: Vec<String> = component
        .component_type()
        .exports(engine)
        .take(20)
        .map(|(name, _)| name.to_owned())
        .collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}
