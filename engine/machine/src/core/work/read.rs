//! Reading rows: each is asked of the view once.

use std::sync::Arc;

use super::Work;
use crate::id::Id;
use crate::row::{EventSubscription, Execution, ExternalTask, IdentityLink, Incident, Instance, Job, UserTask};
use crate::view::{Definition, Seen};

impl Work<'_> {
    /// A definition that a row names.
    pub(in crate::core) fn definition(&mut self, id: Id) -> Seen<Option<Arc<Definition>>> {
        if let Some(definition) = self.definitions.get(&id) {
            return Ok(Some(Arc::clone(definition)));
        }
        let definition = self.view.definition(id)?;
        if let Some(definition) = &definition {
            self.definitions.insert(id, Arc::clone(definition));
        }
        Ok(definition)
    }

    pub(in crate::core) fn instance(&mut self, id: Id) -> Seen<Option<&Instance>> {
        if !self.tables.instances.knows(id)
            && let Some(row) = self.view.instance(id)?
        {
            self.tables.instances.load(row);
        }
        Ok(self.tables.instances.get(id))
    }

    pub(in crate::core) fn execution(&mut self, id: Id) -> Seen<Option<&Execution>> {
        // Scopes are walked up to the instance, which is none.
        if !self.tables.executions.knows(id) && !self.tables.instances.knows(id) {
            match self.view.execution(id)? {
                Some(row) => self.tables.executions.load(row),
                None => self.tables.executions.note_absent(id),
            }
        }
        Ok(self.tables.executions.get(id))
    }

    pub(in crate::core) fn external_task(&mut self, id: Id) -> Seen<Option<&ExternalTask>> {
        if !self.tables.external_tasks.knows(id)
            && let Some(row) = self.view.external_task(id)?
        {
            // An execution has one at most.
            self.tables.external_tasks.set_loaded(row.execution);
            self.tables.external_tasks.load(row);
        }
        Ok(self.tables.external_tasks.get(id))
    }

    pub(in crate::core) fn job(&mut self, id: Id) -> Seen<Option<&Job>> {
        if !self.tables.jobs.knows(id)
            && let Some(row) = self.view.job(id)?
        {
            self.tables.jobs.load(row);
        }
        Ok(self.tables.jobs.get(id))
    }

    pub(in crate::core) fn task(&mut self, id: Id) -> Seen<Option<&UserTask>> {
        if !self.tables.tasks.knows(id)
            && let Some(row) = self.view.task(id)?
        {
            self.tables.tasks.load(row);
        }
        Ok(self.tables.tasks.get(id))
    }

    pub(in crate::core) fn subscription(&mut self, id: Id) -> Seen<Option<&EventSubscription>> {
        if !self.tables.subscriptions.knows(id)
            && let Some(row) = self.view.subscription(id)?
        {
            self.tables.subscriptions.load(row);
        }
        Ok(self.tables.subscriptions.get(id))
    }

    /// Whether the owner came to be in this command, so that the store has nothing of it.
    fn is_fresh(&self, owner: Id) -> bool {
        self.tables.executions.is_fresh(owner) || self.tables.instances.is_fresh(owner)
    }

    /// The executions right below an execution or instance, in the order of their creation.
    pub(in crate::core) fn children(&mut self, parent: Id) -> Seen<Vec<Id>> {
        if !self.tables.executions.is_loaded(parent) {
            if !self.is_fresh(parent) {
                for row in self.view.children(parent)? {
                    self.tables.executions.load(row);
                }
            }
            self.tables.executions.set_loaded(parent);
        }
        Ok(self.tables.executions.owned(parent).to_vec())
    }

    pub(in crate::core) fn jobs_of(&mut self, execution: Id) -> Seen<Vec<Id>> {
        if !self.tables.jobs.is_loaded(execution) {
            if !self.is_fresh(execution) {
                for row in self.view.jobs_of(execution)? {
                    self.tables.jobs.load(row);
                }
            }
            self.tables.jobs.set_loaded(execution);
        }
        Ok(self.tables.jobs.owned(execution).to_vec())
    }

    pub(in crate::core) fn subscriptions_of(&mut self, execution: Id) -> Seen<Vec<Id>> {
        if !self.tables.subscriptions.is_loaded(execution) {
            if !self.is_fresh(execution) {
                for row in self.view.subscriptions_of(execution)? {
                    self.tables.subscriptions.load(row);
                }
            }
            self.tables.subscriptions.set_loaded(execution);
        }
        Ok(self.tables.subscriptions.owned(execution).to_vec())
    }

    pub(in crate::core) fn external_task_of(&mut self, execution: Id) -> Seen<Option<Id>> {
        if !self.tables.external_tasks.is_loaded(execution) {
            if !self.is_fresh(execution)
                && self.tables.external_tasks.owned(execution).is_empty()
                && let Some(row) = self.view.external_task_of(execution)?
            {
                self.tables.external_tasks.load(row);
            }
            self.tables.external_tasks.set_loaded(execution);
        }
        Ok(self.tables.external_tasks.owned(execution).first().copied())
    }

    pub(in crate::core) fn task_of(&mut self, execution: Id) -> Seen<Option<Id>> {
        if !self.tables.tasks.is_loaded(execution) {
            if !self.is_fresh(execution)
                && self.tables.tasks.owned(execution).is_empty()
                && let Some(row) = self.view.task_of(execution)?
            {
                self.tables.tasks.load(row);
            }
            self.tables.tasks.set_loaded(execution);
        }
        Ok(self.tables.tasks.owned(execution).first().copied())
    }

    /// Who has a part in a user task.
    pub(in crate::core) fn links_of(&mut self, task: Id) -> Seen<Vec<IdentityLink>> {
        if !self.tables.links.is_loaded(task) {
            if !self.tables.tasks.is_fresh(task) {
                for row in self.view.links_of(task)? {
                    self.tables.links.load(row);
                }
            }
            self.tables.links.set_loaded(task);
        }
        let links = &self.tables.links;
        let owned = links.owned(task).iter();
        Ok(owned.filter_map(|id| links.get(*id)).cloned().collect())
    }

    pub(in crate::core) fn incident(&mut self, id: Id) -> Seen<Option<&Incident>> {
        if !self.tables.incidents.knows(id)
            && let Some(row) = self.view.incident(id)?
        {
            self.tables.incidents.load(row);
        }
        Ok(self.tables.incidents.get(id))
    }

    /// The incidents of a job or an external task.
    pub(in crate::core) fn incidents_of(&mut self, configuration: Id) -> Seen<Vec<Incident>> {
        if !self.tables.incidents.is_loaded(configuration) {
            for row in self.view.incidents_of(configuration)? {
                self.tables.incidents.load(row);
            }
            self.tables.incidents.set_loaded(configuration);
        }
        let incidents = &self.tables.incidents;
        Ok(incidents
            .owned(configuration)
            .iter()
            .filter_map(|id| incidents.get(*id))
            .cloned()
            .collect())
    }
}

impl Work<'_> {
    /// Whether a scope came to be in this command.
    pub(in crate::core) fn is_new_scope(&self, scope: Id) -> bool {
        self.is_fresh(scope)
    }
}
