//! What was: instances, their activities, variables and tasks.

use super::instance::Incident;
use super::task::UserTask;
use crate::id::{Id, Millis};
use crate::value::Value;

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
