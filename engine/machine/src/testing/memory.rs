//! A view over rows in memory, to which deltas are applied.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::delta::Change;
use crate::id::Id;
use crate::model;
use crate::row::{
    Attachment, Batch, Comment, DecisionRow, DedupeKey, Deployment, DetailKind, EventKind, EventSubscription,
    Execution, ExternalTask, ExternalTaskLog, HistoricActivity, HistoricBatch, HistoricDecision, HistoricDetail,
    HistoricIncident, HistoricInstance, HistoricTask, HistoricVariable, IdentityLink, IdentityLinkLog, Incident,
    Instance, Job, JobDefinition, JobKind, JobLog, RequirementsRow, Resource, UserOperation, UserTask, Variable,
};
use crate::value::Value;
use crate::view::{DecisionDefinition, DecisionQuery, Definition, Seen, SubscriptionQuery, Tenant, View};

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

    fn record(&mut self, event: Change) {
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

    fn forget(&mut self, instance: Id) {
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

fn is_tenant(tenant: Option<&str>, wanted: &Tenant) -> bool {
    match wanted {
        Tenant::Any => true,
        Tenant::None => tenant.is_none(),
        Tenant::Is(wanted) => tenant == Some(wanted),
    }
}

impl View for Memory {
    fn definition(&self, id: Id) -> Seen<Option<Arc<Definition>>> {
        Ok(self.definitions.get(&id).cloned())
    }

    fn latest_definitions(&self, key: &str, tenant: &Tenant) -> Seen<Vec<Arc<Definition>>> {
        let mut latest: BTreeMap<Option<String>, Arc<Definition>> = BTreeMap::new();
        for definition in self.definitions.values() {
            if definition.row.key == key && is_tenant(definition.row.tenant.as_deref(), tenant) {
                let entry = latest
                    .entry(definition.row.tenant.clone())
                    .or_insert_with(|| Arc::clone(definition));
                if entry.row.version < definition.row.version {
                    *entry = Arc::clone(definition);
                }
            }
        }
        Ok(latest.into_values().collect())
    }

    fn definition_by_version(&self, key: &str, version: i32, tenant: &Tenant) -> Seen<Option<Arc<Definition>>> {
        Ok(self
            .definitions
            .values()
            .find(|row| {
                row.row.key == key && row.row.version == version && is_tenant(row.row.tenant.as_deref(), tenant)
            })
            .cloned())
    }

    fn definitions_of_deployment(&self, deployment: Id) -> Seen<Vec<Arc<Definition>>> {
        Ok(of(&self.definitions, |row| row.row.deployment == deployment))
    }

    fn decision(&self, query: &DecisionQuery) -> Seen<Option<Arc<DecisionDefinition>>> {
        let fits = |row: &DecisionRow| match query {
            DecisionQuery::Id(id) => row.id == *id,
            DecisionQuery::Latest { key, tenant } => row.key == *key && is_tenant(row.tenant.as_deref(), tenant),
            DecisionQuery::Version { key, version, tenant } => {
                row.key == *key && row.version == *version && is_tenant(row.tenant.as_deref(), tenant)
            }
            DecisionQuery::VersionTag { key, tag, tenant } => {
                row.key == *key && row.version_tag.as_ref() == Some(tag) && is_tenant(row.tenant.as_deref(), tenant)
            }
            DecisionQuery::Deployment { key, deployment } => row.key == *key && row.deployment == *deployment,
        };
        let found = self.decisions.values().filter(|row| fits(&row.row));
        Ok(found.max_by_key(|row| row.row.version).cloned())
    }

    fn latest_requirements(&self, key: &str, tenant: Option<&str>) -> Seen<Option<RequirementsRow>> {
        let found = of(&self.requirements, |row| {
            row.key == key && row.tenant.as_deref() == tenant
        });
        Ok(found.into_iter().max_by_key(|row| row.version))
    }

    fn deployment(&self, id: Id) -> Seen<Option<Deployment>> {
        Ok(self.deployments.get(&id).cloned())
    }

    fn latest_deployment(&self, name: Option<&str>, tenant: Option<&str>) -> Seen<Option<Deployment>> {
        Ok(of(&self.deployments, |row| {
            row.name.as_deref() == name && row.tenant.as_deref() == tenant
        })
        .pop())
    }

    fn latest_resource(
        &self,
        deployment_name: Option<&str>,
        tenant: Option<&str>,
        name: &str,
    ) -> Seen<Option<Resource>> {
        Ok(of(&self.resources, |row| {
            let deployment = &self.deployments[&row.deployment];
            row.name == name && deployment.name.as_deref() == deployment_name && deployment.tenant.as_deref() == tenant
        })
        .pop())
    }

    fn resources(&self, deployment: Id) -> Seen<Vec<Resource>> {
        Ok(of(&self.resources, |row| row.deployment == deployment))
    }

    fn instance(&self, id: Id) -> Seen<Option<Instance>> {
        Ok(self.instances.get(&id).cloned())
    }

    fn instances_by_business_key(&self, business_key: &str, tenant: &Tenant, limit: usize) -> Seen<Vec<Instance>> {
        let mut found = of(&self.instances, |row| {
            row.business_key.as_deref() == Some(business_key) && is_tenant(row.tenant.as_deref(), tenant)
        });
        found.truncate(limit);
        Ok(found)
    }

    fn instances_of_definition(&self, definition: Id, limit: usize) -> Seen<Vec<Instance>> {
        let mut found = of(&self.instances, |row| row.definition == definition);
        found.truncate(limit);
        Ok(found)
    }

    fn called_instance(&self, super_execution: Id) -> Seen<Option<Instance>> {
        Ok(of(&self.instances, |row| row.super_execution == Some(super_execution)).pop())
    }

    fn dedupe_key(&self, tenant: Option<&str>, key: &str) -> Seen<Option<DedupeKey>> {
        Ok(self
            .dedupe_keys
            .iter()
            .find(|row| row.tenant.as_deref() == tenant && row.key == key)
            .cloned())
    }

    fn execution(&self, id: Id) -> Seen<Option<Execution>> {
        Ok(self.executions.get(&id).cloned())
    }

    fn children(&self, parent: Id) -> Seen<Vec<Execution>> {
        Ok(of(&self.executions, |row| row.parent == parent))
    }

    fn variable(&self, scope: Id, name: &str) -> Seen<Option<Variable>> {
        Ok(self
            .variables
            .values()
            .find(|row| row.scope == scope && row.name == name)
            .cloned())
    }

    fn variables(&self, scope: Id) -> Seen<Vec<Variable>> {
        Ok(of(&self.variables, |row| row.scope == scope))
    }

    fn external_task(&self, id: Id) -> Seen<Option<ExternalTask>> {
        Ok(self.external_tasks.get(&id).cloned())
    }

    fn external_task_of(&self, execution: Id) -> Seen<Option<ExternalTask>> {
        Ok(of(&self.external_tasks, |row| row.execution == execution).pop())
    }

    fn job(&self, id: Id) -> Seen<Option<Job>> {
        Ok(self.jobs.get(&id).cloned())
    }

    fn jobs_of(&self, execution: Id) -> Seen<Vec<Job>> {
        Ok(of(&self.jobs, |row| row.execution == Some(execution)))
    }

    fn start_jobs(&self, definition: Id) -> Seen<Vec<Job>> {
        Ok(of(&self.jobs, |row| {
            row.definition == Some(definition) && row.instance.is_none()
        }))
    }

    fn task(&self, id: Id) -> Seen<Option<UserTask>> {
        Ok(self.tasks.get(&id).cloned())
    }

    fn task_of(&self, execution: Id) -> Seen<Option<UserTask>> {
        Ok(of(&self.tasks, |row| row.execution() == Some(execution)).pop())
    }

    fn links_of(&self, task: Id) -> Seen<Vec<IdentityLink>> {
        Ok(of(&self.links, |row| row.task == task))
    }

    fn sub_tasks(&self, task: Id) -> Seen<Vec<UserTask>> {
        Ok(of(&self.tasks, |row| row.parent == Some(task)))
    }

    fn subscription(&self, id: Id) -> Seen<Option<EventSubscription>> {
        Ok(self.subscriptions.get(&id).cloned())
    }

    fn subscriptions_of(&self, execution: Id) -> Seen<Vec<EventSubscription>> {
        Ok(of(&self.subscriptions, |row| row.execution == Some(execution)))
    }

    fn waiting(&self, query: &SubscriptionQuery<'_>) -> Seen<Vec<EventSubscription>> {
        let has = |scope: Id, keys: &[(String, Value)]| {
            keys.iter().all(|(name, value)| {
                self.variables
                    .values()
                    .any(|row| row.scope == scope && row.name == *name && row.value == *value)
            })
        };
        let mut found = of(&self.subscriptions, |row| {
            let (Some(instance), Some(execution)) = (row.instance, row.execution) else {
                return false;
            };
            row.kind == query.kind
                && row.name == query.name
                && query.instance.is_none_or(|wanted| wanted == instance)
                && query
                    .business_key
                    .is_none_or(|wanted| row.business_key.as_deref() == Some(wanted))
                && is_tenant(row.tenant.as_deref(), query.tenant)
                && !self.instances[&instance].suspended
                && has(instance, query.correlation_keys)
                && has(execution, query.local_correlation_keys)
        });
        found.truncate(query.limit);
        Ok(found)
    }

    fn start_subscriptions(&self, kind: EventKind, name: &str, tenant: &Tenant) -> Seen<Vec<EventSubscription>> {
        Ok(of(&self.subscriptions, |row| {
            row.instance.is_none() && row.kind == kind && row.name == name && is_tenant(row.tenant.as_deref(), tenant)
        }))
    }

    fn subscriptions_of_definition(&self, definition: Id) -> Seen<Vec<EventSubscription>> {
        Ok(of(&self.subscriptions, |row| row.definition == definition))
    }

    fn incidents_of(&self, configuration: Id) -> Seen<Vec<Incident>> {
        Ok(of(&self.incidents, |row| row.configuration == configuration))
    }

    fn incident(&self, id: Id) -> Seen<Option<Incident>> {
        Ok(self.incidents.get(&id).cloned())
    }

    fn job_definition(&self, id: Id) -> Seen<Option<JobDefinition>> {
        Ok(self.job_definitions.get(&id).cloned())
    }

    fn jobs_of_definition(&self, job_definition: Id, limit: usize) -> Seen<Vec<Job>> {
        let mut found = of(&self.jobs, |row| row.job_definition == Some(job_definition));
        found.truncate(limit);
        Ok(found)
    }

    fn batch(&self, id: Id) -> Seen<Option<Batch>> {
        Ok(self.batches.get(&id).cloned())
    }

    fn batch_items(&self, batch: Id, from: i64, limit: usize) -> Seen<Vec<Id>> {
        let items = self.batch_items.get(&batch).into_iter().flatten();
        Ok(items.skip(from as usize).take(limit).copied().collect())
    }

    fn jobs_of_batch(&self, batch: Id, limit: usize) -> Seen<Vec<Job>> {
        let mut found = of(
            &self.jobs,
            |row| matches!(row.kind, JobKind::BatchSeed { batch: of } | JobKind::Batch { batch: of, .. } if of == batch),
        );
        found.truncate(limit);
        Ok(found)
    }

    fn historic_instance(&self, id: Id) -> Seen<Option<HistoricInstance>> {
        Ok(self.historic_instances.get(&id).cloned())
    }

    fn historic_variables(&self, instance: Id) -> Seen<Vec<HistoricVariable>> {
        Ok(of(&self.historic_variables, |row| {
            row.scope == instance && !row.deleted
        }))
    }

    fn initial_variables(&self, instance: Id) -> Seen<Vec<HistoricDetail>> {
        let found = self
            .details
            .iter()
            .filter(|row| row.scope == instance && row.initial && row.kind == DetailKind::VariableUpdate);
        Ok(found.cloned().collect())
    }

    fn comment(&self, id: Id) -> Seen<Option<Comment>> {
        Ok(self.comments.get(&id).cloned())
    }

    fn attachment(&self, id: Id) -> Seen<Option<Attachment>> {
        Ok(self.attachments.get(&id).map(|(row, _)| row.clone()))
    }

    fn has_operation(&self, operation: Id) -> Seen<bool> {
        Ok(self.operations.iter().any(|row| row.operation == operation))
    }

    fn incidents_of_execution(&self, execution: Id) -> Seen<Vec<Incident>> {
        Ok(of(&self.incidents, |row| row.execution == Some(execution)))
    }
}
