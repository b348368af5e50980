//! User tasks, whom they are for, and what people leave with them.

use crate::id::{Id, Millis};

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
