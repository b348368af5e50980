//! The commands that change something, and what their callers are told.
//!
//! Ids that come from outside are parsed before: a command names rows that may not exist, never text that may not be
//! an id. A command whose row does not exist is refused with [`crate::MachineError::NotFound`].

use serde::{Deserialize, Serialize};

use crate::decision::DecisionResult;
use crate::error::Problem;
use crate::id::{Id, Millis};
use crate::row::{
    Attachment, Batch, Comment, DecisionRow, DefinitionRow, Delegation, Deployment, Instance, RequirementsRow,
};
use crate::value::Value;
use crate::view::Tenant;

mod batch;
mod migrate;
mod modify;
mod operate;

pub use self::batch::{BatchWork, NewBatch};
pub use self::migrate::{MigratingInstruction, Migration};
pub use self::modify::{Instruction, Modification, Restart, StartAt, StartPoint};
pub use self::operate::{DefinitionTarget, JobAction, JobTarget, SuspendDefinitions, SuspendJobs, Timed};

/// A variable as a caller gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VariableInput {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Value,
    /// Visible until the next wait state, and never stored.
    pub transient: bool,
}

/// A command: one transaction.
#[derive(Clone, Debug)]
pub enum Command {
    /// `POST /deployment/create`
    Deploy(Deploy),
    /// `DELETE /deployment/{id}`; without `cascade` it is refused while instances run.
    DeleteDeployment {
        /// Which.
        id: Id,
        /// With all instances and their history.
        cascade: bool,
        /// Without calling execution listeners.
        skip_custom_listeners: bool,
        /// Without evaluating output parameters.
        skip_io_mappings: bool,
    },
    /// `DELETE /process-definition/…`; without `cascade` it is refused while instances run.
    DeleteDefinition {
        /// Which.
        id: Id,
        /// With all instances and their history.
        cascade: bool,
        /// Without calling execution listeners.
        skip_custom_listeners: bool,
        /// Without evaluating output parameters.
        skip_io_mappings: bool,
    },
    /// `POST /execution/{id}/signal`: lets a receive task go on.
    SignalExecution {
        /// Which.
        id: Id,
        /// Set before.
        variables: Vec<VariableInput>,
    },
    /// `POST /execution/{id}/messageSubscriptions/{name}/trigger`
    TriggerMessage {
        /// The execution that waits.
        execution: Id,
        /// The message's name.
        name: String,
        /// Set before.
        variables: Vec<VariableInput>,
    },
    /// `POST /process-definition/…/start`
    Start(Start),
    /// `POST /process-definition/…/submit-form`
    SubmitStartForm(Start),
    /// `POST /message`
    Correlate(Box<Correlate>),
    /// `POST /signal`
    Signal(Box<Signal>),
    /// `POST /condition`
    Evaluate(Box<Evaluate>),
    /// `DELETE /process-instance/{id}`
    DeleteInstance {
        /// Which.
        id: Id,
        /// For the history.
        reason: Option<String>,
        /// Without calling execution listeners.
        skip_custom_listeners: bool,
        /// Without evaluating output parameters.
        skip_io_mappings: bool,
    },
    /// `POST /process-instance/{id}/modification`
    ModifyInstance {
        /// Which.
        id: Id,
        /// How.
        modification: Modification,
    },
    /// `POST /migration/execute`: all of them, or none.
    MigrateInstances {
        /// How.
        migration: Box<Migration>,
        /// Which.
        instances: Vec<Id>,
    },
    /// `POST /process-definition/{id}/restart`
    RestartInstances {
        /// How.
        restart: Restart,
        /// The ended instances.
        instances: Vec<Id>,
    },
    /// `/batch` and everything `-async`.
    StartBatch(NewBatch),
    /// Does at once, in one transaction, what a batch would do by jobs.
    DoAtOnce(NewBatch),
    /// `PUT /batch/{id}/suspended`
    SuspendBatch {
        /// Which.
        id: Id,
        /// Suspend or activate.
        suspended: bool,
    },
    /// `DELETE /batch/{id}`
    DeleteBatch {
        /// Which.
        id: Id,
        /// With its history.
        cascade: bool,
    },
    /// `PUT /process-definition/…/suspended`
    SuspendDefinitions(SuspendDefinitions),
    /// `PUT /job-definition/…/suspended`
    SuspendJobDefinitions(SuspendJobs),
    /// `PUT /job/…/suspended`, `/job-definition/{id}/retries` and what else changes jobs.
    Jobs {
        /// Which.
        target: JobTarget,
        /// How.
        action: JobAction,
    },
    /// `PUT /job-definition/{id}/jobPriority`
    SetJobDefinitionPriority {
        /// Which.
        id: Id,
        /// None: that of the model.
        priority: Option<i64>,
        /// Also of the jobs that there are.
        include_jobs: bool,
    },
    /// `DELETE /job/{id}`
    DeleteJob(Id),
    /// `POST /execution/{id}/create-incident`
    CreateIncident {
        /// The execution that has it.
        execution: Id,
        /// Its type.
        kind: String,
        /// What it is about.
        configuration: Option<String>,
        /// Its message.
        message: Option<String>,
    },
    /// `DELETE /incident/{id}`: only one that somebody has made.
    ResolveIncident(Id),
    /// `PUT` and `DELETE /incident/{id}/annotation`
    AnnotateIncident {
        /// Which.
        id: Id,
        /// None removes it.
        annotation: Option<String>,
    },
    /// `PUT /history/user-operation/{operation}/set-annotation` and `…/clear-annotation`
    AnnotateOperation {
        /// The id that all properties of the operation have.
        operation: Id,
        /// None removes it.
        annotation: Option<String>,
    },
    /// `PUT /process-definition/{id}/history-time-to-live`
    SetHistoryTimeToLive {
        /// Which.
        definition: Id,
        /// Days.
        days: Option<i32>,
    },
    /// `POST /decision-definition/…/evaluate`
    EvaluateDecision {
        /// Which decision definition.
        decision: Id,
        /// What its expressions see.
        variables: Vec<VariableInput>,
    },
    /// `PUT /decision-definition/…/history-time-to-live`
    SetDecisionTimeToLive {
        /// Which decision definition.
        decision: Id,
        /// Days.
        days: Option<i32>,
    },
    /// `DELETE /history/batch/{id}`
    DeleteHistoricBatch(Id),
    /// `DELETE /history/process-instance/{id}`: only of ended ones.
    DeleteHistory(Id),
    /// `POST /process-instance/{id}/variables`, `PUT …/variables/{name}` and the like on executions.
    SetVariables {
        /// The instance or execution.
        scope: Id,
        /// Only on this very scope, instead of where each variable exists.
        local: bool,
        /// To be set.
        variables: Vec<VariableInput>,
        /// To be removed.
        deletions: Vec<String>,
        /// By which call, for the log of what users do.
        call: VariablesCall,
    },
    /// `PUT /process-instance/{id}/suspended`
    SuspendInstance {
        /// Which.
        id: Id,
        /// Suspend or activate.
        suspended: bool,
    },
    /// External tasks, but for fetching them.
    ExternalTask {
        /// Which.
        id: Id,
        /// What of it.
        action: ExternalTaskAction,
    },
    /// Runs a job: by the job executor when it is due, or by `POST /job/{id}/execute`.
    ExecuteJob(Id),
    /// Notes that running a job failed: the second transaction of Camunda's `DefaultJobRetryCmd`.
    FailJob {
        /// Which.
        id: Id,
        /// Of the exception.
        message: String,
        /// For the operator.
        stacktrace: String,
        /// The activity that failed ([`crate::Refusal::activity`]); none: that of the job.
        activity: Option<String>,
    },
    /// `PUT /job/{id}/retries`
    SetJobRetries {
        /// Which.
        id: Id,
        /// 0 raises an incident; more resolves it.
        retries: i32,
    },
    /// `PUT /job/{id}/duedate`
    SetJobDue {
        /// Which.
        id: Id,
        /// None: at once.
        due: Option<Millis>,
    },
    /// `POST /task/{id}/complete`
    CompleteTask {
        /// Which.
        id: Id,
        /// Set before.
        variables: Vec<VariableInput>,
        /// `withVariablesInReturn`: the reply is [`Reply::Variables`].
        with_variables: bool,
    },
    /// `POST /task/{id}/submit-form`: completes it, or gives it back to its owner where it was delegated.
    SubmitTaskForm {
        /// Which.
        id: Id,
        /// What was submitted.
        variables: Vec<VariableInput>,
        /// As of [`Command::CompleteTask`].
        with_variables: bool,
    },
    /// `POST /task/create`: a task that is in no process.
    CreateTask(Box<TaskFields>),
    /// User tasks, but for completing them.
    Task {
        /// Which.
        id: Id,
        /// What of it.
        action: TaskAction,
    },
    /// `DELETE /task/{id}`: a task that is in no process, with those that are parts of it. An unknown one is gone already.
    DeleteTask(Id),
    /// `POST /task/{id}/comment/create`
    AddComment {
        /// The task.
        task: Id,
        /// The process instance that it is about too.
        instance: Option<Id>,
        /// Who says so.
        user: Option<String>,
        /// What.
        message: String,
    },
    /// `POST /task/{id}/attachment/create`
    AddAttachment(Box<NewAttachment>),
    /// `DELETE /task/{id}/attachment/{id}`
    DeleteAttachment(Id),
    /// `PUT /task/{id}/comment`
    EditComment {
        /// Which.
        id: Id,
        /// What it says from now on.
        message: String,
    },
    /// `DELETE /task/{id}/comment/{id}`
    DeleteComment(Id),
    /// `DELETE /task/{id}/comment` and `DELETE /process-instance/{id}/comment`
    DeleteComments {
        /// Of a task.
        task: Option<Id>,
        /// Of an instance.
        instance: Option<Id>,
    },
}

/// How variables are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariablesCall {
    /// One, by its name.
    Set,
    /// Several, at once.
    Modify,
    /// One is removed.
    Remove,
}

/// What can be said of a user task from outside (`TaskDto`). All of it is said at once: what is none becomes none.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct TaskFields {
    pub name: Option<String>,
    pub description: Option<String>,
    pub assignee: Option<String>,
    pub owner: Option<String>,
    pub delegation: Option<Delegation>,
    pub parent: Option<Id>,
    pub priority: i32,
    pub due: Option<Millis>,
    pub follow_up: Option<Millis>,
    pub tenant: Option<String>,
}

/// What is attached to a task: a file, or its address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "Camunda's names")]
pub struct NewAttachment {
    pub task: Id,
    pub name: Option<String>,
    pub description: Option<String>,
    pub kind: Option<String>,
    pub url: Option<String>,
    pub content: Option<Vec<u8>>,
}

/// What is done with a user task.
#[derive(Clone, Debug)]
pub enum TaskAction {
    /// `POST …/claim`; by nobody: it is given back.
    Claim(Option<String>),
    /// `POST …/assignee`, `POST …/unclaim`
    Assign(Option<String>),
    /// `POST …/delegate`
    Delegate(Option<String>),
    /// `POST …/resolve`
    Resolve(Vec<VariableInput>),
    /// `PUT /task/{id}`
    Update(Box<TaskFields>),
    /// `POST …/identity-links`
    Link(TaskLink),
    /// `POST …/identity-links/delete`
    Unlink(TaskLink),
    /// `POST …/bpmnError`
    BpmnError {
        /// The error's code.
        code: String,
        /// The error's message.
        message: Option<String>,
        /// Set before the error is thrown.
        variables: Vec<VariableInput>,
    },
    /// `POST …/bpmnEscalation`: refused where nobody catches it.
    Escalation {
        /// The escalation's code.
        code: String,
        /// Set before.
        variables: Vec<VariableInput>,
    },
}

/// A user or a group, and their part in a task: `candidate`, `assignee`, `owner`, or any other word.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct TaskLink {
    pub user: Option<String>,
    pub group: Option<String>,
    pub kind: String,
}

/// A deployment.
#[derive(Clone, Debug)]
pub struct Deploy {
    /// `deployment-name`
    pub name: Option<String>,
    /// `deployment-source`
    pub source: Option<String>,
    /// `tenant-id`
    pub tenant: Option<String>,
    /// `enable-duplicate-filtering`
    pub duplicate_filtering: bool,
    /// `deploy-changed-only`
    pub changed_only: bool,
    /// Refuse also what Camunda accepts and ignores.
    pub strict: bool,
    /// Name and content of each file.
    pub resources: Vec<(String, Vec<u8>)>,
}

/// What runs already under the same business key: what to do?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfRunning {
    /// Answer with the running instance.
    Join,
    /// Refuse.
    Reject,
    /// Start another, as Camunda does.
    #[default]
    Another,
}

/// How an instance is started once (F2 of the design).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Once {
    /// Stored with the instance in the same commit, and kept past its end.
    pub dedupe_key: Option<String>,
    /// Looks at running instances of the same definition key and business key.
    pub if_running: IfRunning,
}

/// Starts an instance by its definition.
#[derive(Clone, Debug)]
pub struct Start {
    /// Which definition.
    pub target: StartTarget,
    /// The business key.
    pub business_key: Option<String>,
    /// On the instance.
    pub variables: Vec<VariableInput>,
    /// Start it once.
    pub once: Once,
    /// `withVariablesInReturn`
    pub with_variables: bool,
    /// `startInstructions`: where to start instead of the start event.
    pub at: Vec<StartAt>,
    /// `skipCustomListeners`
    pub skip_custom_listeners: bool,
    /// `skipIoMappings`
    pub skip_io_mappings: bool,
}

/// Which definition to start.
#[derive(Clone, Debug)]
pub enum StartTarget {
    /// By id.
    Definition(Id),
    /// The latest version of a key.
    Key {
        /// The key.
        key: String,
        /// Of which tenant; REST without a tenant means [`Tenant::None`].
        tenant: Tenant,
    },
}

/// Correlates a message (`rest-semantics` 3.4).
#[derive(Clone, Debug)]
pub struct Correlate {
    /// `messageName`
    pub name: String,
    /// `businessKey`
    pub business_key: Option<String>,
    /// `processInstanceId`
    pub instance: Option<Id>,
    /// `tenantId`, `withoutTenantId`
    pub tenant: Tenant,
    /// `correlationKeys`
    pub correlation_keys: Vec<(String, Value)>,
    /// `localCorrelationKeys`
    pub local_correlation_keys: Vec<(String, Value)>,
    /// `processVariables`
    pub variables: Vec<VariableInput>,
    /// `processVariablesLocal`
    pub local_variables: Vec<VariableInput>,
    /// `processVariablesToTriggeredScope`
    pub triggered_scope_variables: Vec<VariableInput>,
    /// `all`
    pub all: bool,
    /// Where set, only message start events are considered.
    pub start_only: bool,
    /// Start it once.
    pub once: Once,
    /// `variablesInResultEnabled`
    pub with_variables: bool,
}

/// A signal from outside: to all who wait for it, and to the start events of its name.
#[derive(Clone, Debug)]
pub struct Signal {
    /// `name`
    pub name: String,
    /// `executionId`: only to this execution, which must wait for it.
    pub execution: Option<Id>,
    /// `tenantId`, `withoutTenantId`
    pub tenant: Tenant,
    /// `variables`
    pub variables: Vec<VariableInput>,
}

/// Evaluates the conditions of start events: each that holds starts an instance.
#[derive(Clone, Debug)]
pub struct Evaluate {
    /// `processDefinitionId`: only of this definition.
    pub definition: Option<Id>,
    /// `businessKey` of what is started.
    pub business_key: Option<String>,
    /// `tenantId`, `withoutTenantId`
    pub tenant: Tenant,
    /// `variables`: what the conditions see, and what the instances get.
    pub variables: Vec<VariableInput>,
}

/// What is done with an external task (`rest-semantics` 3.3).
#[derive(Clone, Debug)]
pub enum ExternalTaskAction {
    /// `POST …/complete`
    Complete {
        /// Who says so.
        worker: String,
        /// Set where they exist, else on the instance.
        variables: Vec<VariableInput>,
        /// Set on the task's scope.
        local_variables: Vec<VariableInput>,
    },
    /// `POST …/failure`
    Fail {
        /// Who says so.
        worker: String,
        /// Cut at 666 characters.
        message: Option<String>,
        /// For the operator.
        details: Option<String>,
        /// 0 raises an incident.
        retries: i32,
        /// Milliseconds until it is offered again.
        retry_timeout: i64,
        /// Set where they exist, else on the instance.
        variables: Vec<VariableInput>,
        /// Set on the task's scope.
        local_variables: Vec<VariableInput>,
    },
    /// `POST …/bpmnError`
    BpmnError {
        /// Who says so.
        worker: String,
        /// The error's code.
        code: String,
        /// The error's message.
        message: Option<String>,
        /// Set before the error is thrown.
        variables: Vec<VariableInput>,
    },
    /// `POST …/lock`
    Lock {
        /// For whom.
        worker: String,
        /// Milliseconds from now.
        duration: i64,
    },
    /// `POST …/extendLock`
    ExtendLock {
        /// Who holds it.
        worker: String,
        /// Milliseconds from now.
        duration: i64,
    },
    /// `POST …/unlock`
    Unlock,
    /// `PUT …/retries`
    SetRetries(i32),
    /// `PUT …/priority`
    SetPriority(i64),
}

/// What the caller is told.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It is done.
    Done,
    /// Of [`Command::AddComment`]: what was kept.
    Commented(Comment),
    /// Of [`Command::AddAttachment`]: what was kept.
    Attached(Attachment),
    /// Where asked for: the variables of the instance as it is, or, where it has ended, as it was.
    Variables(Vec<(String, Value)>),
    /// Of [`Command::Deploy`].
    Deployed {
        /// The deployment: a new one, or an earlier one that has all this already.
        deployment: Deployment,
        /// What was deployed; empty where nothing was new.
        definitions: Vec<DefinitionRow>,
        /// The same, of decisions.
        decisions: Vec<DecisionRow>,
        /// The same, of the requirements of files with several decisions.
        requirements: Vec<RequirementsRow>,
        /// What is accepted, but worth a word.
        warnings: Vec<(String, Problem)>,
    },
    /// Of [`Command::Start`].
    Started(Box<Started>),
    /// Of [`Command::Correlate`].
    Correlated(Vec<Correlated>),
    /// Of [`Command::Evaluate`].
    StartedAll(Vec<Started>),
    /// Of [`Command::EvaluateDecision`].
    Decided(Box<DecisionResult>),
    /// Of [`Command::StartBatch`].
    Batch(Box<Batch>),
}

/// A started instance, or the one that had been started before.
#[derive(Clone, Debug)]
pub struct Started {
    /// The instance: as it is, or, where it has ended, as it was.
    pub instance: Instance,
    /// The definition.
    pub definition: DefinitionRow,
    /// Whether it has ended (an instance may start and end in one command).
    pub ended: bool,
    /// Whether this command started it.
    pub status: StartStatus,
    /// Where asked for: the variables of the instance.
    pub variables: Vec<(String, Value)>,
}

/// How a start came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartStatus {
    /// This command started it.
    Created,
    /// It runs.
    AlreadyRunning,
    /// It has run.
    AlreadyEnded,
}

/// One receiver of a message.
#[derive(Clone, Debug)]
pub enum Correlated {
    /// An execution went on.
    Execution {
        /// The execution.
        id: Id,
        /// Its instance.
        instance: Id,
        /// The tenant.
        tenant: Option<String>,
        /// Whether it has ended.
        ended: bool,
        /// Where asked for: the variables of the instance.
        variables: Vec<(String, Value)>,
    },
    /// An instance was started.
    Started(Box<Started>),
}
