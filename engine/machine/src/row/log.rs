//! What happened to things, entry by entry.

use super::work::{ExternalTask, Job};
use crate::id::{Id, Millis};
use crate::value::Value;

/// A row of an external task's log.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct ExternalTaskLog {
    pub id: Id,
    pub time: Millis,
    pub root: Id,
    /// The task as it was.
    pub task: ExternalTask,
    pub state: LogState,
    pub removal_time: Option<Millis>,
}

/// A row of a job's log.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct JobLog {
    pub id: Id,
    pub time: Millis,
    pub root: Option<Id>,
    /// The job as it was.
    pub job: Job,
    pub deployment: Option<Id>,
    pub state: LogState,
    pub removal_time: Option<Millis>,
}

/// What happened to a job or an external task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub enum LogState {
    Created,
    Failed,
    Successful,
    Deleted,
}

/// One change of a variable, or a field of a form that was submitted (Camunda's `HistoricDetail`).
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct HistoricDetail {
    pub id: Id,
    pub kind: DetailKind,
    pub instance: Id,
    pub root: Id,
    pub definition: Id,
    pub definition_key: String,
    /// The execution or the instance that has the variable.
    pub scope: Id,
    /// The element's id of `scope`; none where it is the instance.
    pub scope_activity: Option<String>,
    pub task: Option<Id>,
    /// None for a form's field.
    pub variable: Option<Id>,
    pub name: String,
    pub value: Value,
    pub revision: i32,
    pub time: Millis,
    /// Set with the start of its scope.
    pub initial: bool,
    pub tenant: Option<String>,
    pub removal_time: Option<Millis>,
}

/// The kind of a [`HistoricDetail`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub enum DetailKind {
    VariableUpdate,
    FormField,
}

/// What a user did, property by property (Camunda's `UserOperationLogEntry`).
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct UserOperation {
    pub id: Id,
    /// The same for all properties of one operation.
    pub operation: Id,
    pub time: Millis,
    pub user: Option<String>,
    /// `Suspend`, `Claim`, …
    pub operation_type: String,
    /// `ProcessInstance`, `Task`, …
    pub entity_type: String,
    /// `Operator` or `TaskWorker`.
    pub category: String,
    pub property: Option<String>,
    pub old_value: Option<String>,
    pub new_value: Option<String>,
    pub definition: Option<Id>,
    pub definition_key: Option<String>,
    pub deployment: Option<Id>,
    pub instance: Option<Id>,
    pub root: Option<Id>,
    pub execution: Option<Id>,
    pub task: Option<Id>,
    pub job: Option<Id>,
    pub job_definition: Option<Id>,
    pub external_task: Option<Id>,
    pub batch: Option<Id>,
    pub annotation: Option<String>,
    pub tenant: Option<String>,
    pub removal_time: Option<Millis>,
}

/// One change of the people that a task is for (Camunda's `HistoricIdentityLinkLog`).
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct IdentityLinkLog {
    pub id: Id,
    pub time: Millis,
    /// `assignee`, `owner`, `candidate`.
    pub kind: String,
    pub user: Option<String>,
    pub group: Option<String>,
    pub task: Id,
    pub instance: Option<Id>,
    pub root: Option<Id>,
    pub definition: Option<Id>,
    pub definition_key: Option<String>,
    /// Added, or deleted.
    pub added: bool,
    pub assigner: Option<String>,
    pub tenant: Option<String>,
    pub removal_time: Option<Millis>,
}
