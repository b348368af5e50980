//! Commands on running instances: deletion, suspension, variables.

use crate::command::VariableInput;
use crate::core::cancel::no_such_instance;
use crate::core::halt::Run;
use crate::core::work::Work;
use crate::delta::Change;
use crate::error::{Entity, MachineError};
use crate::id::Id;
use crate::row::{Execution, ExternalTask, Instance, InstanceState, Job, UserTask};

impl Work<'_> {
    pub(super) fn delete_instance(
        &mut self,
        id: Id,
        reason: Option<&str>,
        skip_listeners: bool,
        skip_io_mappings: bool,
    ) -> Run<()> {
        if self.instance(id)?.is_none() {
            return Err(no_such_instance(&self.text(id)).into());
        }
        self.skip_listeners = skip_listeners;
        self.skip_io_mappings = skip_io_mappings;
        self.terminate(id, reason)?;
        self.run_agenda()
    }

    /// Ends an instance from outside. The call activity that has started it is cancelled, as by a modification, and with it
    /// each calling instance in which nothing else runs (`AbstractDeleteProcessInstanceCmd`, `deletePropagate`).
    pub(super) fn terminate(&mut self, id: Id, reason: Option<&str>) -> Run<()> {
        let mut next = Some(id);
        while let Some(id) = next.take() {
            let caller = self
                .instance(id)?
                .and_then(|row| row.super_instance.zip(row.super_execution));
            self.cancel_instance(id, InstanceState::ExternallyTerminated, reason)?;
            let Some((instance, execution)) = caller else { break };
            if self.execution(execution)?.is_none() {
                break;
            }
            self.cancel_one(instance, execution, false)?;
            if self.instance(instance)?.is_some() && self.live_children(instance)?.is_empty() {
                next = Some(instance);
            }
        }
        Ok(())
    }

    /// Sets and removes variables of an instance or execution.
    pub(in crate::core) fn modify_variables(
        &mut self,
        scope: Id,
        local: bool,
        variables: &[VariableInput],
        deletions: &[String],
    ) -> Run<()> {
        if self.execution(scope)?.is_none() && self.instance(scope)?.is_none() && self.task(scope)?.is_none() {
            return Err(MachineError::NotFound {
                kind: Entity::Execution,
                message: format!("execution {} doesn't exist: execution is null", self.text(scope)),
            }
            .into());
        }
        // The history of the variables needs their instance and its definition.
        let instance = self.instance_of(scope)?;
        let now = self.now();
        self.change::<UserTask>(scope, |row| row.updated = Some(now));
        if let Some(definition) = self.instance(instance)?.map(|row| row.definition) {
            self.known_definition(definition)?;
        }
        if local {
            self.set_local_variables(scope, variables)?;
        } else {
            self.set_variables(scope, variables)?;
        }
        self.show_changes_in(instance, true)?;
        for name in deletions {
            if local {
                self.remove_local_variable(scope, name)?;
            } else {
                self.remove_variable(scope, name)?;
            }
        }
        self.show_changes_in(instance, true)?;
        self.run_agenda()
    }

    /// Suspends or activates an instance with all that hangs on it.
    pub(super) fn suspend_instance(&mut self, id: Id, suspended: bool) -> Run<()> {
        match self.instance(id)? {
            None => return Err(no_such_instance(&self.text(id)).into()),
            Some(row) if row.suspended == suspended => return Ok(()),
            Some(_) => {}
        }
        self.change::<Instance>(id, |row| row.suspended = suspended);
        let state = if suspended {
            InstanceState::Suspended
        } else {
            InstanceState::Active
        };
        self.history.push(Change::HistoryInstanceState { id, state });
        self.suspend_jobs(id, suspended)?;
        let mut open = self.children(id)?;
        while let Some(execution) = open.pop() {
            open.extend(self.children(execution)?);
            self.change::<Execution>(execution, |row| row.suspended = suspended);
            self.suspend_jobs(execution, suspended)?;
            if let Some(task) = self.external_task_of(execution)? {
                self.change::<ExternalTask>(task, |row| row.suspended = suspended);
            }
            if let Some(task) = self.task_of(execution)? {
                self.change::<UserTask>(task, |row| row.suspended = suspended);
            }
            if let Some(called) = self.called_instance(execution)? {
                self.suspend_instance(called, suspended)?;
            }
        }
        Ok(())
    }

    fn suspend_jobs(&mut self, owner: Id, suspended: bool) -> Run<()> {
        for job in self.jobs_of(owner)? {
            self.change::<Job>(job, |row| row.suspended = suspended);
        }
        Ok(())
    }
}
