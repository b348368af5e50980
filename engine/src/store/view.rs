//! The machine's view of the stored rows: over the writer's connection, within its open transaction.
//!
//! What a command has read must not change while it waits for an answer. Rows of instances are kept still by a
//! [`Guard`] that reserves the instances; what is found by other means (definitions, subscriptions by their name) is
//! remembered in [`Findings`] and found again in the command's next run.
//!
//! What is asked of an instance that is resident is answered from memory, and else by SQLite.

mod decisions;
mod findings;
mod subscriptions;

use std::cell::RefCell;
use std::sync::Arc;

use handoff_machine::Id;
use handoff_machine::row::{
    Attachment, Batch, Comment, DedupeKey, Deployment, EventKind, EventSubscription, Execution, ExternalTask,
    HistoricDetail, HistoricInstance, HistoricVariable, IdentityLink, Incident, Instance, Job, JobDefinition,
    RequirementsRow, Resource, UserOperation, UserTask, Variable,
};
use handoff_machine::view::{
    DecisionDefinition, DecisionQuery, Definition, Seen, SubscriptionQuery, Tenant, View, ViewError,
};
use rusqlite::{Connection, OptionalExtension as _, Params, params};

pub(crate) use self::findings::Findings;
use super::error::StoreError;
use super::models::{ModelCache, Uncommitted};
use super::residents::{Kept, Owned, Resident, Residents};
use super::row::Table;

/// `select!(Row, "table WHERE …")`: the statement's text, made once.
macro_rules! select {
    ($row:ty, $rest:literal) => {{
        static SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
            format!(
                concat!("SELECT {} FROM ", $rest),
                <$row as $crate::store::row::Table>::COLUMNS
            )
        });
        SQL.as_str()
    }};
}
pub(crate) use select;

/// What a command reads besides rows of an instance and must stay as it is while the command waits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A dedupe key of a tenant.
    Dedupe(Option<String>, String),
    /// The running instances with a business key.
    Business(String),
}

/// Notes what a command reads, and refuses what another one has reserved.
pub(crate) trait Guard {
    /// The command reads rows of an instance.
    fn instance(&self, id: Id) -> Seen<()>;
    /// The command reads whether there is something with this key.
    fn key(&self, key: Key) -> Seen<()>;
}

/// Nobody holds what is committed, and nothing follows from what a question has read.
pub(crate) struct Unguarded;

impl Guard for Unguarded {
    fn instance(&self, _: Id) -> Seen<()> {
        Ok(())
    }

    fn key(&self, _: Key) -> Seen<()> {
        Ok(())
    }
}

/// The view of one run of a command.
pub(crate) struct StoreView<'s> {
    pub(super) connection: &'s Connection,
    pub(super) models: &'s ModelCache,
    pub(super) uncommitted: &'s Uncommitted,
    /// None: a reader's view, which sees another state than the writer.
    pub(super) residents: Option<&'s RefCell<Residents>>,
    pub(super) guard: &'s dyn Guard,
    pub(super) findings: &'s Findings,
}

fn failed(error: impl Into<StoreError>) -> ViewError {
    ViewError::Store(Box::new(error.into()))
}

impl StoreView<'_> {
    fn optional<T: Table>(&self, sql: &str, params: impl Params) -> Seen<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        statement.query_row(params, T::from_row).optional().map_err(failed)
    }

    fn list<T: Table>(&self, sql: &str, params: impl Params) -> Seen<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let rows = statement.query_map(params, T::from_row).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// What `find` reads of the instance that `row` belongs to or is, if that is resident.
    fn resident<T>(&self, row: Id, find: impl FnOnce(&Resident) -> T) -> Option<T> {
        self.residents?.borrow().of(row).map(find)
    }

    /// A row of an instance, from memory if it is there.
    fn row<T: Table + Kept>(&self, sql: &str, id: Id) -> Seen<Option<T>> {
        match self.resident(id, |resident| resident.row(id).cloned()).flatten() {
            Some(row) => self.guarded(Some(row)),
            None => self.one(sql, params![id.0]),
        }
    }

    /// The first of the rows of a scope's instance that are wanted, from memory if it is there.
    fn first<T: Table + Kept>(&self, sql: &str, scope: Id, wanted: impl Fn(&T) -> bool) -> Seen<Option<T>> {
        match self.resident(scope, |resident| resident.first(&wanted).cloned()) {
            Some(row) => self.guarded(row),
            None => self.one(sql, params![scope.0]),
        }
    }

    /// The rows of a scope's instance that are wanted, from memory if it is there.
    fn rows<T: Table + Kept>(&self, sql: &str, scope: Id, wanted: impl Fn(&T) -> bool) -> Seen<Vec<T>> {
        match self.resident(scope, |resident| resident.rows(&wanted)) {
            Some(rows) => self.all_guarded(rows),
            None => self.many(sql, params![scope.0]),
        }
    }

    /// One row of an instance.
    fn one<T: Table + Owned>(&self, sql: &str, params: impl Params) -> Seen<Option<T>> {
        self.guarded(self.optional(sql, params)?)
    }

    /// Rows of instances.
    fn many<T: Table + Owned>(&self, sql: &str, params: impl Params) -> Seen<Vec<T>> {
        self.all_guarded(self.list(sql, params)?)
    }

    fn guarded<T: Owned>(&self, row: Option<T>) -> Seen<Option<T>> {
        if let Some(owner) = row.as_ref().and_then(Owned::owner) {
            self.guard.instance(owner)?;
        }
        Ok(row)
    }

    fn all_guarded<T: Owned>(&self, rows: Vec<T>) -> Seen<Vec<T>> {
        for owner in rows.iter().filter_map(Owned::owner) {
            self.guard.instance(owner)?;
        }
        Ok(rows)
    }

    fn load_definition(&self, id: Id) -> Seen<Option<Arc<Definition>>> {
        if self.uncommitted.contains(id) {
            self.models.changed(self.connection, id).map_err(failed)
        } else {
            self.models.definition(self.connection, id).map_err(failed)
        }
    }

    fn definitions(&self, ids: Vec<i64>) -> Seen<Vec<Arc<Definition>>> {
        let found = ids.into_iter().map(|id| self.load_definition(Id(id)));
        found.filter_map(Result::transpose).collect()
    }

    fn ids(&self, sql: &str, params: impl Params) -> Seen<Vec<i64>> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let rows = statement.query_map(params, |row| row.get(0)).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }
}

/// A variable of a scope, from memory if its instance is there.
pub(super) fn variable(
    connection: &Connection,
    residents: Option<&RefCell<Residents>>,
    scope: Id,
    name: &str,
) -> Result<Option<Variable>, StoreError> {
    if let Some(known) = residents.and_then(|it| it.borrow().of(scope).map(|it| it.variable(scope, name).cloned())) {
        return Ok(known);
    }
    let mut one = connection.prepare_cached(select!(Variable, "variable WHERE scope = ?1 AND name = ?2"))?;
    let found = one.query_row(params![scope.0, name], Variable::from_row);
    Ok(found.optional()?)
}

/// All variables of a scope by age, from memory if its instance is there.
pub(super) fn variables(
    connection: &Connection,
    residents: Option<&RefCell<Residents>>,
    scope: Id,
) -> Result<Vec<Variable>, StoreError> {
    let wanted = |it: &Variable| it.scope == scope;
    if let Some(variables) = residents.and_then(|it| it.borrow().of(scope).map(|it| it.rows(wanted))) {
        return Ok(variables);
    }
    let mut all = connection.prepare_cached(select!(Variable, "variable WHERE scope = ?1 ORDER BY id"))?;
    let found = all.query_map(params![scope.0], Variable::from_row)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The tenant in SQL: NULL where there is none; [`Tenant::Any`] has a statement of its own.
fn tenant_column(tenant: &Tenant) -> Option<&str> {
    match tenant {
        Tenant::Any | Tenant::None => None,
        Tenant::Is(tenant) => Some(tenant),
    }
}

impl View for StoreView<'_> {
    fn definition(&self, id: Id) -> Seen<Option<Arc<Definition>>> {
        self.findings.definition(id, || self.load_definition(id))
    }

    fn latest_definitions(&self, key: &str, tenant: &Tenant) -> Seen<Vec<Arc<Definition>>> {
        self.findings.definitions(key, tenant, None, || {
            let ids = match tenant {
                Tenant::Any => self.ids(
                    "SELECT id FROM (SELECT id, max(version) FROM definition WHERE key = ?1 GROUP BY tenant) ORDER BY id",
                    params![key],
                ),
                Tenant::None | Tenant::Is(_) => self.ids(
                    "SELECT id FROM definition WHERE key = ?1 AND tenant IS ?2 ORDER BY version DESC LIMIT 1",
                    params![key, tenant_column(tenant)],
                ),
            }?;
            self.definitions(ids)
        })
    }

    fn definition_by_version(&self, key: &str, version: i32, tenant: &Tenant) -> Seen<Option<Arc<Definition>>> {
        let found = self.findings.definitions(key, tenant, Some(version), || {
            let any = *tenant == Tenant::Any;
            let ids = self.ids(
                "SELECT id FROM definition WHERE key = ?1 AND version = ?2 AND (?4 OR tenant IS ?3) ORDER BY id LIMIT 1",
                params![key, version, tenant_column(tenant), any],
            )?;
            self.definitions(ids)
        })?;
        Ok(found.into_iter().next())
    }

    fn definitions_of_deployment(&self, deployment: Id) -> Seen<Vec<Arc<Definition>>> {
        let ids = self.ids(
            "SELECT id FROM definition WHERE deployment = ?1 ORDER BY id",
            params![deployment.0],
        )?;
        self.definitions(ids)
    }

    fn decision(&self, query: &DecisionQuery) -> Seen<Option<Arc<DecisionDefinition>>> {
        self.findings.decision(query, || self.find_decision(query))
    }

    fn latest_requirements(&self, key: &str, tenant: Option<&str>) -> Seen<Option<RequirementsRow>> {
        self.optional(
            select!(
                RequirementsRow,
                "requirements WHERE key = ?1 AND tenant IS ?2 ORDER BY version DESC LIMIT 1"
            ),
            params![key, tenant],
        )
    }

    fn deployment(&self, id: Id) -> Seen<Option<Deployment>> {
        self.optional(select!(Deployment, "deployment WHERE id = ?1"), params![id.0])
    }

    fn latest_deployment(&self, name: Option<&str>, tenant: Option<&str>) -> Seen<Option<Deployment>> {
        self.optional(
            select!(
                Deployment,
                "deployment WHERE name IS ?1 AND tenant IS ?2 ORDER BY id DESC LIMIT 1"
            ),
            params![name, tenant],
        )
    }

    fn latest_resource(
        &self,
        deployment_name: Option<&str>,
        tenant: Option<&str>,
        name: &str,
    ) -> Seen<Option<Resource>> {
        self.optional(
            select!(
                Resource,
                "resource WHERE id = (SELECT r.id FROM deployment d JOIN resource r ON r.deployment = d.id \
                 WHERE d.name IS ?1 AND d.tenant IS ?2 AND r.name = ?3 ORDER BY r.id DESC LIMIT 1)"
            ),
            params![deployment_name, tenant, name],
        )
    }

    fn resources(&self, deployment: Id) -> Seen<Vec<Resource>> {
        self.list(
            select!(Resource, "resource WHERE deployment = ?1 ORDER BY id"),
            params![deployment.0],
        )
    }

    fn instance(&self, id: Id) -> Seen<Option<Instance>> {
        let known = |it: &RefCell<Residents>| it.borrow().get(id).map(|resident| resident.instance.clone());
        match self.residents.and_then(known) {
            Some(instance) => self.guarded(Some(instance)),
            None => self.one(select!(Instance, "process_instance WHERE id = ?1"), params![id.0]),
        }
    }

    fn instances_by_business_key(&self, business_key: &str, tenant: &Tenant, limit: usize) -> Seen<Vec<Instance>> {
        self.guard.key(Key::Business(business_key.to_owned()))?;
        let any = *tenant == Tenant::Any;
        self.many(
            select!(
                Instance,
                "process_instance WHERE business_key = ?1 AND (?3 OR tenant IS ?2) ORDER BY id LIMIT ?4"
            ),
            params![business_key, tenant_column(tenant), any, limit_column(limit)],
        )
    }

    fn instances_of_definition(&self, definition: Id, limit: usize) -> Seen<Vec<Instance>> {
        self.many(
            select!(Instance, "process_instance WHERE definition = ?1 ORDER BY id LIMIT ?2"),
            params![definition.0, limit_column(limit)],
        )
    }

    fn called_instance(&self, super_execution: Id) -> Seen<Option<Instance>> {
        self.one(
            select!(Instance, "process_instance WHERE super_execution = ?1"),
            params![super_execution.0],
        )
    }

    fn dedupe_key(&self, tenant: Option<&str>, key: &str) -> Seen<Option<DedupeKey>> {
        self.guard.key(Key::Dedupe(tenant.map(str::to_owned), key.to_owned()))?;
        self.optional(
            select!(DedupeKey, "dedupe_key WHERE key = ?2 AND tenant IS ?1"),
            params![tenant, key],
        )
    }

    fn execution(&self, id: Id) -> Seen<Option<Execution>> {
        self.row(select!(Execution, "execution WHERE id = ?1"), id)
    }

    fn children(&self, parent: Id) -> Seen<Vec<Execution>> {
        if let Some(children) = self.resident(parent, |resident| resident.rows(|it: &Execution| it.parent == parent)) {
            return self.all_guarded(children);
        }
        let mut children: Vec<Execution> = self.many(
            select!(Execution, "execution WHERE instance = ?1 AND parent = ?1 ORDER BY id"),
            params![parent.0],
        )?;
        if children.is_empty() {
            children = self.many(
                select!(
                    Execution,
                    "execution WHERE parent = ?1 AND parent <> instance ORDER BY id"
                ),
                params![parent.0],
            )?;
        }
        Ok(children)
    }

    fn variable(&self, scope: Id, name: &str) -> Seen<Option<Variable>> {
        self.guarded(variable(self.connection, self.residents, scope, name).map_err(failed)?)
    }

    fn variables(&self, scope: Id) -> Seen<Vec<Variable>> {
        self.all_guarded(variables(self.connection, self.residents, scope).map_err(failed)?)
    }

    fn external_task(&self, id: Id) -> Seen<Option<ExternalTask>> {
        self.row(select!(ExternalTask, "external_task WHERE id = ?1"), id)
    }

    fn external_task_of(&self, execution: Id) -> Seen<Option<ExternalTask>> {
        let sql = select!(
            ExternalTask,
            "external_task WHERE (instance, execution) = (SELECT instance, id FROM execution WHERE id = ?1)"
        );
        self.first(sql, execution, |it: &ExternalTask| it.execution == execution)
    }

    fn job(&self, id: Id) -> Seen<Option<Job>> {
        self.row(select!(Job, "job WHERE id = ?1"), id)
    }

    fn jobs_of(&self, execution: Id) -> Seen<Vec<Job>> {
        let sql = select!(Job, "job WHERE execution = ?1 ORDER BY id");
        self.rows(sql, execution, |it: &Job| it.execution == Some(execution))
    }

    fn start_jobs(&self, definition: Id) -> Seen<Vec<Job>> {
        self.many(
            select!(Job, "job WHERE definition = ?1 AND instance IS NULL ORDER BY id"),
            params![definition.0],
        )
    }

    fn task(&self, id: Id) -> Seen<Option<UserTask>> {
        self.row(select!(UserTask, "task WHERE id = ?1"), id)
    }

    fn task_of(&self, execution: Id) -> Seen<Option<UserTask>> {
        let sql = select!(UserTask, "task WHERE execution = ?1");
        self.first(sql, execution, |it: &UserTask| it.execution() == Some(execution))
    }

    fn links_of(&self, task: Id) -> Seen<Vec<IdentityLink>> {
        self.list(
            select!(IdentityLink, "identity_link WHERE task = ?1 ORDER BY id"),
            params![task.0],
        )
    }

    fn sub_tasks(&self, task: Id) -> Seen<Vec<UserTask>> {
        self.many(select!(UserTask, "task WHERE parent = ?1 ORDER BY id"), params![task.0])
    }

    fn subscription(&self, id: Id) -> Seen<Option<EventSubscription>> {
        self.row(select!(EventSubscription, "event_subscription WHERE id = ?1"), id)
    }

    fn subscriptions_of(&self, execution: Id) -> Seen<Vec<EventSubscription>> {
        let sql = select!(EventSubscription, "event_subscription WHERE execution = ?1 ORDER BY id");
        self.rows(sql, execution, |it: &EventSubscription| it.execution == Some(execution))
    }

    fn waiting(&self, query: &SubscriptionQuery<'_>) -> Seen<Vec<EventSubscription>> {
        let found = self
            .findings
            .subscriptions(|| format!("{query:?}"), || self.find_waiting(query))?;
        for owner in found.iter().filter_map(Owned::owner) {
            self.guard.instance(owner)?;
        }
        Ok(found)
    }

    fn start_subscriptions(&self, kind: EventKind, name: &str, tenant: &Tenant) -> Seen<Vec<EventSubscription>> {
        self.findings.subscriptions(
            || format!("start {kind:?} {name} {tenant:?}"),
            || self.find_start_subscriptions(kind, name, tenant),
        )
    }

    fn subscriptions_of_definition(&self, definition: Id) -> Seen<Vec<EventSubscription>> {
        self.many(
            select!(
                EventSubscription,
                "event_subscription WHERE definition = ?1 AND instance IS NULL ORDER BY id"
            ),
            params![definition.0],
        )
    }

    fn incidents_of(&self, configuration: Id) -> Seen<Vec<Incident>> {
        self.many(
            select!(Incident, "incident WHERE configuration = ?1 ORDER BY id"),
            params![configuration.0],
        )
    }

    fn incident(&self, id: Id) -> Seen<Option<Incident>> {
        self.row(select!(Incident, "incident WHERE id = ?1"), id)
    }

    fn job_definition(&self, id: Id) -> Seen<Option<JobDefinition>> {
        self.optional(select!(JobDefinition, "job_definition WHERE id = ?1"), params![id.0])
    }

    fn jobs_of_definition(&self, job_definition: Id, limit: usize) -> Seen<Vec<Job>> {
        self.many(
            select!(Job, "job WHERE job_definition = ?1 ORDER BY id LIMIT ?2"),
            params![job_definition.0, limit_column(limit)],
        )
    }

    fn batch(&self, id: Id) -> Seen<Option<Batch>> {
        self.optional(select!(Batch, "batch WHERE id = ?1"), params![id.0])
    }

    fn batch_items(&self, batch: Id, from: i64, limit: usize) -> Seen<Vec<Id>> {
        let items = self.ids(
            "SELECT item FROM batch_item WHERE batch = ?1 AND position >= ?2 ORDER BY position LIMIT ?3",
            params![batch.0, from, limit_column(limit)],
        )?;
        Ok(items.into_iter().map(Id).collect())
    }

    fn jobs_of_batch(&self, batch: Id, limit: usize) -> Seen<Vec<Job>> {
        self.many(
            select!(Job, "job WHERE batch = ?1 ORDER BY id LIMIT ?2"),
            params![batch.0, limit_column(limit)],
        )
    }

    fn historic_instance(&self, id: Id) -> Seen<Option<HistoricInstance>> {
        self.optional(
            select!(HistoricInstance, "historic_instance WHERE id = ?1"),
            params![id.0],
        )
    }

    fn historic_variables(&self, instance: Id) -> Seen<Vec<HistoricVariable>> {
        self.list(
            select!(
                HistoricVariable,
                "historic_variable WHERE instance = ?1 AND scope = ?1 AND deleted = 0 ORDER BY id"
            ),
            params![instance.0],
        )
    }

    fn initial_variables(&self, instance: Id) -> Seen<Vec<HistoricDetail>> {
        self.list(
            select!(
                HistoricDetail,
                "historic_details WHERE instance = ?1 AND scope = ?1 AND initial <> 0 AND kind = 0 ORDER BY holder"
            ),
            params![instance.0],
        )
    }

    fn comment(&self, id: Id) -> Seen<Option<Comment>> {
        self.optional(select!(Comment, "comment WHERE id = ?1"), params![id.0])
    }

    fn attachment(&self, id: Id) -> Seen<Option<Attachment>> {
        self.optional(select!(Attachment, "attachment WHERE id = ?1"), params![id.0])
    }

    fn has_operation(&self, operation: Id) -> Seen<bool> {
        let found: Vec<UserOperation> = self.list(
            select!(UserOperation, "user_operation WHERE operation = ?1 LIMIT 1"),
            params![operation.0],
        )?;
        Ok(!found.is_empty())
    }

    fn incidents_of_execution(&self, execution: Id) -> Seen<Vec<Incident>> {
        let sql = select!(Incident, "incident WHERE execution = ?1 ORDER BY id");
        self.rows(sql, execution, |it: &Incident| it.execution == Some(execution))
    }
}

/// A limit in SQL.
fn limit_column(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
