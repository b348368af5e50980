//! What a command changes, row by row, in the order in which it happened.

use crate::command::Reply;
use crate::id::{Id, Millis};
use crate::row::{
    Attachment, Batch, Comment, DecisionRow, DedupeKey, DefinitionRow, Deployment, EventSubscription, Execution,
    ExternalTask, ExternalTaskLog, HistoricActivity, HistoricBatch, HistoricDecision, HistoricDetail, HistoricIncident,
    HistoricInstance, HistoricTask, HistoricVariable, IdentityLink, IdentityLinkLog, Incident, Instance, InstanceState,
    Job, JobDefinition, JobLog, RequirementsRow, Resource, UserOperation, UserTask, Variable,
};

/// The result of a command that was decided.
#[derive(Debug)]
pub struct Delta {
    /// To be applied in this order, all or none.
    pub changes: Vec<Change>,
    /// How many ids the command gave.
    pub ids: u32,
    /// What the caller is told, after the changes are safe.
    pub reply: Reply,
    /// What an operator should read in the log, such as a BPMN error that nobody caught.
    pub notices: Vec<Notice>,
}

/// Something that happened as Camunda has it, and that a person may not expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The instance that it happened in.
    pub instance: Option<Id>,
    /// The element.
    pub activity: String,
    /// What happened.
    pub message: String,
}

/// One change of one row.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "verb and row say it")]
pub enum Change {
    InsertDeployment(Deployment),
    InsertResource(Resource),
    InsertDefinition(DefinitionRow),
    UpdateDefinition(DefinitionRow),
    InsertDecision(DecisionRow),
    UpdateDecision(DecisionRow),
    InsertRequirements(RequirementsRow),
    /// With its resources and definitions; with `history`, all that its instances left too.
    DeleteDeployment {
        id: Id,
        history: bool,
    },

    /// With `history`, all that its instances left too.
    DeleteDefinition {
        id: Id,
        history: bool,
    },

    /// The row as it is from now on, all of it: what migration changes are columns that are never changed else.
    MigrateInstance(Instance),
    MigrateExecution(Execution),
    MigrateVariable(Variable),
    MigrateExternalTask(ExternalTask),
    MigrateJob(Job),
    MigrateSubscription(EventSubscription),
    MigrateTask(UserTask),
    MigrateIncident(Incident),

    InsertInstance(Instance),
    UpdateInstance(Instance),
    DeleteInstance(Id),
    InsertExecution(Execution),
    UpdateExecution(Execution),
    DeleteExecution(Id),
    InsertVariable(Variable),
    UpdateVariable(Variable),
    DeleteVariable(Id),
    InsertExternalTask(ExternalTask),
    UpdateExternalTask(ExternalTask),
    DeleteExternalTask(Id),
    InsertJob(Job),
    UpdateJob(Job),
    DeleteJob(Id),
    InsertSubscription(EventSubscription),
    DeleteSubscription(Id),
    InsertTask(UserTask),
    UpdateTask(UserTask),
    DeleteTask(Id),
    InsertIdentityLink(IdentityLink),
    DeleteIdentityLink(Id),
    InsertComment(Comment),
    UpdateComment {
        id: Id,
        message: String,
    },
    DeleteComment(Id),
    /// All of a task, or all of an instance.
    DeleteComments {
        task: Option<Id>,
        instance: Option<Id>,
    },
    InsertAttachment {
        row: Attachment,
        content: Option<Vec<u8>>,
    },
    DeleteAttachment(Id),
    InsertIncident(Incident),
    UpdateIncident(Incident),
    DeleteIncident(Id),
    InsertJobDefinition(JobDefinition),
    UpdateJobDefinition(JobDefinition),
    /// Only those of batches go by themselves.
    DeleteJobDefinition(Id),
    InsertBatch(Batch),
    UpdateBatch(Batch),
    /// With its items.
    DeleteBatch(Id),
    /// What a new batch is about.
    InsertBatchItems {
        batch: Id,
        items: Vec<Id>,
    },
    InsertDedupeKey(DedupeKey),

    /// All history below goes to the level that the store is set to.
    HistoryInstanceStart(HistoricInstance),
    /// Also gives `removal_time` to all rows of the instance that have none, and to those of the instances that it has
    /// called: theirs say none, and have this one as their root.
    HistoryInstanceEnd {
        id: Id,
        end_time: Millis,
        end_activity: Option<String>,
        delete_reason: Option<String>,
        state: InstanceState,
        removal_time: Option<Millis>,
    },
    HistoryInstanceState {
        id: Id,
        state: InstanceState,
    },
    /// The instance is of another definition.
    HistoryInstanceMigrated {
        id: Id,
        definition: Id,
        definition_key: String,
    },
    /// The activity instance is of another definition, and may be of another activity and in another scope.
    HistoryActivityMigrated {
        id: Id,
        parent: Id,
        parent_activity: Option<String>,
        definition: Id,
        definition_key: String,
        activity: String,
        activity_name: Option<String>,
        activity_type: String,
        entered_as: Option<String>,
    },
    HistoryVariableMigrated {
        id: Id,
        definition: Id,
        definition_key: String,
        scope: Id,
        scope_activity: Option<String>,
    },
    HistoryTaskMigrated {
        task: UserTask,
        definition_key: String,
    },
    HistoryIncidentMigrated {
        id: Id,
        definition: Id,
        definition_key: String,
        activity: String,
    },
    HistoryActivityStart(HistoricActivity),
    /// An activity that started and ended in this very command is inserted by its start with its end filled in.
    HistoryActivityEnd {
        id: Id,
        end_time: Millis,
        canceled: bool,
        complete_scope: bool,
    },
    HistoryActivityCalled {
        id: Id,
        called_instance: Id,
    },
    /// Of the activity of a user task.
    HistoryActivityAssigned {
        id: Id,
        assignee: Option<String>,
    },
    HistoryVariable(HistoricVariable),
    HistoryVariableDeleted(Id),
    HistoryTaskStart(HistoricTask),
    HistoryTaskUpdate(UserTask),
    HistoryTaskEnd {
        id: Id,
        end_time: Millis,
        delete_reason: Option<String>,
    },
    HistoryIncidentStart(HistoricIncident),
    HistoryIncidentEnd {
        id: Id,
        end_time: Millis,
        resolved: bool,
    },
    HistoryIncidentAnnotation {
        id: Id,
        annotation: Option<String>,
    },
    HistoryDetail(HistoricDetail),
    HistoryOperation(UserOperation),
    /// Of all its rows.
    HistoryOperationAnnotation {
        operation: Id,
        annotation: Option<String>,
    },
    HistoryIdentityLink(IdentityLinkLog),
    HistoryBatchStart(HistoricBatch),
    HistoryBatchUpdate(Batch),
    HistoryBatchEnd {
        id: Id,
        end_time: Millis,
        removal_time: Option<Millis>,
    },
    /// With the logs of its jobs.
    HistoryBatchDelete(Id),
    /// Sets when the history of an ended instance goes.
    HistoryRemovalTime {
        instance: Id,
        time: Option<Millis>,
    },
    HistoryDecision(HistoricDecision),
    /// With those that it required.
    HistoryDecisionDelete(Id),
    /// Sets when an evaluation goes, with those that it required.
    HistoryDecisionRemovalTime {
        id: Id,
        time: Option<Millis>,
    },
    HistoryExternalTask(ExternalTaskLog),
    HistoryJob(JobLog),
    /// All history of an ended instance.
    HistoryInstanceDelete(Id),
}
