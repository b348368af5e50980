//! What `wit-bindgen` generates from the contract.
//!
//! The types and imports are generated once, from the world `capabilities`; the two exports each from a world of their
//! own that shares them. A component's type is the union of the worlds whose export macro its crate uses, which is how
//! `#[handler]` and `#[delegate]` in one crate make a `worker-with-listener`.

#![allow(
    clippy::all,
    missing_docs,
    unsafe_code,
    unused_qualifications,
    rust_2018_idioms,
    reason = "generated; the calls follow the canonical ABI"
)]

pub use capabilities::handoff::worker::{config, logging, processes, run, secrets, tasks, types};
pub use listener::exports::handoff::worker::delegate;

mod capabilities {
    wit_bindgen::generate!({
        path: "wit",
        world: "capabilities",
        additional_derives: [PartialEq],
    });
}

pub mod worker {
    wit_bindgen::generate!({
        path: "wit",
        world: "worker",
        with: {
            "handoff:worker/types@0.1.0": crate::bindings::types,
            "handoff:worker/processes@0.1.0": crate::bindings::processes,
            "handoff:worker/tasks@0.1.0": crate::bindings::tasks,
            "handoff:worker/run@0.1.0": crate::bindings::run,
            "handoff:worker/config@0.1.0": crate::bindings::config,
            "handoff:worker/logging@0.1.0": crate::bindings::logging,
            "handoff:worker/secrets@0.1.0": crate::bindings::secrets,
        },
        runtime_path: "::handoff_sdk::__private::rt",
        pub_export_macro: true,
        export_macro_name: "export_handler",
    });
}

pub mod listener {
    wit_bindgen::generate!({
        path: "wit",
        world: "listener",
        additional_derives: [PartialEq],
        with: {
            "handoff:worker/types@0.1.0": crate::bindings::types,
            "handoff:worker/processes@0.1.0": crate::bindings::processes,
            "handoff:worker/tasks@0.1.0": crate::bindings::tasks,
            "handoff:worker/run@0.1.0": crate::bindings::run,
            "handoff:worker/config@0.1.0": crate::bindings::config,
            "handoff:worker/logging@0.1.0": crate::bindings::logging,
            "handoff:worker/secrets@0.1.0": crate::bindings::secrets,
        },
        runtime_path: "::handoff_sdk::__private::rt",
        pub_export_macro: true,
        export_macro_name: "export_delegate",
    });
}
