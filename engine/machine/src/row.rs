//! The rows: what is stored, one struct a table. The store has a table for each, with the same names.
//!
//! Executions form a tree below their process instance. There is one for each activity instance that is open: an
//! activity, an event that waits, a token that arrived at a join, a token before or after an asynchronous
//! continuation, the body of a multi-instance activity. A scope is an execution that has children. Variables hang on
//! an execution or on the instance.

use serde::{Deserialize, Serialize};

use crate::id::{Id, Millis};
use crate::value::Value;

/// A deployment.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct Deployment {
    pub id: Id,
    pub name: Option<String>,
    pub source: Option<String>,
    pub tenant: Option<String>,
    pub time: Millis,
}

/// A file of a deployment.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct Resource {
    pub id: Id,
    pub deployment: Id,
    pub name: String,
    pub bytes: Vec<u8>,
}

/// A version of a process definition. Its id outside is `key:version:uuid`.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct DefinitionRow {
    pub id: Id,
    pub key: String,
    pub version: i32,
    pub name: Option<String>,
    pub category: Option<String>,
    pub description: Option<String>,
    pub deployment: Id,
    pub resource: String,
    pub tenant: Option<String>,
    pub version_tag: Option<String>,
    /// Days.
    pub history_time_to_live: Option<i32>,
    pub suspended: bool,
    pub startable_in_tasklist: bool,
}

/// A version of a decision definition. Its id outside is `key:version:uuid`.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct DecisionRow {
    pub id: Id,
    pub key: String,
    pub version: i32,
    pub name: Option<String>,
    pub category: Option<String>,
    pub deployment: Id,
    pub resource: String,
    pub tenant: Option<String>,
    pub version_tag: Option<String>,
    /// Days.
    pub history_time_to_live: Option<i32>,
    /// The file's requirements, where it has several decisions.
    pub requirements: Option<Id>,
    pub requirements_key: Option<String>,
}

/// A version of the requirements of a DMN file with several decisions.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct RequirementsRow {
    pub id: Id,
    pub key: String,
    pub version: i32,
    pub name: Option<String>,
    pub category: Option<String>,
    pub deployment: Id,
    pub resource: String,
    pub tenant: Option<String>,
}

/// A running process instance: the root of its executions, and the scope of its variables. An ended one is a
/// [`HistoricInstance`] only.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct Instance {
    pub id: Id,
    pub definition: Id,
    pub business_key: Option<String>,
    pub tenant: Option<String>,
    /// The root of the call hierarchy; its own id where nobody called it.
    pub root: Id,
    /// The instance whose call activity started it.
    pub super_instance: Option<Id>,
    /// The execution of that call activity.
    pub super_execution: Option<Id>,
    pub start_time: Millis,
    pub suspended: bool,
}

/// An open activity instance, or a token on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// Also the id of its activity instance: `activityId:uuid` outside.
    pub id: Id,
    /// The process instance.
    pub instance: Id,
    /// The definition.
    pub definition: Id,
    /// The scope that it is in: an execution, or the instance.
    pub parent: Id,
    /// The element's id in the model. `…#multiInstanceBody` is the body of a multi-instance activity.
    pub activity: String,
    /// Where in its life it is.
    pub state: ExecutionState,
    /// When its activity started.
    pub start_time: Millis,
    /// Suspended with its instance.
    pub suspended: bool,
    /// The activity that the id of its activity instance begins with, where migration has given it another one.
    pub entered_as: Option<String>,
}

impl Execution {
    /// The activity that the id of its activity instance begins with.
    #[must_use]
    pub fn entered(&self) -> &str {
        self.entered_as.as_deref().unwrap_or(&self.activity)
    }
}

/// Where in its life an execution is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExecutionState {
    /// Before the activity: a job continues here. In history it does not exist yet.
    AsyncBefore,
    /// In the activity.
    Active,
    /// After the activity: a job takes these sequence flows; none at an end event.
    AsyncAfter {
        /// The flows, by their ids in the model.
        flows: Vec<String>,
    },
    /// After the end of a scope: what can undo it is being run in it.
    Compensating,
    /// Arrived at a join that is not complete.
    Joining {
        /// The flow by which it came; empty where a job before the join lay between.
        flow: String,
    },
    /// The activity has ended, but its execution is kept (a scope that compensation may need).
    Ended,
}

/// A variable of a running instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Also the id of its history.
    pub id: Id,
    /// The process instance; of a user task that is in none, the task.
    pub instance: Id,
    /// The execution, instance or user task that has it.
    pub scope: Id,
    /// Unique in its scope.
    pub name: String,
    /// What it holds.
    pub value: Value,
    /// From 0, one more with each change.
    pub revision: i32,
}

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
    /// Continues its execution ([`ExecutionState::AsyncBefore`] or [`ExecutionState::AsyncAfter`]).
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

/// Somebody waits for an event.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct EventSubscription {
    pub id: Id,
    pub kind: EventKind,
    /// The name of the message or signal; empty for others.
    pub name: String,
    /// None for a start event.
    pub instance: Option<Id>,
    /// The execution that waits: an event-based gateway's has one subscription for each of its events.
    pub execution: Option<Id>,
    pub definition: Id,
    /// The event, receive task or boundary event that is triggered.
    pub activity: String,
    pub created: Millis,
    pub tenant: Option<String>,
    /// Copied from the instance, so that a correlation by it finds its receiver by one index.
    pub business_key: Option<String>,
    /// What the behaviour needs to know later.
    pub configuration: Option<String>,
}

/// The kind of an event subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "BPMN's names")]
pub enum EventKind {
    Message,
    Signal,
    Conditional,
    Compensate,
}

/// A user task.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct UserTask {
    pub id: Id,
    /// Where in a process it is; none for one that was made by itself (`POST /task/create`).
    pub place: Option<TaskPlace>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub assignee: Option<String>,
    pub owner: Option<String>,
    pub delegation: Option<Delegation>,
    /// The task that it is a part of.
    pub parent: Option<Id>,
    pub priority: i32,
    pub created: Millis,
    /// `lastUpdated`: when somebody changed it, or what hangs on it.
    pub updated: Option<Millis>,
    pub due: Option<Millis>,
    pub follow_up: Option<Millis>,
    pub suspended: bool,
    pub tenant: Option<String>,
}

/// Where in a process a user task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskPlace {
    /// The process instance.
    pub instance: Id,
    /// The execution of the activity.
    pub execution: Id,
    /// The definition.
    pub definition: Id,
    /// The activity's id: `taskDefinitionKey`.
    pub activity: String,
    /// As its execution's.
    pub entered_as: Option<String>,
}

impl TaskPlace {
    /// The activity that the id of its activity instance begins with.
    #[must_use]
    pub fn entered(&self) -> &str {
        self.entered_as.as_deref().unwrap_or(&self.activity)
    }
}

impl UserTask {
    /// Its process instance.
    #[must_use]
    pub fn instance(&self) -> Option<Id> {
        self.place.as_ref().map(|place| place.instance)
    }

    /// Its execution.
    #[must_use]
    pub fn execution(&self) -> Option<Id> {
        self.place.as_ref().map(|place| place.execution)
    }

    /// Its process definition.
    #[must_use]
    pub fn definition(&self) -> Option<Id> {
        self.place.as_ref().map(|place| place.definition)
    }

    /// Its activity.
    #[must_use]
    pub fn activity(&self) -> Option<&str> {
        self.place.as_ref().map(|place| place.activity.as_str())
    }
}

/// Where a delegated user task is on its way back to its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub enum Delegation {
    Pending,
    Resolved,
}

/// Who may work on a user task, or has another part in it. The assignee and the owner are fields of the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityLink {
    /// Of this row only.
    pub id: Id,
    /// The task.
    pub task: Id,
    /// A user, or a group.
    pub user: Option<String>,
    /// A group, or a user.
    pub group: Option<String>,
    /// `candidate`, or any other word.
    pub kind: String,
}

/// What somebody said of a task. It is kept as history is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct Comment {
    pub id: Id,
    pub task: Option<Id>,
    pub instance: Option<Id>,
    pub root: Option<Id>,
    pub user: Option<String>,
    pub time: Millis,
    pub message: String,
}

/// What somebody has attached to a task: a file, or the address of one. It is kept as history is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct Attachment {
    pub id: Id,
    pub task: Id,
    pub instance: Option<Id>,
    pub root: Option<Id>,
    pub user: Option<String>,
    pub time: Millis,
    pub name: Option<String>,
    pub description: Option<String>,
    /// Its type, in the words of who has attached it.
    pub kind: Option<String>,
    pub url: Option<String>,
}

/// Something that a person must look at.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct Incident {
    pub id: Id,
    /// `failedJob`, `failedExternalTask`, or a name that somebody has given.
    pub kind: String,
    pub time: Millis,
    pub instance: Option<Id>,
    pub execution: Option<Id>,
    /// None where a job of a batch failed.
    pub definition: Option<Id>,
    pub activity: String,
    pub failed_activity: Option<String>,
    pub cause: Id,
    pub root_cause: Id,
    /// The job or external task; the incident itself, where somebody has made it; its cause, where a called instance has
    /// handed it on.
    pub configuration: Id,
    /// The configuration of an incident that somebody has made.
    pub custom: Option<String>,
    pub message: Option<String>,
    pub annotation: Option<String>,
    pub tenant: Option<String>,
}

impl Incident {
    /// Whether it is that of an instance which this one has called.
    #[must_use]
    pub fn is_handed_on(&self) -> bool {
        self.cause != self.id
    }
}

/// A key by which an instance was started, kept past its end, so that it is started once (F2 of the design).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DedupeKey {
    /// Keys of different tenants are different keys.
    pub tenant: Option<String>,
    /// The key.
    pub key: String,
    /// The instance that it started. Where no such instance runs, it has ended.
    pub instance: Id,
    /// What the instance was of.
    pub definition: Id,
    /// The instance's business key.
    pub business_key: Option<String>,
    /// When.
    pub created: Millis,
}

/// The history of a process instance. It exists from its start.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct HistoricInstance {
    pub id: Id,
    pub definition: Id,
    pub definition_key: String,
    pub business_key: Option<String>,
    pub tenant: Option<String>,
    pub root: Id,
    pub super_instance: Option<Id>,
    pub start_time: Millis,
    /// None where instructions started it.
    pub start_activity: Option<String>,
    pub end_time: Option<Millis>,
    pub end_activity: Option<String>,
    pub delete_reason: Option<String>,
    pub state: InstanceState,
    /// Who started it; none where nobody had to say.
    pub start_user: Option<String>,
    /// The instance that it is a restart of.
    pub restarted: Option<Id>,
    pub removal_time: Option<Millis>,
}

/// `state` of a historic process instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub enum InstanceState {
    Active,
    Suspended,
    Completed,
    ExternallyTerminated,
    InternallyTerminated,
}

/// The history of an activity instance.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct HistoricActivity {
    /// The execution's id.
    pub id: Id,
    /// The activity instance that it is in: an execution, or the instance.
    pub parent: Id,
    /// The element's id of `parent`, for its id outside; none where it is the instance.
    pub parent_activity: Option<String>,
    pub instance: Id,
    pub root: Id,
    pub definition: Id,
    pub definition_key: String,
    pub activity: String,
    pub activity_name: Option<String>,
    /// Camunda's name of the type: `serviceTask`, `noneEndEvent`, `messageStartEvent`, …
    pub activity_type: String,
    pub task: Option<Id>,
    pub assignee: Option<String>,
    pub called_instance: Option<Id>,
    pub start_time: Millis,
    pub end_time: Option<Millis>,
    pub canceled: bool,
    pub complete_scope: bool,
    pub tenant: Option<String>,
    pub removal_time: Option<Millis>,
    /// The activity that its id outside begins with, where migration has given it another one.
    pub entered_as: Option<String>,
}

impl HistoricActivity {
    /// The activity that its id outside begins with.
    #[must_use]
    pub fn entered(&self) -> &str {
        self.entered_as.as_deref().unwrap_or(&self.activity)
    }
}

/// The history of a variable: its last value.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct HistoricVariable {
    pub id: Id,
    pub instance: Id,
    pub root: Id,
    pub definition: Id,
    pub definition_key: String,
    /// The execution or the instance that has it.
    pub scope: Id,
    /// The element's id of `scope`, for its activity instance's id; none where it is the instance.
    pub scope_activity: Option<String>,
    pub name: String,
    pub value: Value,
    pub created: Millis,
    pub deleted: bool,
    pub revision: i32,
    pub tenant: Option<String>,
    pub removal_time: Option<Millis>,
}

/// The history of a user task.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct HistoricTask {
    pub task: UserTask,
    pub root: Option<Id>,
    pub definition_key: Option<String>,
    pub end_time: Option<Millis>,
    pub delete_reason: Option<String>,
    pub removal_time: Option<Millis>,
}

/// The history of an incident.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct HistoricIncident {
    pub incident: Incident,
    pub root: Option<Id>,
    pub definition_key: Option<String>,
    pub end_time: Option<Millis>,
    pub deleted: bool,
    pub resolved: bool,
    pub removal_time: Option<Millis>,
}

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

/// The history of one evaluation of a decision (Camunda's `HistoricDecisionInstance`).
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct HistoricDecision {
    pub id: Id,
    pub decision: Id,
    pub decision_key: String,
    pub decision_name: Option<String>,
    pub requirements: Option<Id>,
    pub requirements_key: Option<String>,
    pub time: Millis,
    /// Where in a process it was; none where it was asked for from outside.
    pub place: Option<DecisionPlace>,
    /// The evaluation that required this one.
    pub root_decision: Option<Id>,
    /// What an aggregation came to.
    pub collected: Option<f64>,
    pub inputs: Vec<HistoricDecisionInput>,
    pub outputs: Vec<HistoricDecisionOutput>,
    pub user: Option<String>,
    pub tenant: Option<String>,
    pub removal_time: Option<Millis>,
}

/// Where in a process a decision was evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionPlace {
    /// The process instance.
    pub instance: Id,
    /// The root of the call hierarchy.
    pub root: Id,
    /// The process definition.
    pub definition: Id,
    /// Its key.
    pub definition_key: String,
    /// The execution of the activity.
    pub execution: Id,
    /// The activity's id.
    pub activity: String,
}

/// The value of a decision's input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct HistoricDecisionInput {
    pub id: Id,
    pub clause: Option<String>,
    pub clause_name: Option<String>,
    pub value: Value,
}

/// The value of a decision's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct HistoricDecisionOutput {
    pub id: Id,
    pub clause: Option<String>,
    pub clause_name: Option<String>,
    pub rule: Option<String>,
    pub rule_order: Option<i32>,
    pub variable: Option<String>,
    pub value: Value,
}
