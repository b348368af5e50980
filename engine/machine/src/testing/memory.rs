//! A view over rows in memory, to which deltas are applied.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

mod history;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::delta::Change;
use crate::id::Id;
use crate::model;
use crate::row::{
    Attachment, Batch, Comment, DedupeKey, Deployment, EventSubscription, Execution, ExternalTask, ExternalTaskLog,
    HistoricActivity, HistoricBatch, HistoricDecision, HistoricDetail, HistoricIncident, HistoricInstance,
    HistoricTask, HistoricVariable, IdentityLink, IdentityLinkLog, Incident, Instance, Job, JobDefinition, JobLog,
    RequirementsRow, Resource, UserOperation, UserTask, Variable,
};
use crate::view::{DecisionDefinition, Definition};

/// All rows.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "the names of the tables")]
pub struct Memory {
    pub deployments: BTreeMap<Id, Deployment>,
    pub resources: BTreeMap<Id, Resource>,
    pub definitions: BTreeMap<Id, Arc<Definition>>,
    pub decisions: BTreeMap<Id, Arc<DecisionDefinition>>,
    pub requirements: BTreeMap<Id, RequirementsRow>,
    pub instances: BTreeMap<Id, Instance>,
    pub executions: BTreeMap<Id, Execution>,
    pub variables: BTreeMap<Id, Variable>,
    pub external_tasks: BTreeMap<Id, ExternalTask>,
    pub jobs: BTreeMap<Id, Job>,
    pub subscriptions: BTreeMap<Id, EventSubscription>,
    pub tasks: BTreeMap<Id, UserTask>,
    pub links: BTreeMap<Id, IdentityLink>,
    pub comments: BTreeMap<Id, Comment>,
    pub attachments: BTreeMap<Id, (Attachment, Option<Vec<u8>>)>,
    pub incidents: BTreeMap<Id, Incident>,
    pub dedupe_keys: Vec<DedupeKey>,
    pub historic_instances: BTreeMap<Id, HistoricInstance>,
    pub historic_activities: BTreeMap<Id, HistoricActivity>,
    pub historic_variables: BTreeMap<Id, HistoricVariable>,
    pub historic_tasks: BTreeMap<Id, HistoricTask>,
    pub historic_incidents: BTreeMap<Id, HistoricIncident>,
    pub historic_decisions: BTreeMap<Id, HistoricDecision>,
    pub external_task_log: Vec<ExternalTaskLog>,
    pub job_log: Vec<JobLog>,
    pub job_definitions: BTreeMap<Id, JobDefinition>,
    pub batches: BTreeMap<Id, Batch>,
    pub batch_items: BTreeMap<Id, Vec<Id>>,
    pub historic_batches: BTreeMap<Id, HistoricBatch>,
    pub details: Vec<HistoricDetail>,
    pub operations: Vec<UserOperation>,
    pub identity_links: Vec<IdentityLinkLog>,
}

fn put<R>(table: &mut BTreeMap<Id, R>, id: Id, row: R) {
    assert!(table.insert(id, row).is_none(), "row {id} is inserted twice");
}

fn update<R>(table: &mut BTreeMap<Id, R>, id: Id, row: R) {
    assert!(table.insert(id, row).is_some(), "row {id} is updated, but is not there");
}

fn delete<R>(table: &mut BTreeMap<Id, R>, id: Id) {
    assert!(table.remove(&id).is_some(), "row {id} is deleted, but is not there");
}

impl Memory {
    /// Applies the changes of a command, in order.
    ///
    /// # Panics
    /// A row is inserted twice, or one that is changed or deleted is not there.
    pub fn apply(&mut self, changes: &[Change]) {
        changes.iter().for_each(|change| self.change(change));
    }

    fn change(&mut self, change: &Change) {
        match change.clone() {
            Change::InsertDeployment(row) => put(&mut self.deployments, row.id, row),
            Change::InsertResource(row) => put(&mut self.resources, row.id, row),
            Change::InsertDefinition(row) => {
                let resource = self
                    .resources
                    .values()
                    .find(|resource| resource.deployment == row.deployment && resource.name == row.resource)
                    .expect("its resource");
                let parsed = model::parse(&resource.name, &resource.bytes).expect("a model");
                let model = parsed
                    .processes
                    .into_iter()
                    .find(|model| model.key == row.key)
                    .expect("its process");
                let jobs = Vec::new();
                put(&mut self.definitions, row.id, Arc::new(Definition { row, model, jobs }));
            }
            Change::UpdateDefinition(row) => {
                let known = Definition::clone(&self.definitions[&row.id]);
                update(&mut self.definitions, row.id, Arc::new(Definition { row, ..known }));
            }
            Change::InsertDecision(row) => {
                let resource = self
                    .resources
                    .values()
                    .find(|file| file.deployment == row.deployment && file.name == row.resource);
                let file = crate::decision::parse(&resource.expect("its file").bytes)
                    .expect("parsed before")
                    .file;
                let position = file.find(&row.key).expect("parsed before");
                put(
                    &mut self.decisions,
                    row.id,
                    Arc::new(DecisionDefinition { row, file, position }),
                );
            }
            Change::UpdateDecision(row) => {
                let known = DecisionDefinition::clone(&self.decisions[&row.id]);
                update(
                    &mut self.decisions,
                    row.id,
                    Arc::new(DecisionDefinition { row, ..known }),
                );
            }
            Change::InsertRequirements(row) => put(&mut self.requirements, row.id, row),
            Change::DeleteDeployment { id, history } => self.delete_deployment(id, history),
            Change::DeleteDefinition { id, history } => {
                assert!(self.definitions.remove(&id).is_some(), "definition {id}");
                if history {
                    let of = |row: &&HistoricInstance| row.definition == id;
                    let instances: Vec<Id> = self.historic_instances.values().filter(of).map(|row| row.id).collect();
                    instances.into_iter().for_each(|instance| self.forget(instance));
                }
            }
            Change::MigrateInstance(row) => update(&mut self.instances, row.id, row),
            Change::MigrateExecution(row) => update(&mut self.executions, row.id, row),
            Change::MigrateVariable(row) => update(&mut self.variables, row.id, row),
            Change::MigrateExternalTask(row) => update(&mut self.external_tasks, row.id, row),
            Change::MigrateJob(row) => update(&mut self.jobs, row.id, row),
            Change::MigrateSubscription(row) => update(&mut self.subscriptions, row.id, row),
            Change::MigrateTask(row) => update(&mut self.tasks, row.id, row),
            Change::MigrateIncident(row) => update(&mut self.incidents, row.id, row),
            Change::InsertInstance(row) => put(&mut self.instances, row.id, row),
            Change::UpdateInstance(row) => update(&mut self.instances, row.id, row),
            Change::DeleteInstance(id) => delete(&mut self.instances, id),
            Change::InsertExecution(row) => put(&mut self.executions, row.id, row),
            Change::UpdateExecution(row) => update(&mut self.executions, row.id, row),
            Change::DeleteExecution(id) => delete(&mut self.executions, id),
            Change::InsertVariable(row) => put(&mut self.variables, row.id, row),
            Change::UpdateVariable(row) => update(&mut self.variables, row.id, row),
            Change::DeleteVariable(id) => delete(&mut self.variables, id),
            Change::InsertExternalTask(row) => put(&mut self.external_tasks, row.id, row),
            Change::UpdateExternalTask(row) => update(&mut self.external_tasks, row.id, row),
            Change::DeleteExternalTask(id) => delete(&mut self.external_tasks, id),
            Change::InsertJob(row) => put(&mut self.jobs, row.id, row),
            Change::UpdateJob(row) => update(&mut self.jobs, row.id, row),
            Change::DeleteJob(id) => delete(&mut self.jobs, id),
            Change::InsertSubscription(row) => put(&mut self.subscriptions, row.id, row),
            Change::DeleteSubscription(id) => delete(&mut self.subscriptions, id),
            Change::InsertTask(row) => put(&mut self.tasks, row.id, row),
            Change::UpdateTask(row) => update(&mut self.tasks, row.id, row),
            Change::DeleteTask(id) => delete(&mut self.tasks, id),
            Change::InsertIdentityLink(row) => put(&mut self.links, row.id, row),
            Change::DeleteIdentityLink(id) => delete(&mut self.links, id),
            Change::InsertComment(row) => put(&mut self.comments, row.id, row),
            Change::UpdateComment { id, message } => {
                if let Some(row) = self.comments.get_mut(&id) {
                    row.message = message;
                }
            }
            Change::DeleteComment(id) => {
                self.comments.remove(&id);
            }
            Change::DeleteComments { task, instance } => self.comments.retain(|_, row| {
                !(task.is_some() && row.task == task || instance.is_some() && row.instance == instance)
            }),
            Change::InsertAttachment { row, content } => put(&mut self.attachments, row.id, (row, content)),
            Change::DeleteAttachment(id) => delete(&mut self.attachments, id),
            Change::InsertIncident(row) => put(&mut self.incidents, row.id, row),
            Change::UpdateIncident(row) => update(&mut self.incidents, row.id, row),
            Change::InsertJobDefinition(row) => {
                put(&mut self.job_definitions, row.id, row.clone());
                self.refresh_jobs(row.definition);
            }
            Change::UpdateJobDefinition(row) => {
                update(&mut self.job_definitions, row.id, row.clone());
                self.refresh_jobs(row.definition);
            }
            Change::DeleteJobDefinition(id) => delete(&mut self.job_definitions, id),
            Change::InsertBatch(row) => put(&mut self.batches, row.id, row),
            Change::UpdateBatch(row) => update(&mut self.batches, row.id, row),
            Change::DeleteBatch(id) => {
                delete(&mut self.batches, id);
                delete(&mut self.batch_items, id);
            }
            Change::InsertBatchItems { batch, items } => put(&mut self.batch_items, batch, items),
            Change::DeleteIncident(id) => delete(&mut self.incidents, id),
            Change::InsertDedupeKey(row) => {
                assert!(
                    !self
                        .dedupe_keys
                        .iter()
                        .any(|other| other.tenant == row.tenant && other.key == row.key)
                );
                self.dedupe_keys.push(row);
            }
            history => self.record(history),
        }
    }

    /// Definitions carry their job definitions.
    fn refresh_jobs(&mut self, definition: Option<Id>) {
        let Some(known) = definition.and_then(|id| self.definitions.get_mut(&id)) else {
            return;
        };
        let jobs = of(&self.job_definitions, |row| row.definition == definition);
        *known = Arc::new(Definition {
            jobs,
            ..Definition::clone(known)
        });
    }

    fn delete_deployment(&mut self, id: Id, history: bool) {
        let definitions: Vec<Id> = self
            .definitions
            .values()
            .filter(|row| row.row.deployment == id)
            .map(|row| row.row.id)
            .collect();
        self.definitions.retain(|_, row| row.row.deployment != id);
        let decisions: Vec<Id> = of(&self.decisions, |row| row.row.deployment == id)
            .iter()
            .map(|row| row.row.id)
            .collect();
        self.decisions.retain(|_, row| row.row.deployment != id);
        self.requirements.retain(|_, row| row.deployment != id);
        if history {
            self.historic_decisions
                .retain(|_, row| !decisions.contains(&row.decision));
        }
        self.resources.retain(|_, row| row.deployment != id);
        delete(&mut self.deployments, id);
        if history {
            let instances: Vec<Id> = self
                .historic_instances
                .values()
                .filter(|row| definitions.contains(&row.definition))
                .map(|row| row.id)
                .collect();
            instances.into_iter().for_each(|instance| self.forget(instance));
        }
    }

    /// Whether every row's owner is there.
    ///
    /// # Panics
    /// One is not.
    pub fn check(&self) {
        let scope = |id: Id| self.executions.contains_key(&id) || self.instances.contains_key(&id);
        for row in self.executions.values() {
            assert!(scope(row.parent), "the parent of {row:?}");
            assert!(self.instances.contains_key(&row.instance), "the instance of {row:?}");
        }
        self.variables.values().for_each(|row| {
            let there = scope(row.scope) || self.tasks.contains_key(&row.scope);
            assert!(there, "the scope of {row:?}");
        });
        self.external_tasks
            .values()
            .for_each(|row| assert!(scope(row.execution), "the execution of {row:?}"));
        self.tasks
            .values()
            .for_each(|row| assert!(row.execution().is_none_or(scope), "the execution of {row:?}"));
        self.links
            .values()
            .for_each(|row| assert!(self.tasks.contains_key(&row.task), "the task of {row:?}"));
        self.jobs
            .values()
            .for_each(|row| assert!(row.execution.is_none_or(scope), "the execution of {row:?}"));
        for row in self.subscriptions.values() {
            assert!(row.execution.is_none_or(scope), "the execution of {row:?}");
        }
        for row in self.incidents.values() {
            let there = row.custom.is_some()
                || self.jobs.contains_key(&row.configuration)
                || self.external_tasks.contains_key(&row.configuration)
                || row.is_handed_on() && self.incidents.contains_key(&row.configuration);
            assert!(there, "the cause of {row:?}");
        }
    }
}

fn of<R: Clone>(table: &BTreeMap<Id, R>, wanted: impl Fn(&R) -> bool) -> Vec<R> {
    table.values().filter(|row| wanted(row)).cloned().collect()
}
