//! User task: waits for a person to complete it.

use crate::core::calendar;
use crate::core::context::Site;
use crate::core::halt::{Halt, Run};
use crate::core::outside::OnFailure;
use crate::core::place::Place;
use crate::core::work::Work;
use crate::expression::{Datum, Expression};
use crate::id::{Id, Millis};
use crate::model::{Implementation, Kind, UserTask as Definition};
use crate::request::DelegateEvent;
use crate::row::{HistoricTask, UserTask};

/// The priority of a task that says nothing of it.
const PRIORITY: i32 = 50;

pub(super) fn execute(work: &mut Work<'_>, place: &Place, definition: &Definition) -> Run<()> {
    let site = Site::from(place);
    let id = work.id()?;
    let priority = match work.optional_number(&site, definition.priority.as_ref())? {
        Some(priority) => i32::try_from(priority)
            .map_err(|_| Halt::execution(format!("Priority value {priority} is not an Integer")))?,
        None => PRIORITY,
    };
    let task = UserTask {
        id,
        instance: place.instance,
        execution: place.execution,
        definition: place.definition.row.id,
        activity: place.element().id.clone(),
        name: work.optional_text(&site, definition.name.as_ref())?,
        description: work.optional_text(&site, definition.description.as_ref())?,
        assignee: work.optional_text(&site, definition.assignee.as_ref())?,
        owner: None,
        priority,
        created: work.now(),
        due: date(work, &site, definition.due.as_ref())?,
        follow_up: date(work, &site, definition.follow_up.as_ref())?,
        form_key: work.optional_text(&site, definition.form_key.as_ref())?,
        suspended: false,
        tenant: work.instance(place.instance)?.and_then(|row| row.tenant.clone()),
    };
    let root = work.instance(place.instance)?.map_or(place.instance, |row| row.root);
    work.history.task_start(HistoricTask {
        task: task.clone(),
        root,
        definition_key: place.definition.row.key.clone(),
        end_time: None,
        delete_reason: None,
        removal_time: None,
    });
    work.history
        .activity_task(place.execution, id, task.assignee.as_deref());
    let assigned = task.assignee.is_some();
    work.insert(task);
    work.task_listeners(place, id, "create")?;
    if assigned {
        work.task_listeners(place, id, "assignment")?;
    }
    Ok(())
}

/// A date, or a text that is one.
fn date(work: &mut Work<'_>, site: &Site, expression: Option<&Expression>) -> Run<Option<Millis>> {
    let Some(expression) = expression else { return Ok(None) };
    match work.evaluate(site, expression)? {
        Datum::Null => Ok(None),
        Datum::Date(instant) => Ok(Some(instant)),
        other => {
            let text = other.into_text().unwrap_or_default();
            let now = work.now();
            let due = if text.starts_with('P') {
                calendar::duration(&text, now)
            } else {
                calendar::date(&text)
            };
            due.map(Some).map_err(Halt::execution)
        }
    }
}

impl Work<'_> {
    /// Calls the task listeners of an event.
    pub(in crate::core) fn task_listeners(&mut self, place: &Place, task: Id, event: &str) -> Run<()> {
        if self.skip_listeners {
            return Ok(());
        }
        let site = Site::from(place);
        for listener in place
            .element()
            .task_listeners
            .iter()
            .filter(|listener| listener.event == event)
        {
            match &listener.implementation {
                Implementation::Expression(expression) => {
                    self.evaluate_with(&site, expression, None, Some(task))?;
                }
                Implementation::Delegate(delegate) => {
                    self.call_delegate(&site, delegate, DelegateEvent::Execute, None, OnFailure::EndCommand)?;
                }
            }
        }
        Ok(())
    }

    /// Completes a user task: its activity is left.
    pub(in crate::core) fn complete_user_task(&mut self, id: Id) -> Run<()> {
        let Some(task) = self.task(id)?.cloned() else {
            return Ok(());
        };
        let place = self.place(task.execution)?;
        self.task_listeners(&place, id, "complete")?;
        if !matches!(place.element().kind, Kind::User(_)) {
            return Err(Halt::execution(format!("'{}' is no user task", place.element().id)));
        }
        self.remove::<UserTask>(id);
        let now = self.now();
        self.history.task_end(id, now, "completed");
        self.leave(&place)
    }

    /// Removes the user task of an execution that ends.
    pub(in crate::core) fn drop_user_task(&mut self, execution: Id) -> Run<()> {
        let Some(id) = self.task_of(execution)? else {
            return Ok(());
        };
        let place = self.place(execution)?;
        self.task_listeners(&place, id, "delete")?;
        self.remove::<UserTask>(id);
        let now = self.now();
        self.history.task_end(id, now, "deleted");
        Ok(())
    }
}
