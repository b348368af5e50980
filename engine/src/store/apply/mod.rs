//! Writing what a command has changed, row by row and in order, into the open transaction.
//!
//! Invariant: an update or deletion of a running row finds it. If it does not, the machine decided over something
//! else than what is stored, and the command fails instead of leaving half of itself behind.

/// What of a user task can change, as `?2` to `?14`, with its id as `?1`.
macro_rules! task_params {
    ($task:expr) => {
        rusqlite::params![
            $task.id.0,
            $task.name,
            $task.description,
            $task.assignee,
            $task.owner,
            $task.priority,
            $task.due,
            $task.follow_up,
            $task.suspended,
            $task.delegation.map(crate::store::field::Code::code),
            $task.parent.map(|id| id.0),
            $task.updated,
            $task.tenant
        ]
    };
}

mod deployments;
mod history;
mod migrated;
mod runtime;

use std::cell::RefCell;

use handoff_machine::delta::Change;
use rusqlite::{Connection, Error, Params, Result};

use super::models::Uncommitted;
use super::residents::Residents;
use crate::config::HistoryLevel;

/// Where changes go.
pub(super) struct Applier<'s> {
    pub(super) connection: &'s Connection,
    pub(super) uncommitted: &'s Uncommitted,
    pub(super) residents: &'s RefCell<Residents>,
    pub(super) level: HistoryLevel,
}

impl Applier<'_> {
    /// Applies one change.
    ///
    /// # Errors
    /// SQLite refuses, or the row is not there. The transaction must then be rolled back.
    pub(super) fn apply(&self, change: &Change) -> Result<()> {
        match change {
            Change::InsertDeployment(_)
            | Change::InsertResource(_)
            | Change::InsertDefinition(_)
            | Change::UpdateDefinition(_)
            | Change::InsertDecision(_)
            | Change::UpdateDecision(_)
            | Change::InsertRequirements(_)
            | Change::DeleteDefinition { .. }
            | Change::InsertJobDefinition(_)
            | Change::UpdateJobDefinition(_)
            | Change::DeleteJobDefinition(_)
            | Change::DeleteDeployment { .. } => self.deployment(change),
            Change::MigrateInstance(_)
            | Change::MigrateExecution(_)
            | Change::MigrateVariable(_)
            | Change::MigrateExternalTask(_)
            | Change::MigrateJob(_)
            | Change::MigrateSubscription(_)
            | Change::MigrateTask(_)
            | Change::MigrateIncident(_) => self.migrated(change),
            Change::InsertInstance(_)
            | Change::UpdateInstance(_)
            | Change::DeleteInstance(_)
            | Change::InsertExecution(_)
            | Change::UpdateExecution(_)
            | Change::DeleteExecution(_)
            | Change::InsertVariable(_)
            | Change::UpdateVariable(_)
            | Change::DeleteVariable(_)
            | Change::InsertExternalTask(_)
            | Change::UpdateExternalTask(_)
            | Change::DeleteExternalTask(_)
            | Change::InsertJob(_)
            | Change::UpdateJob(_)
            | Change::DeleteJob(_)
            | Change::InsertSubscription(_)
            | Change::DeleteSubscription(_)
            | Change::InsertTask(_)
            | Change::UpdateTask(_)
            | Change::DeleteTask(_)
            | Change::InsertIdentityLink(_)
            | Change::DeleteIdentityLink(_)
            | Change::InsertIncident(_)
            | Change::UpdateIncident(_)
            | Change::DeleteIncident(_)
            | Change::InsertBatch(_)
            | Change::UpdateBatch(_)
            | Change::DeleteBatch(_)
            | Change::InsertBatchItems { .. }
            | Change::InsertDedupeKey(_) => self.runtime(change),
            Change::HistoryInstanceStart(_)
            | Change::HistoryInstanceEnd { .. }
            | Change::HistoryInstanceState { .. }
            | Change::HistoryInstanceMigrated { .. }
            | Change::HistoryActivityMigrated { .. }
            | Change::HistoryVariableMigrated { .. }
            | Change::HistoryTaskMigrated { .. }
            | Change::HistoryIncidentMigrated { .. }
            | Change::HistoryActivityStart(_)
            | Change::HistoryActivityEnd { .. }
            | Change::HistoryActivityCalled { .. }
            | Change::HistoryActivityAssigned { .. }
            | Change::HistoryVariable(_)
            | Change::HistoryVariableDeleted(_)
            | Change::HistoryTaskStart(_)
            | Change::HistoryTaskUpdate(_)
            | Change::HistoryTaskEnd { .. }
            | Change::HistoryIncidentStart(_)
            | Change::HistoryIncidentEnd { .. }
            | Change::HistoryIncidentAnnotation { .. }
            | Change::HistoryDetail(_)
            | Change::HistoryOperation(_)
            | Change::HistoryOperationAnnotation { .. }
            | Change::InsertAttachment { .. }
            | Change::DeleteAttachment(_)
            | Change::HistoryIdentityLink(_)
            | Change::HistoryBatchStart(_)
            | Change::HistoryBatchUpdate(_)
            | Change::HistoryBatchEnd { .. }
            | Change::HistoryBatchDelete(_)
            | Change::HistoryRemovalTime { .. }
            | Change::HistoryDecision(_)
            | Change::HistoryDecisionDelete(_)
            | Change::HistoryDecisionRemovalTime { .. }
            | Change::HistoryExternalTask(_)
            | Change::HistoryJob(_)
            | Change::InsertComment(_)
            | Change::UpdateComment { .. }
            | Change::DeleteComment(_)
            | Change::DeleteComments { .. }
            | Change::HistoryInstanceDelete(_) => self.history(change),
        }
    }

    /// Runs a statement that may find any number of rows.
    fn run(&self, sql: &str, params: impl Params) -> Result<()> {
        self.connection.prepare_cached(sql)?.execute(params).map(drop)
    }

    /// Runs a statement that must find its row.
    fn run_one(&self, sql: &str, params: impl Params) -> Result<()> {
        match self.connection.prepare_cached(sql)?.execute(params)? {
            1 => Ok(()),
            other => Err(Error::StatementChangedRows(other)),
        }
    }
}
