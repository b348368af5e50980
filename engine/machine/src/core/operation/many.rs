//! What operators do with many things: at once, or by a batch.

use super::{OPERATOR, Property, Subject, suspension};
use crate::command::{BatchWork, Command, Migration, NewBatch, Restart};
use crate::core::halt::Run;
use crate::core::work::Work;
use crate::id::{Id, Millis};

/// What is said of a removal time that is set.
fn removal_time(time: Option<Millis>) -> [Property; 3] {
    let mode = match time {
        Some(_) => "ABSOLUTE_REMOVAL_TIME",
        None => "CLEARED_REMOVAL_TIME",
    };
    [
        Property::new("mode", mode),
        Property::changed("removalTime", None, time.map(|time| time.to_string())),
        Property::new("hierarchical", false),
    ]
}

impl Work<'_> {
    pub(super) fn log_on_many(&mut self, command: &Command) -> Run<()> {
        let batch = |id: Id| Subject {
            batch: Some(id),
            ..Subject::default()
        };
        match command {
            Command::StartBatch(new) => self.log_work(new, true),
            Command::DoAtOnce(new) => {
                if let BatchWork::Suspend(suspended) = new.work {
                    for instance in &new.items {
                        self.log_suspension(*instance, suspended)?;
                    }
                }
                self.log_work(new, false)
            }
            Command::MigrateInstances { migration, instances } => self.log_migration(migration, instances.len(), false),
            Command::RestartInstances { restart, instances } => self.log_restart(restart, instances.len(), false),
            Command::SuspendBatch { id, suspended } => {
                let operation_type = if *suspended { "SuspendBatch" } else { "ActivateBatch" };
                let changes = vec![suspension(*suspended)];
                self.log(operation_type, "Batch", OPERATOR, &batch(*id), changes)
            }
            Command::DeleteBatch { id, cascade } => {
                let changes = vec![Property::new("cascadeToHistory", cascade)];
                self.log("Delete", "Batch", OPERATOR, &batch(*id), changes)
            }
            Command::DeleteHistoricBatch(id) => self.log_bare("DeleteHistory", "Batch", OPERATOR, &batch(*id)),
            _ => Ok(()),
        }
    }

    fn log_restart(&mut self, restart: &Restart, count: usize, by_batch: bool) -> Run<()> {
        let subject = self.about_definition(restart.definition)?;
        let changes = vec![Property::new("nrOfInstances", count), Property::new("async", by_batch)];
        self.log("RestartProcessInstance", "ProcessInstance", OPERATOR, &subject, changes)
    }

    fn log_migration(&mut self, migration: &Migration, count: usize, by_batch: bool) -> Run<()> {
        let subject = self.about_definition(migration.source)?;
        let mut named = [migration.source, migration.target].map(|id| (id, None));
        for (id, text) in &mut named {
            *text = self
                .definition(*id)?
                .map(|definition| self.definition_text(&definition.row));
        }
        let [(_, source), (_, target)] = named;
        let mut changes = vec![
            Property::changed("processDefinitionId", source, target),
            Property::new("nrOfInstances", count),
            Property::new("async", by_batch),
        ];
        if !migration.variables.is_empty() {
            changes.push(Property::new("nrOfSetVariables", migration.variables.len()));
        }
        self.log("Migrate", "ProcessInstance", OPERATOR, &subject, changes)
    }

    fn log_work(&mut self, new: &NewBatch, by_batch: bool) -> Run<()> {
        let mut changes = vec![
            Property::new("nrOfInstances", new.items.len()),
            Property::new("async", by_batch),
        ];
        let mut subject = Subject::default();
        let (operation_type, entity_type) = match &new.work {
            BatchWork::DeleteInstances { reason, .. } => {
                changes.push(Property::changed("deleteReason", None, reason.clone()));
                ("Delete", "ProcessInstance")
            }
            BatchWork::DeleteHistory => {
                changes.push(Property::changed("deleteReason", None, None));
                ("DeleteHistory", "ProcessInstance")
            }
            BatchWork::DeleteDecisions => {
                changes.push(Property::changed("deleteReason", None, None));
                ("DeleteHistory", "DecisionInstance")
            }
            BatchWork::SetDecisionRemovalTime(time) => {
                changes.extend(removal_time(*time));
                ("SetRemovalTime", "DecisionInstance")
            }
            BatchWork::SetJobRetries(retries) => {
                changes.push(Property::new("retries", retries));
                ("SetJobRetries", "Job")
            }
            BatchWork::SetExternalTaskRetries(retries) => {
                changes.push(Property::new("retries", retries));
                ("SetExternalTaskRetries", "ExternalTask")
            }
            BatchWork::SetVariables(variables) => {
                changes.push(Property::new("nrOfVariables", variables.len()));
                ("SetVariables", "ProcessInstance")
            }
            BatchWork::Modify(modification) => {
                subject = match (modification.definition, new.items.first()) {
                    (Some(definition), _) => self.about_definition(definition)?,
                    (None, Some(instance)) => {
                        changes.clear();
                        self.about_instance(*instance)?
                    }
                    (None, None) => subject,
                };
                subject.annotation.clone_from(&modification.annotation);
                ("ModifyProcessInstance", "ProcessInstance")
            }
            BatchWork::Migrate(migration) => return self.log_migration(migration, new.items.len(), by_batch),
            BatchWork::Restart(restart) => return self.log_restart(restart, new.items.len(), by_batch),
            // Camunda's own name for it.
            BatchWork::Suspend(true) => ("SuspendJob", "ProcessInstance"),
            BatchWork::Suspend(false) => ("ActivateJob", "ProcessInstance"),
            BatchWork::SetRemovalTime(time) => {
                changes.extend(removal_time(*time));
                changes.push(Property::new("updateInChunks", false));
                changes.push(Property::changed("chunkSize", None, None));
                ("SetRemovalTime", "ProcessInstance")
            }
        };
        if changes.is_empty() {
            return self.log_bare(operation_type, entity_type, OPERATOR, &subject);
        }
        self.log(operation_type, entity_type, OPERATOR, &subject, changes)
    }
}
