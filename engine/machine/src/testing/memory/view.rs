//! The rows as the machine sees them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Memory, of};
use crate::id::Id;
use crate::row::{
    Attachment, Batch, Comment, DecisionRow, DedupeKey, Deployment, DetailKind, EventKind, EventSubscription,
    Execution, ExternalTask, HistoricDetail, HistoricInstance, HistoricVariable, IdentityLink, Incident, Instance, Job,
    JobDefinition, JobKind, RequirementsRow, Resource, UserTask, Variable,
};
use crate::value::Value;
use crate::view::{DecisionDefinition, DecisionQuery, Definition, Seen, SubscriptionQuery, Tenant, View};

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
