//! What listeners set on a user task.

use super::calendar;
use super::halt::{Halt, Run};
use super::identity_log::Reset;
use super::work::Work;
use crate::id::Id;
use crate::row::UserTask;
use crate::value::Value;

impl Work<'_> {
    /// Sets a property of a task, by its name in Camunda's `DelegateTask`. Unknown ones are refused.
    pub(super) fn set_task_property(&mut self, id: Id, name: &str, value: &Value) -> Run<()> {
        let text = || match value {
            Value::Null | Value::NullOf(_) => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            other => Err(Halt::execution(format!(
                "the property '{name}' of a task is a text, not a {}",
                other.type_name()
            ))),
        };
        let date = || match value {
            Value::Null | Value::NullOf(_) => Ok(None),
            Value::Date(instant) => Ok(Some(*instant)),
            Value::String(text) => calendar::date(text).map(Some).map_err(Halt::execution),
            other => Err(Halt::execution(format!(
                "the property '{name}' of a task is a date, not a {}",
                other.type_name()
            ))),
        };
        let number = || match value {
            Value::Short(number) => Ok(i32::from(*number)),
            Value::Integer(number) => Ok(*number),
            Value::Long(number) => i32::try_from(*number).map_err(|error| Halt::execution(error.to_string())),
            other => Err(Halt::execution(format!(
                "the property '{name}' of a task is a whole number, not a {}",
                other.type_name()
            ))),
        };
        let set: Box<dyn FnOnce(&mut UserTask)> = match name {
            "name" => {
                let text = text()?;
                Box::new(|task| task.name = text)
            }
            "description" => {
                let text = text()?;
                Box::new(|task| task.description = text)
            }
            "assignee" => {
                let text = text()?;
                Box::new(|task| task.assignee = text)
            }
            "owner" => {
                let text = text()?;
                Box::new(|task| task.owner = text)
            }
            "priority" => {
                let number = number()?;
                Box::new(move |task| task.priority = number)
            }
            "dueDate" => {
                let date = date()?;
                Box::new(move |task| task.due = date)
            }
            "followUpDate" => {
                let date = date()?;
                Box::new(move |task| task.follow_up = date)
            }
            other => {
                return Err(Halt::execution(format!(
                    "the property '{other}' of a task cannot be set by a listener"
                )));
            }
        };
        let before = self.task(id)?.cloned();
        self.change::<UserTask>(id, set);
        self.log_people(id, before.as_ref(), Reset::default())?;
        if let Some(task) = self.task(id)?.cloned() {
            self.history.task_update(task);
        }
        Ok(())
    }
}
