//! Calls for many instances: deletion, suspension, variables and retries, by batches.

use axum::Router;
use axum::response::Response;
use axum::routing::{post, put};
use handoff_machine::Id;
use handoff_machine::command::{BatchWork, DefinitionTarget};
use handoff_machine::row::Job;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::rest::api::Api;
use crate::rest::body::{Body, flag, integer, no_content, ok, text, texts};
use crate::rest::error::{RestError, Result};
use crate::rest::query::Select;
use crate::rest::suspension;
use crate::rest::targets::{InstancesDto, TARGETS_MAX, do_at_once, start_batch};
use crate::rest::variables::{VariablesDto, inputs};
use crate::rest::{job, targets};

/// Instances that are suspended in one transaction, while the caller waits.
const SYNCHRONOUS_MAX: usize = 20_000;

/// The routes.
pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/process-instance/delete", post(delete))
        .route("/process-instance/delete-historic-query-based", post(delete))
        .route("/process-instance/suspended", put(suspend))
        .route("/process-instance/suspended-async", post(suspend_async))
        .route("/process-instance/job-retries", post(job_retries))
        .route("/process-instance/job-retries-historic-query-based", post(job_retries))
        .route("/process-instance/variables-async", post(set_variables))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DeleteDto {
    #[serde(deserialize_with = "text")]
    delete_reason: Option<String>,
    #[serde(deserialize_with = "flag")]
    skip_custom_listeners: Option<bool>,
    #[serde(deserialize_with = "flag")]
    skip_io_mappings: Option<bool>,
    #[serde(flatten)]
    instances: InstancesDto,
}

async fn delete(api: Api, Body(dto): Body<DeleteDto>) -> Result<Response> {
    let work = BatchWork::DeleteInstances {
        reason: dto.delete_reason,
        skip_custom_listeners: dto.skip_custom_listeners.unwrap_or(false),
        skip_io_mappings: dto.skip_io_mappings.unwrap_or(false),
    };
    let instances = dto.instances.resolve(&api).await?;
    Ok(ok(start_batch(&api, work, instances).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SuspendDto {
    #[serde(deserialize_with = "flag")]
    suspended: Option<bool>,
    #[serde(deserialize_with = "text")]
    process_definition_id: Option<String>,
    #[serde(deserialize_with = "text")]
    process_definition_key: Option<String>,
    #[serde(deserialize_with = "text")]
    process_definition_tenant_id: Option<String>,
    #[serde(deserialize_with = "flag")]
    process_definition_without_tenant_id: Option<bool>,
    #[serde(deserialize_with = "texts")]
    process_instance_ids: Option<Vec<String>>,
    process_instance_query: Option<Json>,
    historic_process_instance_query: Option<Json>,
}

impl SuspendDto {
    async fn instances(&self, api: &Api) -> Result<Vec<Id>> {
        let dto: InstancesDto = serde_json::from_value(serde_json::json!({
            "processInstanceIds": self.process_instance_ids,
            "processInstanceQuery": self.process_instance_query,
            "historicProcessInstanceQuery": self.historic_process_instance_query,
        }))
        .map_err(|error| RestError::invalid(error.to_string()))?;
        dto.resolve(api).await
    }

    /// # Errors
    /// 400: definitions are named beside instances.
    fn check(&self) -> Result<()> {
        let definitions = self.process_definition_id.is_some() || self.process_definition_key.is_some();
        let instances = self.process_instance_ids.is_some()
            || self.process_instance_query.is_some()
            || self.historic_process_instance_query.is_some();
        if definitions && instances {
            return Err(RestError::invalid(
                "Choose either a single processInstance with processDefinitionId or processDefinitionKey or a group of \
                 processInstances with processInstanceIds, procesInstanceQuery or historicProcessInstanceQuery.",
            ));
        }
        Ok(())
    }

    fn definition(&self, api: &Api) -> Result<Option<DefinitionTarget>> {
        let (id, key) = (
            self.process_definition_id.as_deref(),
            self.process_definition_key.as_deref(),
        );
        if id.is_none() && key.is_none() {
            return Ok(None);
        }
        let tenant = self.process_definition_tenant_id.as_deref();
        let without = self.process_definition_without_tenant_id.unwrap_or(false);
        suspension::definitions(api.ids, id, key, tenant, without).map(Some)
    }
}

/// `PUT /process-instance/suspended`: all instances of definitions, or those that are listed or found, at once.
async fn suspend(api: Api, Body(dto): Body<SuspendDto>) -> Result<Response> {
    let suspended = dto.suspended.unwrap_or(false);
    dto.check()?;
    let instances = match dto.definition(&api)? {
        Some(target) => instances_of(&api, &target).await?,
        None => dto.instances(&api).await?,
    };
    if instances.len() > SYNCHRONOUS_MAX {
        return Err(RestError::invalid(format!(
            "at most {SYNCHRONOUS_MAX} instances are suspended or activated at once: use suspended-async"
        )));
    }
    do_at_once(&api, BatchWork::Suspend(suspended), instances).await?;
    Ok(no_content())
}

async fn instances_of(api: &Api, target: &DefinitionTarget) -> Result<Vec<Id>> {
    let mut select = Select::<handoff_machine::row::Instance>::new();
    match target {
        DefinitionTarget::Id(id) => {
            select.with("definition = ?", Some(id.0));
        }
        DefinitionTarget::Key { key, tenant } => {
            select.with(
                "definition IN (SELECT id FROM definition WHERE key = ?)",
                Some(key.clone()),
            );
            match tenant {
                Some(Some(tenant)) => select.with("tenant = ?", Some(tenant.clone())),
                Some(None) => select.only("tenant IS NULL"),
                None => &mut select,
            };
        }
    }
    api.read(move |reader| select.ids(reader.connection, TARGETS_MAX)).await
}

async fn suspend_async(api: Api, Body(dto): Body<SuspendDto>) -> Result<Response> {
    let work = BatchWork::Suspend(dto.suspended.unwrap_or(false));
    let instances = dto.instances(&api).await?;
    Ok(ok(start_batch(&api, work, instances).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RetriesDto {
    #[serde(deserialize_with = "integer")]
    retries: Option<i64>,
    #[serde(flatten)]
    instances: InstancesDto,
}

/// The retries of the jobs of instances.
async fn job_retries(api: Api, Body(dto): Body<RetriesDto>) -> Result<Response> {
    let retries = job::retries_of_batch(dto.retries)?;
    let instances = dto.instances.found(&api).await?;
    let jobs = api.read(move |reader| {
        let mut select = Select::<Job>::new();
        select.within(
            "instance IN (SELECT value FROM json_each(?))",
            Some(instances.iter().map(|id| id.0).collect()),
        );
        select.ids(reader.connection, TARGETS_MAX)
    });
    let jobs = jobs.await?;
    if jobs.is_empty() {
        return Err(job::none_meant(
            "ENGINE-13051 You must specify at least one of or one of processInstanceIds, processInstanceQuery, or \
             historicProcessInstanceQuery.",
        ));
    }
    let work = BatchWork::SetJobRetries(retries);
    Ok(ok(targets::start_batch(&api, work, jobs).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct VariablesOfManyDto {
    variables: VariablesDto,
    #[serde(flatten)]
    instances: InstancesDto,
}

async fn set_variables(api: Api, Body(dto): Body<VariablesOfManyDto>) -> Result<Response> {
    if dto.variables.is_none() {
        return Err(RestError::invalid("variables is null"));
    }
    let variables = inputs(&dto.variables).map_err(|error| error.wrapped("Cannot set variables: "))?;
    if variables.is_empty() {
        let status = http::StatusCode::BAD_REQUEST;
        return Err(RestError::of_engine(
            status,
            "BadUserRequestException",
            "variables is empty",
        ));
    }
    let instances = dto.instances.found(&api).await?;
    if instances.is_empty() {
        return Err(RestError::invalid("No process instances found."));
    }
    Ok(ok(
        start_batch(&api, BatchWork::SetVariables(variables), instances).await?
    ))
}
