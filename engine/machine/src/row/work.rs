//! Work that waits to be done: by workers, by the job executor, in batches.

use crate::id::{Id, Millis};

/// An external task.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct ExternalTask {
    pub id: Id,
    pub instance: Id,
    pub execution: Id,
    pub definition: Id,
    pub definition_key: String,
    pub activity: String,
    pub topic: String,
    pub priority: i64,
    /// None until the first failure.
    pub retries: Option<i32>,
    pub worker: Option<String>,
    pub lock_expiration: Option<Millis>,
    pub created: Millis,
    pub error_message: Option<String>,
    pub error_details: Option<String>,
    pub suspended: bool,
    pub tenant: Option<String>,
    pub business_key: Option<String>,
    /// As its execution's.
    pub entered_as: Option<String>,
}

impl ExternalTask {
    /// The activity that the id of its activity instance begins with.
    #[must_use]
    pub fn entered(&self) -> &str {
        self.entered_as.as_deref().unwrap_or(&self.activity)
    }
}

/// A job: something that the engine does by itself, at once or at a time.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct Job {
    pub id: Id,
    pub kind: JobKind,
    /// None for the jobs of batches.
    pub definition: Option<Id>,
    pub definition_key: Option<String>,
    pub job_definition: Option<Id>,
    pub instance: Option<Id>,
    pub execution: Option<Id>,
    /// The activity's id; for jobs of no process, their type.
    pub activity: String,
    pub created: Millis,
    /// None: at once.
    pub due: Option<Millis>,
    pub retries: i32,
    /// Failed attempts so far.
    pub failures: u32,
    pub exclusive: bool,
    pub priority: i64,
    pub suspended: bool,
    pub tenant: Option<String>,
    pub exception_message: Option<String>,
    pub exception_stacktrace: Option<String>,
    /// The activity that failed.
    pub failed_activity: Option<String>,
}

/// What a job does.
#[derive(Clone, Debug, PartialEq)]
pub enum JobKind {
    /// Continues its execution ([`super::ExecutionState::AsyncBefore`] or [`super::ExecutionState::AsyncAfter`]).
    AsyncContinuation,
    /// Fires a timer event (catch, boundary or event sub-process) of its execution.
    Timer {
        /// The rest of a cycle, as the calendar of timers keeps it.
        repeat: Option<String>,
    },
    /// Hands an event to who waits for it: a signal that was thrown asynchronously.
    Event {
        /// The subscription. Where it is gone, nothing happens.
        subscription: Id,
    },
    /// Calls a timeout listener of its execution's user task.
    TaskTimeout {
        /// The listener's id.
        listener: String,
        /// The rest of a cycle.
        repeat: Option<String>,
    },
    /// Starts an instance by a timer start event.
    TimerStart {
        /// The rest of a cycle.
        repeat: Option<String>,
    },
    /// Suspends or activates definitions at a time ([`crate::command::Timed`] as JSON).
    Timed {
        /// What is done then.
        work: String,
    },
    /// Makes the next jobs of a batch.
    BatchSeed {
        /// The batch.
        batch: Id,
    },
    /// Does what a batch does, for some of its items.
    Batch {
        /// The batch.
        batch: Id,
        /// The position of the first item.
        from: i64,
    },
}

/// What jobs of one kind of one activity have in common: they are suspended together, and may have a priority of their
/// own (Camunda's `JobDefinitionEntity`). Made with the definition.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct JobDefinition {
    pub id: Id,
    /// None for the jobs of batches.
    pub definition: Option<Id>,
    pub definition_key: Option<String>,
    pub deployment: Option<Id>,
    pub activity: Option<String>,
    /// `async-continuation`, `timer-transition`, …
    pub job_type: String,
    /// `async-before`, `DURATION: PT1H`, …; the batch's id.
    pub configuration: Option<String>,
    pub suspended: bool,
    /// Overrides the priority that the model gives.
    pub priority: Option<i64>,
    pub tenant: Option<String>,
}

/// Work that is done for many things by jobs, a few at a time (Camunda's `BatchEntity`).
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct Batch {
    pub id: Id,
    /// Camunda's name: `instance-deletion`, …
    pub kind: String,
    /// What is done ([`crate::command::BatchWork`] as JSON).
    pub work: String,
    pub total_jobs: i32,
    pub jobs_created: i32,
    pub jobs_per_seed: i32,
    pub invocations_per_job: i32,
    pub seed_definition: Id,
    pub monitor_definition: Id,
    pub job_definition: Id,
    pub suspended: bool,
    pub tenant: Option<String>,
    pub start_time: Millis,
    /// When its first job ran.
    pub execution_start: Option<Millis>,
    pub user: Option<String>,
}

/// The history of a batch.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct HistoricBatch {
    pub batch: Batch,
    pub end_time: Option<Millis>,
    pub removal_time: Option<Millis>,
}
