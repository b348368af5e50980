//! Compiling components. Compiling is no sandbox: a hostile component can make it take any time and memory. So it runs
//! off the hot path, a few at a time, and in production in a child process with limits.

mod child;

use std::{path::Path, sync::Arc, thread, time::Duration};

use tokio::sync::Semaphore;
use wasmtime::Engine;

pub use child::{SUBCOMMAND, child_main};

use crate::config::{CompileMode, RuntimeConfig};

/// Compiles components, a bounded number at a time.
pub(crate) struct Compiler {
    engine: Engine,
    mode: CompileMode,
    timeout: Duration,
    memory_bytes: u64,
    slots: Semaphore,
}

impl Compiler {
    pub(crate) fn new(engine: &Engine, config: &RuntimeConfig) -> Self {
        // Two at least, so that one component that takes long holds up no other.
        let slots = thread::available_parallelism().map_or(2, usize::from).max(2);
        Self {
            engine: engine.clone(),
            mode: config.compile.clone(),
            timeout: config.compile_timeout,
            memory_bytes: config.compile_memory_bytes,
            slots: Semaphore::new(slots),
        }
    }

    /// Compiles `component` and writes the result to `output`. The error is for a person.
    pub(crate) async fn compile(&self, component: Arc<[u8]>, output: &Path) -> Result<(), String> {
        let _slot = self
            .slots
            .acquire()
            .await
            .map_err(|_| "the host is shutting down".to_owned())?;
        match &self.mode {
            CompileMode::Child { program } => {
                child::run(program, &component, output, self.timeout, self.memory_bytes).await
            }
            CompileMode::InProcess => {
                let (engine, output) = (self.engine.clone(), output.to_owned());
                tokio::task::spawn_blocking(move || to_file(&engine, &component, &output))
                    .await
                    .unwrap_or_else(|_| Err("the compiler panicked".to_owned()))
            }
        }
    }
}

fn to_file(engine: &Engine, component: &[u8], output: &Path) -> Result<(), String> {
    let code = engine
        .precompile_component(component)
        .map_err(|error| format!("{error:#}"))?;
    std::fs::write(output, code).map_err(|error| format!("cannot write the compiled component: {error}"))
}
