//! What goes to the writer.

use handoff_machine::command::{Command, ExternalTaskAction, Reply};
use handoff_machine::row::ExternalTask;
use handoff_machine::{Answer, Env, Id, Millis};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::error::CommandError;
use super::fetch::{FetchRequest, LockedTask};
use super::reservations::Ticket;
use crate::store::view::Findings;

/// Where an answer goes.
pub(super) type ReplyTo<T> = oneshot::Sender<Result<T, CommandError>>;

/// What is known of who sends a command.
#[derive(Clone, Debug, Default)]
pub struct Sender {
    /// The user, where callers must say who they are: what they do is logged by that name.
    pub user: Option<String>,
    /// The delegate's invocation from within which the call is made (`Handoff-Invocation`).
    pub invocation: Option<Uuid>,
}

/// Who sent a command.
pub(super) enum Source {
    /// Somebody who waits for the answer.
    Caller {
        /// Takes the answer.
        reply: ReplyTo<Reply>,
        /// What is known of them.
        sender: Sender,
    },
    /// The job executor.
    Executor,
    /// A job has failed and its failure is noted; its caller, if it had one, is told only then.
    Failure {
        /// The job.
        job: Id,
        /// Its caller, and what it will be told.
        caller: Option<(ReplyTo<Reply>, CommandError)>,
    },
}

impl Source {
    /// Who is named in the log of what users do. What the job executor does, nobody does.
    pub(super) fn user(&self) -> Option<String> {
        match self {
            Self::Caller { sender, .. } => sender.user.clone(),
            Self::Executor | Self::Failure { .. } => None,
        }
    }
}

/// A command on its way through the writer.
pub(super) struct Pending {
    pub(super) command: Command,
    pub(super) source: Source,
    /// What it has come to so far.
    pub(super) progress: Progress,
}

/// What a command keeps from run to run.
#[derive(Default)]
pub(super) struct Progress {
    /// Set when it first had to wait for an answer: it reserves what it has read by this.
    pub(super) ticket: Option<Ticket>,
    /// Its surroundings, from its first wait on.
    pub(super) env: Option<Env>,
    /// The answers so far.
    pub(super) answers: Vec<Answer>,
    /// What it found, to be found again.
    pub(super) findings: Findings,
    /// When it gives up waiting for an instance that another one has reserved.
    pub(super) parked_until: Option<Millis>,
}

/// A fetch on its way through the writer.
pub(super) struct PendingFetch {
    pub(super) request: FetchRequest,
    pub(super) reply: ReplyTo<Vec<LockedTask>>,
    /// Its place among those that wait, and until when it waits; none before it has.
    pub(super) waiting: Option<(u64, Millis)>,
}

/// What the writer is asked to do.
pub(super) enum Work {
    /// A command for the machine.
    Command(Box<Pending>),
    /// A fetch of external tasks.
    Fetch(Box<PendingFetch>),
    /// Takes back locks whose taker has gone before it was told of them.
    TakeBack(Vec<ExternalTask>),
}

/// Who is refused first when too much waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// What ends work that has begun: refused last.
    Completion,
    /// All other commands.
    Other,
    /// What brings new work: refused first.
    Intake,
}

impl Work {
    pub(super) fn command(command: Command, source: Source) -> Self {
        Self::Command(Box::new(Pending {
            command,
            source,
            progress: Progress::default(),
        }))
    }

    pub(super) fn fetch(request: FetchRequest, reply: ReplyTo<Vec<LockedTask>>) -> Self {
        Self::Fetch(Box::new(PendingFetch {
            request,
            reply,
            waiting: None,
        }))
    }

    pub(super) fn class(&self) -> Class {
        match self {
            Self::Command(pending) => class(&pending.command),
            Self::Fetch(_) => Class::Intake,
            Self::TakeBack(_) => Class::Completion,
        }
    }

    /// For metrics.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Command(pending) => kind(&pending.command),
            Self::Fetch(_) => "fetch",
            Self::TakeBack(_) => "take-back",
        }
    }
}

fn class(command: &Command) -> Class {
    match command {
        Command::ExternalTask { .. }
        | Command::CompleteTask { .. }
        | Command::SubmitTaskForm { .. }
        | Command::ExecuteJob(_)
        | Command::FailJob { .. } => Class::Completion,
        Command::Start(_) | Command::SubmitStartForm(_) | Command::Evaluate(_) | Command::EvaluateDecision { .. } => {
            Class::Intake
        }
        _ => Class::Other,
    }
}

fn kind(command: &Command) -> &'static str {
    match command {
        Command::Deploy(_) => "deploy",
        Command::DeleteDeployment { .. } => "delete-deployment",
        Command::Start(_) | Command::SubmitStartForm(_) => "start",
        Command::SubmitTaskForm { .. } => "submit-task-form",
        Command::Correlate(_) => "correlate",
        Command::Signal(_) => "signal",
        Command::Evaluate(_) => "evaluate-conditions",
        Command::DeleteInstance { .. } => "delete-instance",
        Command::SetVariables { .. } => "set-variables",
        Command::SuspendInstance { .. } => "suspend-instance",
        Command::ModifyInstance { .. } => "modify-instance",
        Command::MigrateInstances { .. } => "migrate-instances",
        Command::RestartInstances { .. } => "restart-instances",
        Command::StartBatch(_) => "start-batch",
        Command::DoAtOnce(_) => "do-at-once",
        Command::SuspendBatch { .. } => "suspend-batch",
        Command::DeleteBatch { .. } => "delete-batch",
        Command::SuspendDefinitions(_) => "suspend-definitions",
        Command::SuspendJobDefinitions(_) => "suspend-job-definitions",
        Command::Jobs { .. } => "change-jobs",
        Command::SetJobDefinitionPriority { .. } => "set-job-definition-priority",
        Command::DeleteJob(_) => "delete-job",
        Command::CreateIncident { .. } => "create-incident",
        Command::ResolveIncident(_) => "resolve-incident",
        Command::AnnotateIncident { .. } => "annotate-incident",
        Command::AnnotateOperation { .. } => "annotate-operation",
        Command::SetHistoryTimeToLive { .. } => "set-history-time-to-live",
        Command::EvaluateDecision { .. } => "evaluate-decision",
        Command::SetDecisionTimeToLive { .. } => "set-decision-time-to-live",
        Command::DeleteHistoricBatch(_) => "delete-historic-batch",
        Command::DeleteHistory(_) => "delete-history",
        Command::ExternalTask { action, .. } => match action {
            ExternalTaskAction::Complete { .. } => "task-complete",
            ExternalTaskAction::Fail { .. } => "task-fail",
            ExternalTaskAction::BpmnError { .. } => "task-bpmn-error",
            ExternalTaskAction::Lock { .. } => "task-lock",
            ExternalTaskAction::ExtendLock { .. } => "task-extend-lock",
            ExternalTaskAction::Unlock => "task-unlock",
            ExternalTaskAction::SetRetries(_) => "task-set-retries",
            ExternalTaskAction::SetPriority(_) => "task-set-priority",
        },
        Command::ExecuteJob(_) => "execute-job",
        Command::FailJob { .. } => "fail-job",
        Command::SetJobRetries { .. } => "set-job-retries",
        Command::SetJobDue { .. } => "set-job-due",
        Command::CompleteTask { .. } => "complete-task",
        Command::DeleteDefinition { .. } => "delete-definition",
        Command::SignalExecution { .. } => "signal-execution",
        Command::TriggerMessage { .. } => "trigger-message",
        Command::CreateTask(_) => "create-task",
        Command::Task { .. } => "act-on-task",
        Command::DeleteTask(_) => "delete-task",
        Command::AddAttachment(_) | Command::DeleteAttachment(_) => "attachment",
        Command::AddComment { .. }
        | Command::EditComment { .. }
        | Command::DeleteComment(_)
        | Command::DeleteComments { .. } => "comment",
    }
}
