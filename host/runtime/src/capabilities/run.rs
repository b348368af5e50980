//! `run` and `config`: what a worker may know about itself.

use crate::{
    bindings::imports::{config, run},
    state::RunState,
};

impl run::Host for RunState {
    fn remaining_ms(&mut self) -> u32 {
        u32::try_from(self.run.caller.deadline.remaining().as_millis()).unwrap_or(u32::MAX)
    }

    fn worker_name(&mut self) -> String {
        self.run.caller.worker.to_string()
    }

    fn worker_version(&mut self) -> String {
        self.run.caller.version.to_string()
    }

    fn traceparent(&mut self) -> Option<String> {
        self.run.caller.traceparent.clone()
    }
}

impl config::Host for RunState {
    fn get(&mut self, key: String) -> Option<String> {
        self.run.config.get(&key).cloned()
    }

    fn get_all(&mut self) -> Vec<(String, String)> {
        self.run
            .config
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}
