//! How the embedder configures the runtime and what the operator decides about workers.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use serde::Deserialize;

use crate::manifest::Grants;

/// How instances get their memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allocator {
    /// The pool if the machine has the address space for it, else on demand; which one runs is logged and metered.
    #[default]
    Auto,
    /// The pool, or an error.
    Pooling,
    /// A fresh mapping for each instance: slower, without a bound on what is reserved.
    OnDemand,
}

/// Where components are compiled. Compiling is no sandbox: a hostile component can take any amount of time and memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompileMode {
    /// On a thread of this process. For tests and short-lived commands.
    InProcess,
    /// In a child process with limits: `PROGRAM compile-component IN OUT`, which calls [`crate::compile::child_main`].
    Child {
        /// The executable; usually the embedder's own.
        program: PathBuf,
    },
}

/// The runtime's configuration. All of it is the operator's.
#[derive(Debug, Clone)]
pub struct RuntimeConfig {
    /// Tasks that run at once.
    pub task_slots: u32,
    /// Delegates that run at once, in slots of their own so that tasks cannot keep an engine's transaction waiting.
    pub delegate_slots: u32,
    /// Threads that guests run on; none takes one per processor.
    pub threads: Option<usize>,
    /// How instances get their memory.
    pub allocator: Allocator,
    /// Limits of workers that ask for none of their own.
    pub default_limits: WorkerLimits,
    /// What no manifest can exceed.
    pub max_limits: WorkerLimits,
    /// Linear memory of all instances together, in bytes.
    pub memory_bytes: usize,
    /// Log lines of all workers together in one second; what exceeds them is counted and dropped.
    pub log_lines_per_second: u32,
    /// Where components are compiled.
    pub compile: CompileMode,
    /// The longest that a component may take to compile.
    pub compile_timeout: Duration,
    /// The memory that compiling one component may take, in bytes (in a child process).
    pub compile_memory_bytes: u64,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            task_slots: 64,
            delegate_slots: 16,
            threads: None,
            allocator: Allocator::Auto,
            default_limits: WorkerLimits::default(),
            max_limits: WorkerLimits::ceiling(),
            memory_bytes: 2 << 30,
            log_lines_per_second: 10_000,
            compile: CompileMode::InProcess,
            compile_timeout: Duration::from_secs(300),
            compile_memory_bytes: 3 << 30,
        }
    }
}

/// The limits of one worker's calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerLimits {
    /// Linear memory of a call, all memories of the component together, in bytes.
    pub memory_bytes: usize,
    /// The longest a call may run, however far its lock is extended.
    pub time: Duration,
    /// Calls of this worker at once.
    pub concurrency: u32,
    /// Log lines that a call may emit; what exceeds them is counted and dropped.
    pub log_lines: u32,
    /// What a call may receive or hand over at once: a task's variables, an outcome, a request to an engine, in bytes.
    pub payload_bytes: usize,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 128 << 20,
            time: Duration::from_secs(300),
            concurrency: 64,
            log_lines: 1_000,
            payload_bytes: 4 << 20,
        }
    }
}

impl WorkerLimits {
    /// Each limit, but none beyond that of `max`.
    pub fn capped(&self, max: &Self) -> Self {
        Self {
            memory_bytes: self.memory_bytes.min(max.memory_bytes),
            time: self.time.min(max.time),
            concurrency: self.concurrency.min(max.concurrency),
            log_lines: self.log_lines.min(max.log_lines),
            payload_bytes: self.payload_bytes.min(max.payload_bytes),
        }
    }

    /// The largest limits that a manifest may ask for, unless the operator says otherwise.
    pub fn ceiling() -> Self {
        Self {
            memory_bytes: 1 << 30,
            time: Duration::from_secs(24 * 3600),
            concurrency: 1_024,
            log_lines: 100_000,
            payload_bytes: 64 << 20,
        }
    }
}

/// Where the value of a secret comes from. It is read when a worker asks for it, so a rotated file takes effect at once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretSource {
    /// The content of a file, without one trailing line break.
    File(PathBuf),
    /// A variable of the host's environment.
    Env(String),
}

/// What the operator decides about workers. A worker gets what its manifest asks for *and* this allows.
#[derive(Debug, Clone, Default)]
pub struct OperatorPolicy {
    /// Grants by worker name. A worker that is named here gets nothing from the default.
    pub grants: BTreeMap<String, Grants>,
    /// Grants of every worker that is not named in `grants`.
    pub default_grants: Grants,
    /// Settings by worker name, which override the manifest's `[config]` key by key.
    pub config: BTreeMap<String, BTreeMap<String, String>>,
    /// Where secrets come from, by the operator's names.
    pub secrets: BTreeMap<String, SecretSource>,
    /// The engines that are configured. A manifest that names another is refused; none accepts every name.
    pub engines: Option<BTreeSet<String>>,
    /// The operator's file, which remedies name.
    pub file: PathBuf,
}
