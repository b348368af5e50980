//! Engines behind one trait.
//!
//! Invariant: nothing outside a dialect's own folder knows a path, a field or a status of its protocol. What differs
//! between engines and matters above them is said by [`Features`] and by the trait's own methods: Camunda 7 takes many
//! topics in one fetch and completes for the holder of a lock; Camunda 8 takes one job type and completes by job key.

mod auth;
pub mod camunda7;
mod connections;
mod fault;
mod tls;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use handoff_runtime::{
    TopicSubscription,
    wit::{
        processes::{Message, Receiver, StartRequest, Started},
        tasks::Ending,
        types::{BpmnError, Completion, FileReference, Task, Variable},
    },
};

pub use fault::Fault;

use crate::config::FetchOrder;

/// One long poll.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// The topics, each once; at most [`Engine::topics_per_fetch`].
    pub subscriptions: Vec<TopicSubscription>,
    /// The most tasks to lock. At least 1.
    pub max_tasks: u32,
    /// Whether a higher priority comes first.
    pub priority: bool,
    /// What comes first among equal priorities.
    pub order: FetchOrder,
    /// How long the engine may wait for the first task.
    pub wait: Duration,
    /// How long a task is locked whose subscription does not say.
    pub lock_duration: Duration,
}

/// A task that the engine locked for this host.
#[derive(Debug, Clone)]
pub struct Locked {
    /// The task.
    pub task: Task,
    /// When its lock runs out, counted from when the fetch was sent.
    pub until: Instant,
    /// How long it was locked.
    pub duration: Duration,
    /// Why it cannot be run. Such a task is failed with this reason.
    pub defect: Option<Defect>,
}

/// What is wrong with a task before it was run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// A variable of it.
    #[error("the task cannot be understood: {0}")]
    NotUnderstood(String),
    /// It is larger than any answer may be, and will be the next time.
    #[error("{0}")]
    TooLarge(String),
}

/// What a fetch brought.
#[derive(Debug, Clone, Default)]
pub struct Fetched {
    /// The tasks that arrived.
    pub tasks: Vec<Locked>,
    /// More tasks are locked than these: their answer was larger than it may be, and not read to its end.
    pub cut: Option<Fault>,
}

/// How a task ends, with all that the engine has to be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// It is done.
    Complete(Completion),
    /// A business error.
    Error(BpmnError),
    /// A technical failure.
    Failure(FailureReport),
}

/// A technical failure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FailureReport {
    /// One line for the incident.
    pub message: String,
    /// A stack, a log.
    pub details: Option<String>,
    /// The retries that are left; none lets the engine's dialect count down from what the task has, beginning with
    /// [`DEFAULT_RETRIES`].
    pub retries: Option<u32>,
    /// How long until the next try.
    pub retry_after: Duration,
    /// Variables for the instance.
    pub variables: Vec<Variable>,
    /// Variables of the task's scope.
    pub local_variables: Vec<Variable>,
}

/// The tries of a task whose engine and manifest do not say.
pub const DEFAULT_RETRIES: u32 = 3;

/// Who holds a task's lock. Whether it has run out is the engine's clock's business and not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// There is no such task.
    Gone,
    /// Nobody ever locked it, or it was unlocked.
    Nobody,
    /// This host.
    Us,
    /// Somebody else, by the name that they gave themselves.
    Other(String),
}

/// What an engine can do, found out by asking it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Features {
    /// What the engine calls itself, for people.
    pub product: String,
    /// It keeps dedupe keys with its instances, in the same commit and past their end.
    pub dedupe_keys: bool,
    /// It drops a waiting fetch when its client has gone, so that an aborted poll locks nothing later.
    pub drops_abandoned_fetches: bool,
}

/// A connection to one engine, as one worker: it holds locks under a name of its own.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// The name in the host's configuration.
    fn name(&self) -> &str;

    /// The name under which this host holds locks; unique per host process.
    fn worker_id(&self) -> &str;

    /// How many topics one fetch can name.
    fn topics_per_fetch(&self) -> usize;

    /// Asks the engine what it can do. The answer is remembered for the calls that depend on it.
    async fn probe(&self) -> Result<Features, Fault>;

    /// Locks and fetches tasks, waiting for the first.
    async fn fetch(&self, fetch: &Fetch) -> Result<Fetched, Fault>;

    /// The ids of the tasks that the engine believes this host to hold, at most `max` of them. Tasks that failed and
    /// wait for their next try may be among them.
    async fn held(&self, max: u32) -> Result<Vec<String>, Fault>;

    /// Who holds a task.
    async fn holder(&self, task_id: &str) -> Result<Holder, Fault>;

    /// Ends a task that this host holds. [`Fault::NotFound`]: there is no such task (any more).
    async fn report(&self, task_id: &str, settlement: &Settlement) -> Result<(), Fault>;

    /// Lets the lock that this host holds run for this long from now.
    async fn extend(&self, task_id: &str, duration: Duration) -> Result<(), Fault>;

    /// Gives back a task that this host holds. Engines do not check by whom they are asked: ask only while the lock is
    /// known to be ours.
    async fn release(&self, task_id: &str) -> Result<(), Fault>;

    /// Ends a task on behalf of whoever holds it.
    async fn settle_detached(&self, task_id: &str, settlement: &Settlement) -> Result<Ending, Fault>;

    /// Lets the lock of a task run for this long from now, on behalf of whoever holds it.
    async fn extend_detached(&self, task_id: &str, duration: Duration) -> Result<Ending, Fault>;

    /// Gives a task back on behalf of whoever holds it.
    async fn unlock_detached(&self, task_id: &str) -> Result<Ending, Fault>;

    /// Starts a process instance, once per dedupe key as far as the engine allows.
    async fn start(&self, request: &StartRequest) -> Result<Started, Fault>;

    /// Correlates a message.
    async fn correlate(&self, message: &Message) -> Result<Vec<Receiver>, Fault>;

    /// Sets variables of a process instance.
    async fn set_variables(&self, process_instance_id: &str, variables: &[Variable]) -> Result<(), Fault>;

    /// Reads the content of a file variable, at most `max_bytes`.
    async fn read_file(&self, reference: &FileReference, max_bytes: u64) -> Result<Vec<u8>, Fault>;
}
