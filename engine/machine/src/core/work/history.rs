//! History: events in their order. What starts and ends within one command is one event.

use std::collections::{BTreeMap, BTreeSet};

use crate::delta::Change;
use crate::id::{Id, Millis};
use crate::row::{HistoricActivity, HistoricIncident, HistoricInstance, HistoricTask, InstanceState, UserTask};

/// What is to be written to the history.
#[derive(Default)]
pub(in crate::core) struct History {
    events: Vec<Change>,
    /// Where in `events` the start of a row of this command is. Ids of different kinds of rows differ but for an
    /// activity's, which is its execution's, and a task's: each has a map of its own.
    instances: BTreeMap<Id, usize>,
    activities: BTreeMap<Id, usize>,
    tasks: BTreeMap<Id, usize>,
    incidents: BTreeMap<Id, usize>,
    /// Activities that the history does not have.
    left_out: BTreeSet<Id>,
    /// Removal times of the instances that end in this command.
    removal: BTreeMap<Id, Option<Millis>>,
}

/// How an instance ends.
pub(in crate::core) struct InstanceEnd {
    pub(in crate::core) time: Millis,
    pub(in crate::core) activity: Option<String>,
    pub(in crate::core) reason: Option<String>,
    pub(in crate::core) state: InstanceState,
    pub(in crate::core) removal_time: Option<Millis>,
}

impl History {
    pub(in crate::core) fn push(&mut self, event: Change) {
        self.events.push(event);
    }

    pub(in crate::core) fn instance_start(&mut self, row: HistoricInstance) {
        self.instances.insert(row.id, self.events.len());
        self.events.push(Change::HistoryInstanceStart(row));
    }

    pub(in crate::core) fn instance_end(&mut self, id: Id, end: InstanceEnd) {
        self.removal.insert(id, end.removal_time);
        match self.instances.get(&id).and_then(|at| self.events.get_mut(*at)) {
            Some(Change::HistoryInstanceStart(row)) => {
                row.end_time = Some(end.time);
                row.end_activity = end.activity;
                row.delete_reason = end.reason;
                row.state = end.state;
                row.removal_time = row.removal_time.or(end.removal_time);
            }
            _ => self.events.push(Change::HistoryInstanceEnd {
                id,
                end_time: end.time,
                end_activity: end.activity,
                delete_reason: end.reason,
                state: end.state,
                removal_time: end.removal_time,
            }),
        }
    }

    /// The end of an instance that began in this very command, in an event of its own too: what hangs on the end
    /// (the removal time of a dedupe key, or of called instances) goes by that event.
    pub(super) fn repeat_instance_end(&mut self, id: Id) {
        if let Some(Change::HistoryInstanceStart(row)) = self.instances.get(&id).and_then(|at| self.events.get(*at))
            && let Some(end_time) = row.end_time
        {
            let event = Change::HistoryInstanceEnd {
                id,
                end_time,
                end_activity: row.end_activity.clone(),
                delete_reason: row.delete_reason.clone(),
                state: row.state,
                removal_time: row.removal_time,
            };
            self.events.push(event);
        }
    }

    /// The roots of the called instances that began in this command.
    pub(super) fn callers(&self) -> impl Iterator<Item = Id> {
        self.instances.values().filter_map(|at| match self.events.get(*at) {
            Some(Change::HistoryInstanceStart(row)) if row.root != row.id => Some(row.root),
            _ => None,
        })
    }

    /// An instance that began in this command is a restart of another.
    pub(in crate::core) fn restarted(&mut self, id: Id, of: Id) {
        if let Some(Change::HistoryInstanceStart(row)) = self.instances.get(&id).and_then(|at| self.events.get_mut(*at))
        {
            row.restarted = Some(of);
        }
    }

    /// The historic instance, where it began in this command.
    pub(in crate::core) fn fresh_instance(&self, id: Id) -> Option<&HistoricInstance> {
        match self.instances.get(&id).and_then(|at| self.events.get(*at)) {
            Some(Change::HistoryInstanceStart(row)) => Some(row),
            _ => None,
        }
    }

    /// The history has nothing of an activity, which begins and ends in this command.
    pub(in crate::core) fn leave_out(&mut self, id: Id) {
        self.left_out.insert(id);
    }

    pub(in crate::core) fn activity_start(&mut self, row: HistoricActivity) {
        self.activities.insert(row.id, self.events.len());
        self.events.push(Change::HistoryActivityStart(row));
    }

    pub(in crate::core) fn activity_end(&mut self, id: Id, end_time: Millis, canceled: bool, complete_scope: bool) {
        if self.left_out.contains(&id) {
            return;
        }
        match self.activities.get(&id).and_then(|at| self.events.get_mut(*at)) {
            Some(Change::HistoryActivityStart(row)) => {
                row.end_time = Some(end_time);
                row.canceled = canceled;
                row.complete_scope = complete_scope;
            }
            _ => self.events.push(Change::HistoryActivityEnd {
                id,
                end_time,
                canceled,
                complete_scope,
            }),
        }
    }

    pub(in crate::core) fn activity_called(&mut self, id: Id, called: Id) {
        match self.activities.get(&id).and_then(|at| self.events.get_mut(*at)) {
            Some(Change::HistoryActivityStart(row)) => row.called_instance = Some(called),
            _ => self.events.push(Change::HistoryActivityCalled {
                id,
                called_instance: called,
            }),
        }
    }

    /// Names the user task of an activity that began in this command.
    pub(in crate::core) fn activity_task(&mut self, id: Id, task: Id, assignee: Option<&str>) {
        if let Some(Change::HistoryActivityStart(row)) =
            self.activities.get(&id).and_then(|at| self.events.get_mut(*at))
        {
            row.task = Some(task);
            row.assignee = assignee.map(str::to_owned);
        }
    }

    pub(in crate::core) fn task_start(&mut self, row: HistoricTask) {
        self.tasks.insert(row.task.id, self.events.len());
        self.events.push(Change::HistoryTaskStart(row));
    }

    /// A user task has changed.
    pub(in crate::core) fn task_update(&mut self, task: UserTask) {
        if let Some(place) = &task.place {
            let (id, assignee) = (place.execution, task.assignee.clone());
            match self.activities.get(&id).and_then(|at| self.events.get_mut(*at)) {
                Some(Change::HistoryActivityStart(row)) => row.assignee = assignee,
                _ => self.events.push(Change::HistoryActivityAssigned { id, assignee }),
            }
        }
        match self.tasks.get(&task.id).and_then(|at| self.events.get_mut(*at)) {
            Some(Change::HistoryTaskStart(row)) => row.task = task,
            _ => self.events.push(Change::HistoryTaskUpdate(task)),
        }
    }

    pub(in crate::core) fn task_end(&mut self, id: Id, end_time: Millis, reason: &str) {
        match self.tasks.get(&id).and_then(|at| self.events.get_mut(*at)) {
            Some(Change::HistoryTaskStart(row)) => {
                row.end_time = Some(end_time);
                row.delete_reason = Some(reason.to_owned());
            }
            _ => {
                let delete_reason = Some(reason.to_owned());
                self.events.push(Change::HistoryTaskEnd {
                    id,
                    end_time,
                    delete_reason,
                });
            }
        }
    }

    pub(in crate::core) fn incident_start(&mut self, row: HistoricIncident) {
        self.incidents.insert(row.incident.id, self.events.len());
        self.events.push(Change::HistoryIncidentStart(row));
    }

    pub(in crate::core) fn incident_end(&mut self, id: Id, end_time: Millis, resolved: bool) {
        match self.incidents.get(&id).and_then(|at| self.events.get_mut(*at)) {
            Some(Change::HistoryIncidentStart(row)) => {
                row.end_time = Some(end_time);
                row.resolved = resolved;
                row.deleted = !resolved;
            }
            _ => self.events.push(Change::HistoryIncidentEnd { id, end_time, resolved }),
        }
    }

    /// All events, those of ended instances with their removal time.
    pub(super) fn into_events(mut self) -> Vec<Change> {
        for event in &mut self.events {
            let (instance, removal_time) = match event {
                Change::HistoryActivityStart(row) => (Some(row.instance), &mut row.removal_time),
                Change::HistoryVariable(row) => (Some(row.instance), &mut row.removal_time),
                Change::HistoryDetail(row) => (Some(row.instance), &mut row.removal_time),
                Change::HistoryTaskStart(row) => (row.task.instance(), &mut row.removal_time),
                Change::HistoryIncidentStart(row) => (row.incident.instance, &mut row.removal_time),
                Change::HistoryExternalTask(row) => (Some(row.task.instance), &mut row.removal_time),
                Change::HistoryDecision(row) => (row.place.as_ref().map(|place| place.instance), &mut row.removal_time),
                Change::HistoryJob(row) => (row.job.instance, &mut row.removal_time),
                Change::HistoryOperation(row) => (row.instance, &mut row.removal_time),
                Change::HistoryIdentityLink(row) => (row.instance, &mut row.removal_time),
                _ => continue,
            };
            if let Some(time) = instance.and_then(|instance| self.removal.get(&instance)) {
                *removal_time = *time;
            }
        }
        self.events
    }
}
