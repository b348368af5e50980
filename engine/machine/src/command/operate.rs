//! What operators do with definitions and jobs.

use serde::{Deserialize, Serialize};

use crate::id::{Id, Millis};

/// Which definitions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DefinitionTarget {
    /// One.
    Id(Id),
    /// All versions of a key.
    Key {
        /// The key.
        key: String,
        /// Of which tenant; `any` where the call does not say.
        tenant: Option<Option<String>>,
    },
}

/// Suspends or activates definitions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuspendDefinitions {
    /// Which.
    pub target: DefinitionTarget,
    /// Suspend or activate.
    pub suspended: bool,
    /// `includeProcessInstances`: the instances and jobs too.
    pub include_instances: bool,
    /// `executionDate`; none: at once.
    pub at: Option<Millis>,
}

/// Suspends or activates job definitions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuspendJobs {
    /// Which.
    pub target: JobTarget,
    /// Suspend or activate.
    pub suspended: bool,
    /// `includeJobs`: the jobs too.
    pub include_jobs: bool,
    /// `executionDate`; none: at once.
    pub at: Option<Millis>,
}

/// Which jobs or job definitions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum JobTarget {
    /// These.
    Jobs(Vec<Id>),
    /// Of a job definition.
    JobDefinition(Id),
    /// Of definitions.
    Definitions(DefinitionTarget),
    /// Of an instance.
    Instance(Id),
}

/// What happens to jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobAction {
    /// Suspend or activate.
    Suspend(bool),
    /// Those without retries get this many; listed ones all do.
    Retries(i32),
    /// Their priority.
    Priority(i64),
}

/// What a job does at its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Timed {
    /// Suspends or activates definitions.
    Definitions(SuspendDefinitions),
    /// Suspends or activates job definitions.
    JobDefinitions(SuspendJobs),
}
