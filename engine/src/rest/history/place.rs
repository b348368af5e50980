//! Where a variable of the history is: a task's own has the task's execution and activity, as in Camunda.

use handoff_machine::Id;
use handoff_machine::row::HistoricTask;

use crate::rest::error::Result;
use crate::rest::query::Select;
use crate::rest::reader::Reader;

/// The execution that a row's `scope` is, or belongs to: as a part of conditions.
macro_rules! execution_of_scope {
    () => {
        "ifnull((SELECT t.execution FROM historic_task AS t WHERE t.id = scope), scope)"
    };
}
pub(super) use execution_of_scope;

pub(super) struct Place {
    pub(super) execution: Id,
    pub(super) activity: Option<String>,
    pub(super) task: Option<Id>,
}

impl Place {
    /// Of a scope, which is an instance, an execution or a task, and of its activity where it is an execution.
    ///
    /// # Errors
    /// 500 where the store fails.
    pub(super) fn of(reader: &Reader<'_>, instance: Id, scope: Id, activity: Option<&str>) -> Result<Self> {
        let outside = Self {
            execution: scope,
            activity: activity.map(str::to_owned),
            task: None,
        };
        if scope == instance || activity.is_some() {
            return Ok(outside);
        }
        let task = Select::<HistoricTask>::by_id(reader.connection, scope)?;
        Ok(match task.and_then(|row| row.task.place) {
            Some(place) => Self {
                execution: place.execution,
                activity: Some(place.entered().to_owned()),
                task: Some(scope),
            },
            None => outside,
        })
    }
}
