//! User task: waits for a person to complete it.

use crate::core::calendar;
use crate::core::context::Site;
use crate::core::halt::{Halt, Run};
use crate::core::identity_log::Reset;
use crate::core::outside::OnFailure;
use crate::core::place::Place;
use crate::core::script::Occasion;
use crate::core::work::Work;
use crate::expression::{Datum, Expression};
use crate::id::{Id, Millis};
use crate::model::{Implementation, Kind, TaskListener, UserTask as Definition};
use crate::request::DelegateEvent;
use crate::row::{HistoricTask, IdentityLink, TaskPlace, UserTask};

/// The priority of a task that says nothing of it.
const PRIORITY: i32 = 50;
/// The part of those who may claim a task.
const CANDIDATE: &str = "candidate";

pub(super) fn execute(work: &mut Work<'_>, place: &Place, definition: &Definition) -> Run<()> {
    let site = Site::from(place);
    let id = work.id()?;
    // In Camunda's order: the first that fails is what the caller is told.
    let name = work.cast_text(&site, definition.name.as_ref())?;
    let description = work.cast_text(&site, definition.description.as_ref())?;
    let due = date(work, &site, definition.due.as_ref(), "Due date")?;
    let follow_up = date(work, &site, definition.follow_up.as_ref(), "Follow up date")?;
    let priority = priority(work, &site, definition.priority.as_ref())?;
    let assignee = work.cast_text(&site, definition.assignee.as_ref())?;
    let task = UserTask {
        id,
        place: Some(TaskPlace {
            instance: place.instance,
            execution: place.execution,
            definition: place.definition.row.id,
            activity: place.element().id.clone(),
            entered_as: None,
        }),
        name,
        description,
        assignee,
        owner: None,
        delegation: None,
        parent: None,
        priority,
        created: work.now(),
        updated: None,
        due,
        follow_up,
        suspended: false,
        tenant: work.instance(place.instance)?.and_then(|row| row.tenant.clone()),
    };
    let root = work.instance(place.instance)?.map_or(place.instance, |row| row.root);
    work.history.task_start(HistoricTask {
        task: task.clone(),
        root: Some(root),
        definition_key: Some(place.definition.row.key.clone()),
        end_time: None,
        delete_reason: None,
        removal_time: None,
    });
    work.history
        .activity_task(place.execution, id, task.assignee.as_deref());
    let assigned = task.assignee.is_some();
    work.insert(task);
    work.log_people(id, None, Reset::default())?;
    for (names, is_user) in [
        (&definition.candidate_users, true),
        (&definition.candidate_groups, false),
    ] {
        for name in candidates(work, &site, names)? {
            let (user, group) = if is_user {
                (Some(name), None)
            } else {
                (None, Some(name))
            };
            work.add_link(id, user, group, CANDIDATE)?;
        }
    }
    work.task_listeners(place, id, "create")?;
    if assigned {
        work.task_listeners(place, id, "assignment")?;
    }
    Ok(())
}

/// The names that expressions give: a text, texts with commas between, or a list of them.
fn candidates(work: &mut Work<'_>, site: &Site, expressions: &[Expression]) -> Run<Vec<String>> {
    let mut names = Vec::new();
    for expression in expressions {
        match work.evaluate(site, expression)? {
            Datum::Null => {}
            Datum::List(list) => names.extend(list.iter().filter_map(|datum| datum.clone().into_text())),
            other => {
                let text = other.into_text().unwrap_or_default();
                names.extend(text.split(',').map(|name| name.trim().to_owned()));
            }
        }
    }
    names.retain(|name| !name.is_empty());
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Ok(names)
}

/// A date, or a text that is one.
fn date(work: &mut Work<'_>, site: &Site, expression: Option<&Expression>, what: &str) -> Run<Option<Millis>> {
    let Some(expression) = expression else { return Ok(None) };
    match work.evaluate(site, expression)? {
        Datum::Null => Ok(None),
        Datum::Date(instant) => Ok(Some(instant)),
        Datum::Text(text) => {
            let now = work.now();
            let due = if text.starts_with('P') {
                calendar::duration(&text, now)
            } else {
                calendar::date(&text)
            };
            due.map(Some).map_err(Halt::execution)
        }
        _ => Err(Halt::execution(format!(
            "{what} expression does not resolve to a Date or Date string: {}",
            expression.source()
        ))),
    }
}

fn priority(work: &mut Work<'_>, site: &Site, expression: Option<&Expression>) -> Run<i32> {
    let Some(expression) = expression else {
        return Ok(PRIORITY);
    };
    match work.evaluate(site, expression)? {
        Datum::Null => Ok(PRIORITY),
        Datum::Short(number) => Ok(number.into()),
        Datum::Integer(number) => Ok(number),
        // As Java narrows.
        Datum::Long(number) => Ok(number as i32),
        Datum::Double(number) => Ok(number as i32),
        Datum::Text(text) => text
            .parse()
            .map_err(|_| Halt::execution(format!("Priority does not resolve to a number: {text}"))),
        _ => Err(Halt::execution(format!(
            "Priority expression does not resolve to a number: {}",
            expression.source()
        ))),
    }
}

impl Work<'_> {
    /// Starts the timers of timeout listeners: before the task exists, as in Camunda.
    pub(in crate::core) fn start_timeouts(&mut self, place: &Place) -> Run<()> {
        let site = Site::from(place);
        for listener in &place.element().task_listeners {
            if let (Some(id), Some(timer)) = (&listener.id, &listener.timer) {
                self.create_timeout_job(&site, place.element(), id, timer)?;
            }
        }
        Ok(())
    }

    /// A timeout listener's timer is due.
    pub(in crate::core) fn task_timeout(&mut self, execution: Id, listener: &str) -> Run<()> {
        let place = self.place(execution)?;
        let Some(task) = self.task_of(execution)? else {
            return Err(Halt::execution(format!(
                "the activity '{}' has no task to call the timeout listener '{listener}' for",
                place.element().id
            )));
        };
        let found = place
            .element()
            .task_listeners
            .iter()
            .find(|l| l.id.as_deref() == Some(listener));
        match found {
            Some(found) => self.call_task_listener(&place, task, found),
            None => Err(Halt::execution(format!(
                "Cannot find timeout taskListener with id '{listener}' for task {}",
                self.text(task)
            ))),
        }
    }

    /// Calls the task listeners of an event.
    pub(in crate::core) fn task_listeners(&mut self, place: &Place, task: Id, event: &str) -> Run<()> {
        if self.skip_listeners {
            return Ok(());
        }
        for listener in place.element().task_listeners.iter().filter(|l| l.event == event) {
            self.call_task_listener(place, task, listener)?;
        }
        Ok(())
    }

    /// What a listener fails with may be caught by an event of the model, but at the task's deletion.
    fn call_task_listener(&mut self, place: &Place, task: Id, listener: &TaskListener) -> Run<()> {
        let site = Site::from(place);
        let on_failure = match listener.event.as_str() {
            "delete" => OnFailure::EndCommand,
            _ => OnFailure::Throw,
        };
        match &listener.implementation {
            Implementation::Expression(expression) => {
                self.evaluate_with(&site, expression, None, Some(task))?;
                Ok(())
            }
            Implementation::Script(script) => {
                let occasion = Occasion {
                    event: Some(&listener.event),
                    transition: None,
                    task: Some(task),
                };
                self.run_script(&site, script, occasion, on_failure).map(drop)
            }
            Implementation::Delegate(delegate) => {
                self.call_delegate(&site, delegate, DelegateEvent::Execute, None, on_failure)
            }
        }
    }

    /// Completes a user task: its activity is left.
    pub(in crate::core) fn complete_user_task(&mut self, id: Id) -> Run<()> {
        let Some(execution) = self.task(id)?.and_then(UserTask::execution) else {
            return Ok(());
        };
        let place = self.place(execution)?;
        self.task_listeners(&place, id, "complete")?;
        if !matches!(place.element().kind, Kind::User(_)) {
            return Err(Halt::execution(format!("'{}' is no user task", place.element().id)));
        }
        self.end_task(id, "completed")?;
        self.leave(&place)
    }

    /// Removes a user task with all that hangs on it.
    pub(in crate::core) fn end_task(&mut self, id: Id, reason: &str) -> Run<()> {
        for link in self.links_of(id)? {
            self.remove::<IdentityLink>(link.id);
        }
        self.drop_variables(id)?;
        self.remove::<UserTask>(id);
        let now = self.now();
        self.history.task_end(id, now, reason);
        Ok(())
    }

    /// Somebody has a part in a task.
    pub(in crate::core) fn add_link(
        &mut self,
        task: Id,
        user: Option<String>,
        group: Option<String>,
        kind: &str,
    ) -> Run<()> {
        let link = IdentityLink {
            id: self.id()?,
            task,
            user,
            group,
            kind: kind.to_owned(),
        };
        self.log_link_row(&link, true)?;
        self.insert(link);
        Ok(())
    }

    /// Changes a task: its history follows, and its listeners are told of it (`update`, and `assignment` where it has
    /// come to somebody else).
    pub(in crate::core) fn update_task(&mut self, id: Id, reset: Reset, change: impl FnOnce(&mut UserTask)) -> Run<()> {
        let now = self.now();
        let Some(before) = self.task(id)?.cloned() else {
            return Ok(());
        };
        self.change::<UserTask>(id, |row| {
            change(row);
            row.updated = Some(now);
        });
        let Some(task) = self.task(id)?.cloned() else {
            return Ok(());
        };
        self.history.task_update(task.clone());
        self.log_people(id, Some(&before), reset)?;
        if let Some(execution) = task.execution() {
            let place = self.place(execution)?;
            self.task_listeners(&place, id, "update")?;
            if task.assignee.is_some() && task.assignee != before.assignee {
                self.task_listeners(&place, id, "assignment")?;
            }
        }
        Ok(())
    }

    /// Removes the user task of an execution that ends.
    pub(in crate::core) fn drop_user_task(&mut self, execution: Id) -> Run<()> {
        let Some(id) = self.task_of(execution)? else {
            return Ok(());
        };
        let place = self.place(execution)?;
        self.task_listeners(&place, id, "delete")?;
        match self.task_delete_reason.clone() {
            Some(reason) => self.end_task(id, &reason),
            None => self.end_task(id, "deleted"),
        }
    }
}
