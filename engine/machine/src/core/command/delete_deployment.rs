//! Deleting a deployment, with its instances or only where none run.

use std::sync::Arc;

use crate::core::halt::{Halt, Run};
use crate::core::work::Work;
use crate::delta::Change;
use crate::error::{Entity, MachineError};
use crate::id::Id;
use crate::row::{EventSubscription, InstanceState, JobKind, LogState};
use crate::view::{Definition, Tenant};

/// More instances are not deleted in one transaction.
const INSTANCES_MAX: usize = 100_000;

impl Work<'_> {
    pub(super) fn delete_deployment(&mut self, id: Id, cascade: bool) -> Run<()> {
        if self.view.deployment(id)?.is_none() {
            return Err(MachineError::NotFound {
                kind: Entity::Deployment,
                message: format!("Deployment with id '{}' does not exist", self.text(id)),
            }
            .into());
        }
        let definitions = self.view.definitions_of_deployment(id)?;
        for definition in &definitions {
            self.put_definition(Arc::clone(definition));
            self.delete_instances(definition, cascade)?;
            self.drop_starts(definition)?;
        }
        self.run_agenda()?;
        for definition in &definitions {
            self.restore_previous(definition, Some(id))?;
        }
        self.last.push(Change::DeleteDeployment { id, history: cascade });
        Ok(())
    }

    /// Deletes one definition of a deployment, whose file stays.
    pub(super) fn delete_definition(&mut self, id: Id, cascade: bool) -> Run<()> {
        let Some(definition) = self.definition(id)? else {
            return Err(MachineError::NotFound {
                kind: Entity::ProcessDefinition,
                message: format!(
                    "No process definition found with id '{}': processDefinition is null",
                    self.text(id)
                ),
            }
            .into());
        };
        self.put_definition(Arc::clone(&definition));
        self.delete_instances(&definition, cascade)?;
        self.drop_starts(&definition)?;
        self.run_agenda()?;
        self.restore_previous(&definition, None)?;
        self.last.push(Change::DeleteDefinition { id, history: cascade });
        Ok(())
    }

    fn delete_instances(&mut self, definition: &Definition, cascade: bool) -> Run<()> {
        let limit = if cascade { INSTANCES_MAX + 1 } else { 1 };
        let instances = self.view.instances_of_definition(definition.row.id, limit)?;
        if !cascade && !instances.is_empty() {
            return Err(Halt::execution(format!(
                "Deletion of process definition without cascading failed. Process definition with id: {} can't be deleted, since there exist dependent process instances.",
                self.definition_text(&definition.row)
            )));
        }
        if instances.len() > INSTANCES_MAX {
            return Err(Halt::execution(format!(
                "more than {INSTANCES_MAX} instances run: delete instances first"
            )));
        }
        for instance in instances {
            // It may have gone with the one that called it.
            if self.instance(instance.id)?.is_some() {
                self.cancel_instance(
                    instance.id,
                    InstanceState::ExternallyTerminated,
                    Some("deleted deployment"),
                )?;
            }
        }
        Ok(())
    }

    /// Removes what can start instances of a definition.
    pub(super) fn drop_starts(&mut self, definition: &Definition) -> Run<()> {
        for row in self.view.subscriptions_of_definition(definition.row.id)? {
            if row.instance.is_none() {
                let id = row.id;
                self.tables.subscriptions.load(row);
                self.remove::<EventSubscription>(id);
            }
        }
        for row in self.view.start_jobs(definition.row.id)? {
            // What an event has already set going is left to run.
            if matches!(row.kind, JobKind::TimerStart { .. }) {
                let id = row.id;
                self.tables.jobs.load(row);
                self.drop_job(id, LogState::Deleted)?;
            }
        }
        Ok(())
    }

    /// Where the latest version goes, the one before it can be started by its events again.
    fn restore_previous(&mut self, definition: &Definition, deployment: Option<Id>) -> Run<()> {
        let row = &definition.row;
        let tenant = row.tenant.clone().map_or(Tenant::None, Tenant::Is);
        let latest = self.view.latest_definitions(&row.key, &tenant)?;
        if !latest.iter().any(|latest| latest.row.id == row.id) {
            return Ok(());
        }
        for version in (1..row.version).rev() {
            if let Some(previous) = self.view.definition_by_version(&row.key, version, &tenant)?
                && deployment != Some(previous.row.deployment)
            {
                self.put_definition(Arc::clone(&previous));
                return self.create_starts(&previous);
            }
        }
        Ok(())
    }
}
