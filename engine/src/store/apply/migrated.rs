//! Rows of instances that have gone to another definition. All of a row is written: this is rare, and it changes columns
//! that the updates of every day leave alone for the sake of their indexes.

use handoff_machine::Id;
use handoff_machine::delta::Change;
use rusqlite::{Result, params};

use super::Applier;
use crate::store::row::Table;

impl Applier<'_> {
    pub(super) fn migrated(&self, change: &Change) -> Result<()> {
        match change {
            Change::MigrateInstance(row) => self.rewrite("DELETE FROM process_instance WHERE id = ?1", row.id, row),
            Change::MigrateExecution(row) => self.rewrite("DELETE FROM execution WHERE id = ?1", row.id, row),
            Change::MigrateVariable(row) => self.rewrite("DELETE FROM variable WHERE id = ?1", row.id, row),
            Change::MigrateExternalTask(row) => self.rewrite("DELETE FROM external_task WHERE id = ?1", row.id, row),
            Change::MigrateJob(row) => self.rewrite("DELETE FROM job WHERE id = ?1", row.id, row),
            Change::MigrateSubscription(row) => {
                self.rewrite("DELETE FROM event_subscription WHERE id = ?1", row.id, row)
            }
            Change::MigrateTask(row) => self.rewrite("DELETE FROM task WHERE id = ?1", row.id, row),
            Change::MigrateIncident(row) => self.rewrite("DELETE FROM incident WHERE id = ?1", row.id, row),
            _ => Ok(()),
        }
    }

    /// Writes a row anew; that it was there is seen by its deletion.
    fn rewrite(&self, deletion: &'static str, id: Id, row: &impl Table) -> Result<()> {
        self.delete(deletion, id)?;
        self.insert(row)
    }

    pub(super) fn migrated_history(&self, change: &Change) -> Result<()> {
        match change {
            Change::HistoryInstanceMigrated {
                id,
                definition,
                definition_key,
            } => self.run(
                "UPDATE historic_instance SET definition = ?2, definition_key = ?3 WHERE id = ?1",
                params![id.0, definition.0, definition_key],
            ),
            Change::HistoryActivityMigrated {
                id,
                parent,
                parent_activity,
                definition,
                definition_key,
                activity,
                activity_name,
                activity_type,
                entered_as,
            } => self.run(
                "UPDATE historic_activity SET parent = ?2, parent_activity = ?3, definition = ?4, definition_key = ?5, \
                 activity = ?6, activity_name = ?7, activity_type = ?8, entered_as = ?9 WHERE id = ?1",
                params![
                    id.0,
                    parent.0,
                    parent_activity,
                    definition.0,
                    definition_key,
                    activity,
                    activity_name,
                    activity_type,
                    entered_as
                ],
            ),
            Change::HistoryVariableMigrated {
                id,
                definition,
                definition_key,
                scope,
                scope_activity,
            } => {
                self.keep_first_detail(*id)?;
                self.run(
                    "UPDATE historic_variable SET definition = ?2, definition_key = ?3, scope = ?4, \
                     scope_activity = ?5, first_detail = NULL, first_initial = NULL WHERE id = ?1",
                    params![id.0, definition.0, definition_key, scope.0, scope_activity],
                )
            }
            Change::HistoryTaskMigrated { task, definition_key } => self.run(
                "UPDATE historic_task SET definition = ?2, definition_key = ?3, activity = ?4, entered_as = ?5 \
                 WHERE id = ?1",
                params![
                    task.id.0,
                    task.definition().map(|id| id.0),
                    definition_key,
                    task.activity(),
                    task.place.as_ref().and_then(|place| place.entered_as.as_ref())
                ],
            ),
            Change::HistoryIncidentMigrated {
                id,
                definition,
                definition_key,
                activity,
            } => self.run(
                "UPDATE historic_incident SET definition = ?2, definition_key = ?3, activity = ?4 WHERE id = ?1",
                params![id.0, definition.0, definition_key, activity],
            ),
            _ => Ok(()),
        }
    }
}
