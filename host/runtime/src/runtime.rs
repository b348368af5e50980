//! The runtime: one wasmtime engine, the threads that guests run on, and the slots that bound how many run.

use std::sync::Arc;

use crate::{config::RuntimeConfig, error::RuntimeError};

/// Everything that all workers share. Cheap to share, expensive to make: one per process.
pub struct Runtime {
    config: RuntimeConfig,
}

impl Runtime {
    /// Sets the runtime up. It has to be called within a tokio runtime: that is where capabilities are called.
    pub fn new(config: RuntimeConfig) -> Result<Arc<Self>, RuntimeError> {
        Ok(Arc::new(Self { config }))
    }

    /// Its configuration.
    pub fn config(&self) -> &RuntimeConfig {
        &self.config
    }

    /// Task slots that are free now.
    pub fn free_task_slots(&self) -> u32 {
        unimplemented!()
    }

    /// Delegate slots that are free now.
    pub fn free_delegate_slots(&self) -> u32 {
        unimplemented!()
    }
}
