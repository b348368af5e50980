//! What the machine can see: stored rows, read lazily. One command may touch several instances and definitions.
//!
//! Invariant: a view is a snapshot. It does not change while a command runs, nor between the runs of a command that
//! waits for an answer: the instances that it has read are reserved meanwhile, and another command that comes upon
//! one of them gets [`ViewError::Reserved`] from its own view.

use std::sync::Arc;

use crate::decision::DecisionFile;
use crate::id::Id;
use crate::model::ProcessModel;
use crate::row::{
    Attachment, Batch, Comment, DecisionRow, DedupeKey, DefinitionRow, Deployment, EventKind, EventSubscription,
    Execution, ExternalTask, HistoricDetail, HistoricInstance, HistoricVariable, IdentityLink, Incident, Instance, Job,
    JobDefinition, RequirementsRow, Resource, UserTask, Variable,
};
use crate::value::Value;

/// Why rows could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// A command that waits for an answer has reserved the instance (or the key by which it is started).
    #[error("process instance {0} is reserved by a command that waits for an answer")]
    Reserved(Id),
    /// The store failed.
    #[error("the store could not be read: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A result of a view.
pub type Seen<T> = Result<T, ViewError>;

/// A definition with its compiled model.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The row.
    pub row: DefinitionRow,
    /// The model.
    pub model: Arc<ProcessModel>,
    /// Its job definitions, as they are.
    pub jobs: Vec<JobDefinition>,
}

/// A decision definition with its compiled file.
#[derive(Clone, Debug)]
pub struct DecisionDefinition {
    /// The row.
    pub row: DecisionRow,
    /// The file.
    pub file: Arc<DecisionFile>,
    /// The decision's position in the file.
    pub position: usize,
}

/// Which decision definition is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum DecisionQuery {
    Id(Id),
    Latest {
        key: String,
        tenant: Tenant,
    },
    Version {
        key: String,
        version: i32,
        tenant: Tenant,
    },
    /// The latest version with a tag.
    VersionTag {
        key: String,
        tag: String,
        tenant: Tenant,
    },
    Deployment {
        key: String,
        deployment: Id,
    },
}

/// Which tenant a look-up is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tenant {
    /// Whichever: an error where several match.
    Any,
    /// Definitions and instances of no tenant.
    None,
    /// This one.
    Is(String),
}

/// The receivers that a message may have.
#[derive(Clone, Debug)]
pub struct SubscriptionQuery<'a> {
    /// The kind of event.
    pub kind: EventKind,
    /// The name of the message or signal.
    pub name: &'a str,
    /// Only of this instance.
    pub instance: Option<Id>,
    /// Only of instances with this business key.
    pub business_key: Option<&'a str>,
    /// Only of this tenant.
    pub tenant: &'a Tenant,
    /// The instance must have all these variables with equal values.
    pub correlation_keys: &'a [(String, Value)],
    /// The waiting execution must have all these local variables with equal values.
    pub local_correlation_keys: &'a [(String, Value)],
    /// At most so many.
    pub limit: usize,
}

/// The stored rows. All lists are in the order of their ids, which is that of their creation.
#[allow(missing_docs, reason = "the names say what is read")]
pub trait View {
    fn definition(&self, id: Id) -> Seen<Option<Arc<Definition>>>;
    /// The highest version of a key; several where `tenant` is [`Tenant::Any`] and several tenants have it.
    fn latest_definitions(&self, key: &str, tenant: &Tenant) -> Seen<Vec<Arc<Definition>>>;
    fn definition_by_version(&self, key: &str, version: i32, tenant: &Tenant) -> Seen<Option<Arc<Definition>>>;
    fn definitions_of_deployment(&self, deployment: Id) -> Seen<Vec<Arc<Definition>>>;
    fn decision(&self, query: &DecisionQuery) -> Seen<Option<Arc<DecisionDefinition>>>;
    /// The highest version of the requirements of a file.
    fn latest_requirements(&self, key: &str, tenant: Option<&str>) -> Seen<Option<RequirementsRow>>;
    fn deployment(&self, id: Id) -> Seen<Option<Deployment>>;
    /// The newest deployment of a name (and tenant), for duplicate filtering.
    fn latest_deployment(&self, name: Option<&str>, tenant: Option<&str>) -> Seen<Option<Deployment>>;
    /// The newest resource of a name in any deployment of a name and tenant.
    fn latest_resource(
        &self,
        deployment_name: Option<&str>,
        tenant: Option<&str>,
        name: &str,
    ) -> Seen<Option<Resource>>;
    fn resources(&self, deployment: Id) -> Seen<Vec<Resource>>;

    fn instance(&self, id: Id) -> Seen<Option<Instance>>;
    /// Running instances of any definition with a business key (in `tenant`), at most `limit`.
    fn instances_by_business_key(&self, business_key: &str, tenant: &Tenant, limit: usize) -> Seen<Vec<Instance>>;
    /// Running instances of a definition, at most `limit`.
    fn instances_of_definition(&self, definition: Id, limit: usize) -> Seen<Vec<Instance>>;
    /// The instance that a call activity's execution started.
    fn called_instance(&self, super_execution: Id) -> Seen<Option<Instance>>;
    fn dedupe_key(&self, tenant: Option<&str>, key: &str) -> Seen<Option<DedupeKey>>;

    fn execution(&self, id: Id) -> Seen<Option<Execution>>;
    /// The executions right below an execution or an instance.
    fn children(&self, parent: Id) -> Seen<Vec<Execution>>;
    fn variable(&self, scope: Id, name: &str) -> Seen<Option<Variable>>;
    fn variables(&self, scope: Id) -> Seen<Vec<Variable>>;

    fn external_task(&self, id: Id) -> Seen<Option<ExternalTask>>;
    fn external_task_of(&self, execution: Id) -> Seen<Option<ExternalTask>>;
    fn job(&self, id: Id) -> Seen<Option<Job>>;
    fn jobs_of(&self, execution: Id) -> Seen<Vec<Job>>;
    /// Jobs of timer start events.
    fn start_jobs(&self, definition: Id) -> Seen<Vec<Job>>;
    fn task(&self, id: Id) -> Seen<Option<UserTask>>;
    fn task_of(&self, execution: Id) -> Seen<Option<UserTask>>;
    fn links_of(&self, task: Id) -> Seen<Vec<IdentityLink>>;
    /// The tasks that are parts of a task.
    fn sub_tasks(&self, task: Id) -> Seen<Vec<UserTask>>;
    fn subscription(&self, id: Id) -> Seen<Option<EventSubscription>>;
    fn subscriptions_of(&self, execution: Id) -> Seen<Vec<EventSubscription>>;
    /// Executions that wait, of instances that are not suspended.
    fn waiting(&self, query: &SubscriptionQuery<'_>) -> Seen<Vec<EventSubscription>>;
    /// Start events of definitions, by the name of their message or signal.
    fn start_subscriptions(&self, kind: EventKind, name: &str, tenant: &Tenant) -> Seen<Vec<EventSubscription>>;
    fn subscriptions_of_definition(&self, definition: Id) -> Seen<Vec<EventSubscription>>;
    /// Incidents of a job or an external task.
    fn incidents_of(&self, configuration: Id) -> Seen<Vec<Incident>>;
    fn incident(&self, id: Id) -> Seen<Option<Incident>>;
    /// A job definition, of a process definition or of a batch.
    fn job_definition(&self, id: Id) -> Seen<Option<JobDefinition>>;
    /// Jobs of a job definition, at most `limit`.
    fn jobs_of_definition(&self, job_definition: Id, limit: usize) -> Seen<Vec<Job>>;
    fn batch(&self, id: Id) -> Seen<Option<Batch>>;
    /// What a batch is about, from a position on, at most `limit`.
    fn batch_items(&self, batch: Id, from: i64, limit: usize) -> Seen<Vec<Id>>;
    /// The jobs of a batch, at most `limit`.
    fn jobs_of_batch(&self, batch: Id, limit: usize) -> Seen<Vec<Job>>;
    fn historic_instance(&self, id: Id) -> Seen<Option<HistoricInstance>>;
    /// The last values of the variables of an instance itself.
    fn historic_variables(&self, instance: Id) -> Seen<Vec<HistoricVariable>>;
    /// The first values of the variables that an instance began with.
    fn initial_variables(&self, instance: Id) -> Seen<Vec<HistoricDetail>>;
    fn comment(&self, id: Id) -> Seen<Option<Comment>>;
    fn attachment(&self, id: Id) -> Seen<Option<Attachment>>;
    /// Whether an operation of a user is in the history.
    fn has_operation(&self, operation: Id) -> Seen<bool>;
    /// Incidents that an execution has.
    fn incidents_of_execution(&self, execution: Id) -> Seen<Vec<Incident>>;
}
