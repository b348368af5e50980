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
mod first_details;
mod history;
mod migrated;
mod runtime;

use std::cell::RefCell;

use handoff_machine::delta::Change;
use rusqlite::{Error, Params, Result};

pub(super) use self::first_details::FirstDetails;
use super::field::Binder;
use super::models::Uncommitted;
use super::prepared::Prepared;
use super::residents::Residents;
use super::row::Table;
use crate::config::HistoryLevel;

/// Where changes go.
pub(super) struct Applier<'s> {
    pub(super) prepared: &'s Prepared,
    pub(super) uncommitted: &'s Uncommitted,
    pub(super) residents: &'s RefCell<Residents>,
    pub(super) first_details: &'s FirstDetails,
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

    fn insert<T: Table>(&self, row: &T) -> Result<()> {
        self.prepared.execute_bound(T::INSERT, |to| row.bind(to)).map(drop)
    }

    /// Runs a statement that may find any number of rows.
    fn run(&self, sql: &'static str, params: impl Params) -> Result<()> {
        self.prepared.execute(sql, params).map(drop)
    }

    /// Runs a statement that must find its row.
    fn run_one(&self, sql: &'static str, params: impl Params) -> Result<()> {
        found(self.prepared.execute(sql, params)?)
    }

    /// Runs a statement that must find its row, with what `bind` binds.
    fn run_one_bound(&self, sql: &'static str, bind: impl FnOnce(&mut Binder<'_, '_>) -> Result<()>) -> Result<()> {
        found(self.prepared.execute_bound(sql, bind)?)
    }
}

fn found(rows: usize) -> Result<()> {
    if rows == 1 {
        Ok(())
    } else {
        Err(Error::StatementChangedRows(rows))
    }
}
