//! Running instances: what is where, and what it knows.

use crate::id::{Id, Millis};
use crate::value::Value;

/// A running process instance: the root of its executions, and the scope of its variables. An ended one is a
/// [`super::HistoricInstance`] only.
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
