//! What runs. Updates name only columns that can change: SQLite writes every index of a column that is named.

use handoff_machine::Id;
use handoff_machine::delta::Change;
use handoff_machine::row::{Execution, ExternalTask, Job, UserTask, Variable};
use rusqlite::{Result, params};

use super::Applier;
use crate::store::field::Field as _;

impl Applier<'_> {
    pub(super) fn runtime(&self, change: &Change) -> Result<()> {
        match change {
            Change::InsertInstance(row) => self.insert(row),
            Change::UpdateInstance(row) => self.run_one(
                "UPDATE process_instance SET business_key = ?2, suspended = ?3 WHERE id = ?1",
                params![row.id.0, row.business_key, row.suspended],
            ),
            Change::DeleteInstance(id) => self.delete("DELETE FROM process_instance WHERE id = ?1", *id),
            Change::InsertExecution(row) => self.insert(row),
            Change::UpdateExecution(row) => self.update_execution(row),
            Change::DeleteExecution(id) => self.delete("DELETE FROM execution WHERE id = ?1", *id),
            Change::InsertVariable(row) => self.insert(row),
            Change::UpdateVariable(row) => self.update_variable(row),
            Change::DeleteVariable(id) => self.delete("DELETE FROM variable WHERE id = ?1", *id),
            Change::InsertExternalTask(row) => self.insert(row),
            Change::UpdateExternalTask(row) => self.update_external_task(row),
            Change::DeleteExternalTask(id) => self.delete("DELETE FROM external_task WHERE id = ?1", *id),
            Change::InsertJob(row) => self.insert(row),
            Change::UpdateJob(row) => self.update_job(row),
            Change::DeleteJob(id) => self.delete("DELETE FROM job WHERE id = ?1", *id),
            Change::InsertSubscription(row) => self.insert(row),
            Change::DeleteSubscription(id) => self.delete("DELETE FROM event_subscription WHERE id = ?1", *id),
            Change::InsertTask(row) => self.insert(row),
            Change::UpdateTask(row) => self.update_task(row),
            Change::DeleteTask(id) => self.delete("DELETE FROM task WHERE id = ?1", *id),
            Change::InsertIdentityLink(row) => self.insert(row),
            Change::DeleteIdentityLink(id) => self.delete("DELETE FROM identity_link WHERE id = ?1", *id),
            Change::InsertIncident(row) => self.insert(row),
            Change::UpdateIncident(row) => self.run_one(
                "UPDATE incident SET annotation = ?2 WHERE id = ?1",
                params![row.id.0, row.annotation],
            ),
            Change::InsertBatch(row) => self.insert(row),
            Change::UpdateBatch(row) => self.run_one(
                "UPDATE batch SET jobs_created = ?2, suspended = ?3, execution_start = ?4 WHERE id = ?1",
                params![row.id.0, row.jobs_created, row.suspended, row.execution_start],
            ),
            Change::DeleteBatch(id) => {
                self.run("DELETE FROM batch_item WHERE batch = ?1", params![id.0])?;
                self.delete("DELETE FROM batch WHERE id = ?1", *id)
            }
            Change::InsertBatchItems { batch, items } => {
                let sql = "INSERT INTO batch_item (batch, position, item) VALUES (?1, ?2, ?3)";
                (0_i64..)
                    .zip(items)
                    .try_for_each(|(position, item)| self.run(sql, params![batch.0, position, item.0]))
            }
            Change::DeleteIncident(id) => self.delete("DELETE FROM incident WHERE id = ?1", *id),
            Change::InsertDedupeKey(row) => self.insert(row),
            _ => Ok(()),
        }
    }

    pub(super) fn delete(&self, sql: &'static str, id: Id) -> Result<()> {
        self.run_one(sql, params![id.0])
    }

    fn update_execution(&self, row: &Execution) -> Result<()> {
        self.run_one_bound(
            "UPDATE execution SET state = ?1, flows = ?2, parent = ?3, activity = ?4, start_time = ?5, suspended = ?6 \
             WHERE id = ?7",
            |to| {
                row.state.bind(to)?;
                row.parent.bind(to)?;
                row.activity.bind(to)?;
                row.start_time.bind(to)?;
                row.suspended.bind(to)?;
                row.id.bind(to)
            },
        )
    }

    fn update_variable(&self, row: &Variable) -> Result<()> {
        self.run_one_bound(
            "UPDATE variable SET value_type = ?1, value = ?2, value_meta = ?3, revision = ?4 WHERE id = ?5",
            |to| {
                row.value.bind(to)?;
                row.revision.bind(to)?;
                row.id.bind(to)
            },
        )
    }

    fn update_external_task(&self, row: &ExternalTask) -> Result<()> {
        self.run_one(
            "UPDATE external_task SET priority = ?2, retries = ?3, worker = ?4, lock_expiration = ?5, \
             error_message = ?6, error_details = ?7, suspended = ?8 WHERE id = ?1",
            params![
                row.id.0,
                row.priority,
                row.retries,
                row.worker,
                row.lock_expiration,
                row.error_message,
                row.error_details,
                row.suspended
            ],
        )
    }

    fn update_job(&self, row: &Job) -> Result<()> {
        self.run_one_bound(
            "UPDATE job SET kind = ?1, repeat = ?2, batch = ?3, due = ?4, retries = ?5, failures = ?6, priority = ?7, \
             suspended = ?8, exception_message = ?9, exception_stacktrace = ?10, failed_activity = ?11 WHERE id = ?12",
            |to| {
                row.kind.bind(to)?;
                row.due.bind(to)?;
                row.retries.bind(to)?;
                row.failures.bind(to)?;
                row.priority.bind(to)?;
                row.suspended.bind(to)?;
                row.exception_message.bind(to)?;
                row.exception_stacktrace.bind(to)?;
                row.failed_activity.bind(to)?;
                row.id.bind(to)
            },
        )
    }

    fn update_task(&self, row: &UserTask) -> Result<()> {
        self.run_one(
            "UPDATE task SET name = ?2, description = ?3, assignee = ?4, owner = ?5, priority = ?6, due = ?7, \
             follow_up = ?8, suspended = ?9, delegation = ?10, parent = ?11, updated = ?12, tenant = ?13 \
             WHERE id = ?1",
            task_params!(row),
        )
    }
}
