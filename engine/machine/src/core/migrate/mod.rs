//! Migration of an instance: its rows go on by another definition (`MigrateProcessInstanceCmd`).
//!
//! What runs is read as a tree and matched with the instructions (`tree`), and looked through (`check`): nothing has
//! changed until then. From the leaves upwards, scopes that are not mapped are taken away (`remove`); from the top
//! downwards, each node gets its new activity, below scopes that are made where there are none (`carry`), with what
//! hangs on it (`belongings`). An activity instance keeps its id.

mod belongings;
mod carry;
mod check;
mod remove;
mod tree;

use std::sync::Arc;

use super::halt::Run;
use super::work::Work;
use crate::command::Migration;
use crate::error::MachineError;
use crate::id::Id;
use crate::migration::InstanceReport;
use crate::view::Definition;

/// What all steps of one migration know.
struct Journey<'m> {
    migration: &'m Migration,
    instance: Id,
    source: Arc<Definition>,
    target: Arc<Definition>,
}

impl Work<'_> {
    pub(super) fn migrate_instance(&mut self, migration: &Migration, id: Id) -> Run<()> {
        let Some(instance) = self.instance(id)?.cloned() else {
            return Err(MachineError::Execution(format!(
                "ENGINE-23003 Process instance '{}' cannot be migrated. The process instance does not exist",
                self.text(id)
            ))
            .into());
        };
        let target = self.known_definition(migration.target)?;
        let source = self.known_definition(migration.source)?;
        self.check_tenant(id, instance.tenant.as_deref(), target.row.tenant.as_deref())?;
        if instance.definition != migration.source {
            let own = self.known_definition(instance.definition)?;
            return Err(MachineError::Execution(format!(
                "ENGINE-23002 Process instance '{}' cannot be migrated. Its process definition '{}' does not match the source process definition of the migration plan '{}'",
                self.text(id),
                self.definition_text(&own.row),
                self.definition_text(&source.row)
            ))
            .into());
        }
        let journey = Journey {
            migration,
            instance: id,
            source,
            target,
        };
        let mut report = InstanceReport {
            instance: self.text(id),
            ..InstanceReport::default()
        };
        let mut tree = self.read_tree(&journey, &mut report)?;
        self.check_tree(&journey, &tree, &mut report)?;
        if !report.is_empty() {
            return Err(MachineError::Migration(Box::new(report)).into());
        }
        let skipped = (self.skip_listeners, self.skip_io_mappings);
        self.skip_listeners = migration.skip_custom_listeners;
        self.skip_io_mappings = migration.skip_io_mappings;
        self.remove_unmapped(&mut tree)?;
        self.carry(&journey, &mut tree)?;
        (self.skip_listeners, self.skip_io_mappings) = skipped;
        // Conditions have not been looked at meanwhile.
        self.changed.clear();
        if !migration.variables.is_empty() {
            self.modify_variables(id, false, &migration.variables, &[])?;
        }
        self.run_agenda()
    }

    fn check_tenant(&self, id: Id, own: Option<&str>, target: Option<&str>) -> Run<()> {
        let Some(target) = target.filter(|target| own != Some(target)) else {
            return Ok(());
        };
        let id = self.text(id);
        let message = match own {
            Some(own) => format!(
                "ENGINE-23010 Cannot migrate process instance '{id}' to a process definition of a different tenant ('{own}' != '{target}')"
            ),
            None => format!(
                "ENGINE-23010 Cannot migrate process instance '{id}' without tenant to a process definition with a tenant ('{target}')"
            ),
        };
        Err(MachineError::Execution(message).into())
    }
}
