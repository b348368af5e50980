//! External task: written down for a worker to fetch; completed, failed or ended by a BPMN error by command.

use crate::core::context::Site;
use crate::core::halt::{Halt, Run};
use crate::core::place::Place;
use crate::core::work::Work;
use crate::delta::Change;
use crate::id::Id;
use crate::model::ExternalTask as Definition;
use crate::row::{ExternalTask, ExternalTaskLog, LogState};

pub(super) fn execute(work: &mut Work<'_>, place: &Place, definition: &Definition) -> Run<()> {
    let site = Site::from(place);
    let Some(topic) = work.evaluate_text(&site, &definition.topic)? else {
        return Err(Halt::execution(format!(
            "the topic of '{}' is null",
            place.element().id
        )));
    };
    let priority = work.priority(&site, definition.priority.as_ref())?;
    let id = work.id()?;
    let created = work.now();
    let Some(instance) = work.instance(place.instance)? else {
        return Ok(());
    };
    let task = ExternalTask {
        id,
        instance: place.instance,
        execution: place.execution,
        definition: place.definition.row.id,
        definition_key: place.definition.row.key.clone(),
        activity: place.element().id.clone(),
        topic,
        priority,
        retries: None,
        worker: None,
        lock_expiration: None,
        created,
        error_message: None,
        error_details: None,
        suspended: false,
        tenant: instance.tenant.clone(),
        business_key: instance.business_key.clone(),
        entered_as: None,
    };
    work.log_external_task(&task, LogState::Created)?;
    work.insert(task);
    Ok(())
}

/// Where expressions about an external task are evaluated.
pub(in crate::core) fn external_task_site(work: &mut Work<'_>, task: &ExternalTask) -> Run<(Place, Site)> {
    let place = work.place(task.execution)?;
    let site = Site::from(&place);
    Ok((place, site))
}

impl Work<'_> {
    pub(in crate::core) fn log_external_task(&mut self, task: &ExternalTask, state: LogState) -> Run<()> {
        let id = self.id()?;
        let time = self.now();
        let root = self.instance(task.instance)?.map_or(task.instance, |row| row.root);
        self.history.push(Change::HistoryExternalTask(ExternalTaskLog {
            id,
            time,
            root,
            task: task.clone(),
            state,
            removal_time: None,
        }));
        Ok(())
    }

    /// Removes the external task of an execution that ends without its completion.
    pub(in crate::core) fn drop_external_task(&mut self, execution: Id) -> Run<()> {
        let Some(id) = self.external_task_of(execution)? else {
            return Ok(());
        };
        let Some(task) = self.external_task(id)?.cloned() else {
            return Ok(());
        };
        self.log_external_task(&task, LogState::Deleted)?;
        if task.retries.is_some_and(|retries| retries <= 0) {
            self.end_incidents(id, false)?;
        }
        self.remove::<ExternalTask>(id);
        Ok(())
    }
}
