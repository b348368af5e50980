//! What a worker asks for when it fetches external tasks, and what it gets (`POST /external-task/fetchAndLock`).

use std::sync::Arc;
use std::time::Duration;

use handoff_machine::row::ExternalTask;
use handoff_machine::view::Definition;
use handoff_machine::{Id, Millis, Value};

/// A fetch. What it must satisfy (a worker id, positive lock durations, …) has been checked before.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// `workerId`
    pub worker: String,
    /// `maxTasks`
    pub max_tasks: usize,
    /// `usePriority`: higher priorities first.
    pub use_priority: bool,
    /// `sorting` by `createTime`. Without it, older tasks come first (Camunda: any order).
    pub order: Option<CreateOrder>,
    /// `asyncResponseTimeout`: how long to wait for a first task. None answers at once.
    pub timeout: Option<Duration>,
    /// One for each topic name. None at all: nothing is found.
    pub topics: Vec<FetchTopic>,
}

/// The order of creation. It is that of the ids: a clock that is set back does not disturb it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateOrder {
    /// `asc`
    OldestFirst,
    /// `desc`
    NewestFirst,
}

/// A topic with its filters: all of them must hold, but of [`FetchTopic::process_variables`] one.
#[derive(Clone, Debug, Default)]
pub struct FetchTopic {
    /// `topicName`
    pub name: String,
    /// `lockDuration`, in milliseconds.
    pub lock_duration: Millis,
    /// `variables`: which to return; none: all.
    pub variables: Option<Vec<String>>,
    /// `localVariables`: only those of the task's own scope.
    pub local_variables: bool,
    /// `businessKey`
    pub business_key: Option<String>,
    /// `processDefinitionId` and `processDefinitionIdIn`: where both are given, what is in both.
    pub definitions: Option<Vec<Id>>,
    /// `processDefinitionKey` and `processDefinitionKeyIn`: where both are given, what is in both.
    pub definition_keys: Option<Vec<String>>,
    /// `processDefinitionVersionTag`, compared by SQL's LIKE as Camunda does.
    pub version_tag: Option<String>,
    /// `withoutTenantId`
    pub without_tenant: bool,
    /// `tenantIdIn`
    pub tenants: Option<Vec<String>>,
    /// `processVariables`: the instance has one of these.
    pub process_variables: Vec<(String, Value)>,
    /// `includeExtensionProperties`
    pub extension_properties: bool,
}

/// A task that is now locked for the worker that asked.
#[derive(Clone, Debug)]
pub struct LockedTask {
    /// The task, with its new lock.
    pub task: ExternalTask,
    /// Its definition (for `processDefinitionVersionTag` and the id outside).
    pub definition: Arc<Definition>,
    /// The variables asked for, inner ones winning.
    pub variables: Vec<(String, Value)>,
    /// The `camunda:properties` of its activity, where asked for.
    pub extension_properties: Vec<(String, String)>,
}

impl FetchTopic {
    /// Whether every task of the topic fits.
    pub(in crate::service) fn is_unfiltered(&self) -> bool {
        self.business_key.is_none()
            && self.definitions.is_none()
            && self.definition_keys.is_none()
            && self.version_tag.is_none()
            && !self.without_tenant
            && self.tenants.is_none()
            && self.process_variables.is_empty()
    }
}
