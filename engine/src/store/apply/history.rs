//! History, as much of it as the level asks for. A row may be missing: the level was another one when it began.

use handoff_machine::Id;
use handoff_machine::delta::Change;
use handoff_machine::row::{DetailKind, UserTask};
use rusqlite::{Result, params};

use super::Applier;
use crate::config::HistoryLevel;
use crate::store::field::Code as _;

/// The level from which on a change is kept.
fn level(change: &Change) -> HistoryLevel {
    match change {
        Change::HistoryVariable(_) | Change::HistoryVariableDeleted(_) | Change::HistoryVariableMigrated { .. } => {
            HistoryLevel::Audit
        }
        Change::HistoryIncidentStart(_)
        | Change::HistoryIncidentEnd { .. }
        | Change::HistoryIncidentAnnotation { .. }
        | Change::HistoryIncidentMigrated { .. }
        | Change::HistoryOperation(_)
        | Change::HistoryOperationAnnotation { .. }
        | Change::HistoryIdentityLink(_)
        | Change::HistoryBatchStart(_)
        | Change::HistoryBatchUpdate(_)
        | Change::HistoryBatchEnd { .. }
        | Change::HistoryDecision(_)
        | Change::HistoryExternalTask(_)
        | Change::HistoryJob(_) => HistoryLevel::Full,
        Change::HistoryDetail(row) => match row.kind {
            DetailKind::FormField => HistoryLevel::Audit,
            DetailKind::VariableUpdate => HistoryLevel::Full,
        },
        // These also clean up what another level has left.
        Change::HistoryInstanceEnd { .. }
        | Change::HistoryInstanceDelete(_)
        | Change::HistoryBatchDelete(_)
        | Change::HistoryDecisionDelete(_)
        | Change::HistoryDecisionRemovalTime { .. }
        | Change::HistoryRemovalTime { .. } => HistoryLevel::None,
        // What people have said is kept at every level.
        Change::InsertAttachment { .. }
        | Change::DeleteAttachment(_)
        | Change::InsertComment(_)
        | Change::UpdateComment { .. }
        | Change::DeleteComment(_)
        | Change::DeleteComments { .. } => HistoryLevel::None,
        _ => HistoryLevel::Activity,
    }
}

impl Applier<'_> {
    pub(super) fn history(&self, change: &Change) -> Result<()> {
        if self.level < level(change) {
            return Ok(());
        }
        match change {
            Change::HistoryInstanceStart(row) => self.insert(row),
            Change::HistoryInstanceEnd {
                id,
                end_time,
                end_activity,
                delete_reason,
                state,
                removal_time,
            } => {
                if self.level >= HistoryLevel::Activity {
                    self.run(
                        "UPDATE historic_instance SET end_time = ?2, end_activity = ?3, delete_reason = ?4, \
                         state = ?5, removal_time = ifnull(removal_time, ?6) WHERE id = ?1",
                        params![id.0, end_time, end_activity, delete_reason, state.code(), removal_time],
                    )?;
                }
                match removal_time {
                    Some(time) if !self.residents.borrow().is_alone(*id) => self.removal_time(*id, Some(*time)),
                    _ => Ok(()),
                }
            }
            Change::HistoryInstanceState { id, state } => self.run(
                "UPDATE historic_instance SET state = ?2 WHERE id = ?1",
                params![id.0, state.code()],
            ),
            Change::HistoryInstanceMigrated { .. }
            | Change::HistoryActivityMigrated { .. }
            | Change::HistoryVariableMigrated { .. }
            | Change::HistoryTaskMigrated { .. }
            | Change::HistoryIncidentMigrated { .. } => self.migrated_history(change),
            Change::HistoryActivityStart(row) => self.insert(row),
            Change::HistoryActivityEnd {
                id,
                end_time,
                canceled,
                complete_scope,
            } => self.run(
                "UPDATE historic_activity SET end_time = ?2, canceled = ?3, complete_scope = ?4 WHERE id = ?1",
                params![id.0, end_time, canceled, complete_scope],
            ),
            Change::HistoryActivityCalled { id, called_instance } => self.run(
                "UPDATE historic_activity SET called_instance = ?2 WHERE id = ?1",
                params![id.0, called_instance.0],
            ),
            Change::HistoryActivityAssigned { id, assignee } => self.run(
                "UPDATE historic_activity SET assignee = ?2 WHERE id = ?1",
                params![id.0, assignee],
            ),
            Change::HistoryVariable(row) => self.put_variable(row),
            Change::HistoryVariableDeleted(id) => {
                self.run("UPDATE historic_variable SET deleted = 1 WHERE id = ?1", params![id.0])
            }
            Change::HistoryTaskStart(row) => self.insert(row),
            Change::HistoryTaskUpdate(row) => self.update_historic_task(row),
            Change::HistoryTaskEnd {
                id,
                end_time,
                delete_reason,
            } => self.run(
                "UPDATE historic_task SET end_time = ?2, delete_reason = ?3 WHERE id = ?1",
                params![id.0, end_time, delete_reason],
            ),
            Change::HistoryIncidentStart(row) => self.insert(row),
            Change::HistoryIncidentEnd { id, end_time, resolved } => self.run(
                "UPDATE historic_incident SET end_time = ?2, resolved = ?3, deleted = NOT ?3 WHERE id = ?1",
                params![id.0, end_time, resolved],
            ),
            Change::HistoryIncidentAnnotation { id, annotation } => self.run(
                "UPDATE historic_incident SET annotation = ?2 WHERE id = ?1",
                params![id.0, annotation],
            ),
            Change::HistoryDetail(row) => self.insert_detail(row),
            Change::HistoryOperation(row) => self.insert(row),
            Change::HistoryOperationAnnotation { operation, annotation } => self.run(
                "UPDATE user_operation SET annotation = ?2 WHERE operation = ?1",
                params![operation.0, annotation],
            ),
            Change::InsertAttachment { row, content } => {
                self.insert(row)?;
                match content {
                    Some(bytes) => self.run(
                        "INSERT INTO attachment_content (id, bytes) VALUES (?1, ?2)",
                        params![row.id.0, bytes],
                    ),
                    None => Ok(()),
                }
            }
            Change::DeleteAttachment(id) => {
                self.run("DELETE FROM attachment_content WHERE id = ?1", params![id.0])?;
                self.run("DELETE FROM attachment WHERE id = ?1", params![id.0])
            }
            Change::HistoryIdentityLink(row) => self.insert(row),
            Change::HistoryBatchStart(row) => self.insert(row),
            Change::HistoryBatchUpdate(row) => self.run(
                "UPDATE historic_batch SET jobs_created = ?2, execution_start = ?3 WHERE id = ?1",
                params![row.id.0, row.jobs_created, row.execution_start],
            ),
            Change::HistoryBatchEnd {
                id,
                end_time,
                removal_time,
            } => self.run(
                "UPDATE historic_batch SET end_time = ?2, removal_time = ?3 WHERE id = ?1",
                params![id.0, end_time, removal_time],
            ),
            Change::HistoryBatchDelete(id) => {
                self.run("DELETE FROM job_log WHERE batch = ?1", params![id.0])?;
                self.run("DELETE FROM historic_batch WHERE id = ?1", params![id.0])
            }
            Change::HistoryRemovalTime { instance, time } => {
                self.run(
                    "UPDATE historic_instance SET removal_time = ?2 WHERE id = ?1",
                    params![instance.0, time],
                )?;
                self.removal_time(*instance, *time)
            }
            Change::HistoryDecision(row) => self.insert(row),
            Change::HistoryDecisionDelete(id) => self.run(
                "DELETE FROM historic_decision WHERE id = ?1 OR root_decision = ?1",
                params![id.0],
            ),
            Change::HistoryDecisionRemovalTime { id, time } => self.run(
                "UPDATE historic_decision SET removal_time = ?2 WHERE id = ?1 OR root_decision = ?1",
                params![id.0, time],
            ),
            Change::HistoryExternalTask(row) => self.insert(row),
            Change::HistoryJob(row) => self.insert(row),
            Change::InsertComment(row) => self.insert(row),
            Change::UpdateComment { id, message } => {
                self.run("UPDATE comment SET message = ?2 WHERE id = ?1", params![id.0, message])
            }
            Change::DeleteComment(id) => self.run("DELETE FROM comment WHERE id = ?1", params![id.0]),
            Change::DeleteComments { task, instance } => self.run(
                "DELETE FROM comment WHERE task = ?1 OR instance = ?2",
                params![task.map(|id| id.0), instance.map(|id| id.0)],
            ),
            Change::HistoryInstanceDelete(id) => self.delete_history(*id),
            _ => Ok(()),
        }
    }

    /// The removal time of an instance's dedupe key, and of the instances that it has called.
    fn removal_time(&self, instance: Id, time: Option<i64>) -> Result<()> {
        self.run(
            "UPDATE dedupe_key SET removal_time = ?2 WHERE instance = ?1",
            params![instance.0, time],
        )?;
        self.run(
            "UPDATE historic_instance SET removal_time = ?2 WHERE root = ?1 AND root <> id",
            params![instance.0, time],
        )
    }

    fn update_historic_task(&self, task: &UserTask) -> Result<()> {
        self.run(
            "UPDATE historic_task SET name = ?2, description = ?3, assignee = ?4, owner = ?5, priority = ?6, due = ?7, \
             follow_up = ?8, suspended = ?9, delegation = ?10, parent = ?11, updated = ?12, tenant = ?13 \
             WHERE id = ?1",
            task_params!(task),
        )
    }

    /// Deletes the history of at most `max` instances, as many batches and as many decisions whose removal time has come, with what is left of keys by
    /// which instances were started. Returns how many.
    pub(in crate::store) fn remove_expired(&self, now: i64, max: usize) -> Result<usize> {
        let limit = i64::try_from(max).unwrap_or(i64::MAX);
        let ids = |sql: &str| -> Result<Vec<i64>> {
            self.prepared
                .connection()
                .prepare_cached(sql)?
                .query_map(params![now, limit], |row| row.get(0))?
                .collect()
        };
        let instances = ids(
            "SELECT id FROM historic_instance WHERE removal_time IS NOT NULL AND removal_time <= ?1 \
             AND end_time IS NOT NULL ORDER BY removal_time LIMIT ?2",
        )?;
        for instance in &instances {
            self.delete_history(Id(*instance))?;
        }
        let batches = ids(
            "SELECT id FROM historic_batch WHERE removal_time IS NOT NULL AND removal_time <= ?1 \
             ORDER BY removal_time LIMIT ?2",
        )?;
        for batch in &batches {
            self.run("DELETE FROM job_log WHERE batch = ?1", params![batch])?;
            self.run("DELETE FROM historic_batch WHERE id = ?1", params![batch])?;
        }
        let decisions = ids(
            "SELECT id FROM historic_decision WHERE removal_time IS NOT NULL AND removal_time <= ?1 \
             AND instance IS NULL ORDER BY removal_time LIMIT ?2",
        )?;
        for decision in &decisions {
            self.run("DELETE FROM historic_decision WHERE id = ?1", params![decision])?;
        }
        self.run(
            "DELETE FROM user_operation WHERE id IN (SELECT id FROM user_operation \
             WHERE removal_time IS NOT NULL AND removal_time <= ?1 LIMIT ?2)",
            params![now, limit],
        )?;
        self.run(
            "DELETE FROM dedupe_key WHERE rowid IN (SELECT rowid FROM dedupe_key \
             WHERE removal_time IS NOT NULL AND removal_time <= ?1 LIMIT ?2)",
            params![now, limit],
        )?;
        Ok(instances.len() + batches.len() + decisions.len())
    }

    /// Deletes all that an ended instance has left, its dedupe keys too.
    pub(super) fn delete_history(&self, instance: Id) -> Result<()> {
        const STATEMENTS: [&str; 15] = [
            "DELETE FROM historic_activity WHERE instance = ?1",
            "DELETE FROM historic_variable WHERE instance = ?1",
            "DELETE FROM historic_task WHERE instance = ?1",
            "DELETE FROM historic_incident WHERE instance = ?1",
            "DELETE FROM external_task_log WHERE instance = ?1",
            "DELETE FROM job_log WHERE instance = ?1",
            "DELETE FROM historic_detail WHERE instance = ?1",
            // What users did is kept until its time.
            "UPDATE user_operation SET removal_time = (SELECT removal_time FROM historic_instance WHERE id = ?1) \
             WHERE instance = ?1 AND removal_time IS NULL",
            "DELETE FROM identity_link_log WHERE instance = ?1",
            "DELETE FROM historic_decision WHERE instance = ?1",
            "DELETE FROM dedupe_key WHERE instance = ?1",
            "DELETE FROM comment WHERE root = ?1 OR instance = ?1",
            "DELETE FROM attachment_content WHERE id IN (SELECT id FROM attachment WHERE root = ?1)",
            "DELETE FROM attachment WHERE root = ?1",
            "DELETE FROM historic_instance WHERE id = ?1",
        ];
        STATEMENTS.iter().try_for_each(|sql| self.run(sql, params![instance.0]))
    }
}
