//! The host's side of the WIT contract `handoff:worker@0.1.0`, generated from `wit/`.
//!
//! The world with both exports is the one that is generated; which of the two a component has is found out when it is
//! loaded (see `version`), because a plain worker exports only the handler and a listener only the delegate.

#[allow(
    missing_docs,
    clippy::all,
    unreachable_pub,
    reason = "generated code; the WIT documents it"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "handoff:worker/worker-with-listener",
        imports: {
            "handoff:worker/processes": async,
            "handoff:worker/tasks": async,
            "handoff:worker/secrets": async,
        },
        exports: { default: async },
        additional_derives: [PartialEq],
        with: {},
    });
}

/// The types of the contract, by interface.
pub mod wit {
    pub use super::generated::handoff::worker::{logging, processes, secrets, tasks, types};

    /// What a listener exports.
    pub mod delegate {
        pub use crate::bindings::generated::exports::handoff::worker::delegate::{
            DelegateError, Delegation, Execution, ExecutionEvent,
        };
    }
}

pub(crate) use generated::exports::handoff::worker::{delegate as delegate_export, handler as handler_export};
pub(crate) use generated::handoff::worker as imports;
