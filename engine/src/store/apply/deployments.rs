//! Deployments and definitions.

use handoff_machine::Id;
use handoff_machine::delta::Change;
use rusqlite::{Result, params};

use super::Applier;

impl Applier<'_> {
    pub(super) fn deployment(&self, change: &Change) -> Result<()> {
        match change {
            Change::InsertDeployment(row) => self.insert(row),
            Change::InsertResource(row) => self.insert(row),
            Change::InsertDefinition(row) => {
                self.uncommitted.add(row.id);
                self.insert(row)
            }
            Change::UpdateDefinition(row) => {
                self.uncommitted.add(row.id);
                self.run_one(
                    "UPDATE definition SET name = ?2, category = ?3, description = ?4, version_tag = ?5, \
                     history_time_to_live = ?6, suspended = ?7, startable_in_tasklist = ?8 WHERE id = ?1",
                    params![
                        row.id.0,
                        row.name,
                        row.category,
                        row.description,
                        row.version_tag,
                        row.history_time_to_live,
                        row.suspended,
                        row.startable_in_tasklist
                    ],
                )
            }
            Change::InsertDecision(row) => {
                self.uncommitted.add(row.id);
                self.insert(row)
            }
            Change::UpdateDecision(row) => self.run_one(
                "UPDATE decision SET history_time_to_live = ?2 WHERE id = ?1",
                params![row.id.0, row.history_time_to_live],
            ),
            Change::InsertRequirements(row) => self.insert(row),
            Change::InsertJobDefinition(row) => {
                self.changed(row.definition);
                self.insert(row)
            }
            Change::UpdateJobDefinition(row) => {
                self.changed(row.definition);
                self.run_one(
                    "UPDATE job_definition SET suspended = ?2, priority = ?3 WHERE id = ?1",
                    params![row.id.0, row.suspended, row.priority],
                )
            }
            Change::DeleteJobDefinition(id) => self.run_one("DELETE FROM job_definition WHERE id = ?1", params![id.0]),
            Change::DeleteDeployment { id, history } => self.delete_deployment(*id, *history),
            Change::DeleteDefinition { id, history } => {
                self.forget_definition(*id, *history)?;
                self.run_one("DELETE FROM definition WHERE id = ?1", params![id.0])
            }
            _ => Ok(()),
        }
    }

    /// A definition carries its job definitions.
    fn changed(&self, definition: Option<Id>) {
        if let Some(definition) = definition {
            self.uncommitted.add(definition);
        }
    }

    fn delete_deployment(&self, id: Id, history: bool) -> Result<()> {
        for definition in self.ids("SELECT id FROM definition WHERE deployment = ?1", id.0)? {
            self.forget_definition(Id(definition), history)?;
        }
        for decision in self.ids("SELECT id FROM decision WHERE deployment = ?1", id.0)? {
            self.uncommitted.add(Id(decision));
            if history {
                self.run("DELETE FROM historic_decision WHERE decision = ?1", params![decision])?;
            }
        }
        self.run("DELETE FROM decision WHERE deployment = ?1", params![id.0])?;
        self.run("DELETE FROM requirements WHERE deployment = ?1", params![id.0])?;
        self.run("DELETE FROM definition WHERE deployment = ?1", params![id.0])?;
        self.run("DELETE FROM resource WHERE deployment = ?1", params![id.0])?;
        self.run_one("DELETE FROM deployment WHERE id = ?1", params![id.0])
    }

    /// What hangs on a definition that goes.
    fn forget_definition(&self, id: Id, history: bool) -> Result<()> {
        self.uncommitted.add(id);
        self.run("DELETE FROM job_definition WHERE definition = ?1", params![id.0])?;
        if !history {
            return Ok(());
        }
        for instance in self.ids("SELECT id FROM historic_instance WHERE definition = ?1", id.0)? {
            self.delete_history(Id(instance))?;
        }
        self.run(
            "DELETE FROM job_log WHERE definition = ?1 AND instance IS NULL",
            params![id.0],
        )?;
        self.run("DELETE FROM historic_incident WHERE definition = ?1", params![id.0])
    }

    fn ids(&self, sql: &str, parameter: i64) -> Result<Vec<i64>> {
        self.prepared
            .connection()
            .prepare_cached(sql)?
            .query_map(params![parameter], |row| row.get(0))?
            .collect()
    }
}
