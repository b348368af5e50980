//! The history: each event becomes a row, or changes one.

use super::{Memory, delete, put};
use crate::delta::Change;
use crate::id::Id;

impl Memory {
    pub(super) fn record(&mut self, event: Change) {
        match event {
            Change::HistoryInstanceStart(row) => put(&mut self.historic_instances, row.id, row),
            Change::HistoryInstanceEnd {
                id,
                end_time,
                end_activity,
                delete_reason,
                state,
                removal_time,
            } => {
                let row = self.historic_instances.get_mut(&id).expect("its start");
                row.end_time = Some(end_time);
                row.end_activity = end_activity;
                row.delete_reason = delete_reason;
                row.state = state;
                row.removal_time = removal_time;
            }
            Change::HistoryInstanceState { id, state } => {
                self.historic_instances.get_mut(&id).expect("its start").state = state;
            }
            Change::HistoryInstanceMigrated {
                id,
                definition,
                definition_key,
            } => {
                let row = self.historic_instances.get_mut(&id).expect("its start");
                (row.definition, row.definition_key) = (definition, definition_key);
            }
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
            } => {
                let row = self.historic_activities.get_mut(&id).expect("its start");
                (row.parent, row.parent_activity) = (parent, parent_activity);
                (row.definition, row.definition_key) = (definition, definition_key);
                (row.activity, row.activity_name, row.activity_type) = (activity, activity_name, activity_type);
                row.entered_as = entered_as;
            }
            Change::HistoryVariableMigrated {
                id,
                definition,
                definition_key,
                scope,
                scope_activity,
            } => {
                let row = self.historic_variables.get_mut(&id).expect("its value");
                (row.definition, row.definition_key) = (definition, definition_key);
                (row.scope, row.scope_activity) = (scope, scope_activity);
            }
            Change::HistoryTaskMigrated { task, definition_key } => {
                let row = self.historic_tasks.get_mut(&task.id).expect("its start");
                (row.task, row.definition_key) = (task, Some(definition_key));
            }
            Change::HistoryIncidentMigrated {
                id,
                definition,
                definition_key,
                activity,
            } => {
                let row = self.historic_incidents.get_mut(&id).expect("its start");
                (row.incident.definition, row.definition_key) = (Some(definition), Some(definition_key));
                row.incident.activity = activity;
            }
            Change::HistoryActivityStart(row) => put(&mut self.historic_activities, row.id, row),
            Change::HistoryActivityEnd {
                id,
                end_time,
                canceled,
                complete_scope,
            } => {
                let row = self.historic_activities.get_mut(&id).expect("its start");
                assert_eq!(row.end_time, None, "activity {} ends twice", row.activity);
                row.end_time = Some(end_time);
                row.canceled = canceled;
                row.complete_scope = complete_scope;
            }
            Change::HistoryActivityCalled { id, called_instance } => {
                self.historic_activities
                    .get_mut(&id)
                    .expect("its start")
                    .called_instance = Some(called_instance);
            }
            Change::HistoryActivityAssigned { id, assignee } => {
                self.historic_activities.get_mut(&id).expect("its start").assignee = assignee;
            }
            Change::HistoryVariable(row) => {
                self.historic_variables.insert(row.id, row);
            }
            Change::HistoryVariableDeleted(id) => {
                self.historic_variables.get_mut(&id).expect("its value").deleted = true;
            }
            Change::HistoryTaskStart(row) => put(&mut self.historic_tasks, row.task.id, row),
            Change::HistoryTaskUpdate(task) => {
                let id = task.id;
                self.historic_tasks.get_mut(&id).expect("its start").task = task;
            }
            Change::HistoryTaskEnd {
                id,
                end_time,
                delete_reason,
            } => {
                let row = self.historic_tasks.get_mut(&id).expect("its start");
                row.end_time = Some(end_time);
                row.delete_reason = delete_reason;
            }
            Change::HistoryIncidentStart(row) => put(&mut self.historic_incidents, row.incident.id, row),
            Change::HistoryIncidentEnd { id, end_time, resolved } => {
                let row = self.historic_incidents.get_mut(&id).expect("its start");
                row.end_time = Some(end_time);
                row.resolved = resolved;
                row.deleted = !resolved;
            }
            Change::HistoryIncidentAnnotation { id, annotation } => {
                self.historic_incidents
                    .get_mut(&id)
                    .expect("its start")
                    .incident
                    .annotation = annotation;
            }
            Change::HistoryDetail(row) => self.details.push(row),
            Change::HistoryOperation(row) => self.operations.push(row),
            Change::HistoryOperationAnnotation { operation, annotation } => {
                for row in self.operations.iter_mut().filter(|row| row.operation == operation) {
                    row.annotation.clone_from(&annotation);
                }
            }
            Change::HistoryIdentityLink(row) => self.identity_links.push(row),
            Change::HistoryBatchStart(row) => put(&mut self.historic_batches, row.batch.id, row),
            Change::HistoryBatchUpdate(batch) => {
                let id = batch.id;
                self.historic_batches.get_mut(&id).expect("its start").batch = batch;
            }
            Change::HistoryBatchEnd {
                id,
                end_time,
                removal_time,
            } => {
                let row = self.historic_batches.get_mut(&id).expect("its start");
                row.end_time = Some(end_time);
                row.removal_time = removal_time;
            }
            Change::HistoryBatchDelete(id) => delete(&mut self.historic_batches, id),
            Change::HistoryRemovalTime { instance, time } => {
                self.historic_instances
                    .get_mut(&instance)
                    .expect("its start")
                    .removal_time = time;
            }
            Change::HistoryDecision(row) => put(&mut self.historic_decisions, row.id, row),
            Change::HistoryDecisionDelete(id) => {
                self.historic_decisions
                    .retain(|_, row| row.id != id && row.root_decision != Some(id));
            }
            Change::HistoryDecisionRemovalTime { id, time } => {
                let rows = self.historic_decisions.values_mut();
                rows.filter(|row| row.id == id || row.root_decision == Some(id))
                    .for_each(|row| row.removal_time = time);
            }
            Change::HistoryExternalTask(row) => self.external_task_log.push(row),
            Change::HistoryJob(row) => self.job_log.push(row),
            Change::HistoryInstanceDelete(id) => self.forget(id),
            other => panic!("{other:?} is no event of the history"),
        }
    }

    pub(super) fn forget(&mut self, instance: Id) {
        self.historic_instances.remove(&instance);
        self.historic_activities.retain(|_, row| row.instance != instance);
        self.historic_decisions
            .retain(|_, row| row.place.as_ref().is_none_or(|place| place.instance != instance));
        self.historic_variables.retain(|_, row| row.instance != instance);
        self.historic_tasks
            .retain(|_, row| row.task.instance() != Some(instance));
        self.historic_incidents
            .retain(|_, row| row.incident.instance != Some(instance));
        self.external_task_log.retain(|row| row.task.instance != instance);
        self.job_log.retain(|row| row.job.instance != Some(instance));
        self.dedupe_keys.retain(|row| row.instance != instance);
    }
}
