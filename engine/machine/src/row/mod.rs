//! The rows: what is stored, one struct a table. The store has a table for each, with the same names.
//!
//! Executions form a tree below their process instance. There is one for each activity instance that is open: an
//! activity, an event that waits, a token that arrived at a join, a token before or after an asynchronous
//! continuation, the body of a multi-instance activity. A scope is an execution that has children. Variables hang on
//! an execution or on the instance.

mod decision;
mod history;
mod instance;
mod log;
mod repository;
mod task;
mod work;

pub use self::decision::{DecisionPlace, HistoricDecision, HistoricDecisionInput, HistoricDecisionOutput};
pub use self::history::{
    HistoricActivity, HistoricIncident, HistoricInstance, HistoricTask, HistoricVariable, InstanceState,
};
pub use self::instance::{
    DedupeKey, EventKind, EventSubscription, Execution, ExecutionState, Incident, Instance, Variable,
};
pub use self::log::{DetailKind, ExternalTaskLog, HistoricDetail, IdentityLinkLog, JobLog, LogState, UserOperation};
pub use self::repository::{DecisionRow, DefinitionRow, Deployment, RequirementsRow, Resource};
pub use self::task::{Attachment, Comment, Delegation, IdentityLink, TaskPlace, UserTask};
pub use self::work::{Batch, ExternalTask, HistoricBatch, Job, JobDefinition, JobKind};
