//! `/job-definition`

use axum::Router;
use axum::response::Response;
use axum::routing::{get, put};
use handoff_machine::command::{JobAction, JobTarget, SuspendJobs};
use handoff_machine::row::JobDefinition;
use handoff_machine::{Command, Id};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{Body, count, flag, integer, no_content, ok, text};
use super::error::{RestError, Result};
use super::path::Path;
use super::query::{Criteria, Params, PostParams, Select};
use super::reader::Reader;
use super::suspension::{definitions, execution_date};

const ORDERS: &[(&str, &str)] = &[
    ("jobDefinitionId", "id"),
    ("activityId", "activity"),
    ("processDefinitionId", "definition"),
    ("processDefinitionKey", "definition_key"),
    ("jobType", "job_type"),
    ("jobConfiguration", "configuration"),
    ("tenantId", "tenant"),
];

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/job-definition", get(by_get).post(by_post))
        .route("/job-definition/count", get(count_by_get).post(count_by_post))
        .route("/job-definition/suspended", put(suspend_many))
        .route("/job-definition/{id}", get(one))
        .route("/job-definition/{id}/suspended", put(suspend))
        .route("/job-definition/{id}/retries", put(set_retries))
        .route("/job-definition/{id}/jobPriority", put(set_priority))
}

fn dto(reader: &Reader<'_>, row: &JobDefinition) -> Result<Json> {
    Ok(json!({
        "id": reader.ids.text(row.id),
        "processDefinitionId": reader.definition_id_opt(row.definition)?,
        "processDefinitionKey": row.definition_key,
        "jobType": row.job_type,
        "jobConfiguration": row.configuration,
        "activityId": row.activity,
        "suspended": row.suspended,
        "overridingJobPriority": row.priority,
        "tenantId": row.tenant,
        // As Camunda has it for all jobs of processes.
        "deploymentId": null,
    }))
}

fn select(api: &Api, params: &Params) -> Result<Select<JobDefinition>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.id("jobDefinitionId"))
        .within("activity IN (SELECT value FROM json_each(?))", of.list("activityIdIn")?)
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with("definition_key = ?", of.text("processDefinitionKey"))
        .with("job_type = ?", of.text("jobType"))
        .with("configuration = ?", of.text("jobConfiguration"))
        .only_if(of.is("active"), "suspended = 0")
        .only_if(of.is("suspended"), "suspended <> 0")
        .only_if(of.is("withOverridingJobPriority"), "priority IS NOT NULL");
    select.of_tenants(&of, "includeJobDefinitionsWithoutTenantId")?;
    Ok(select)
}

async fn by_get(api: Api, params: Params) -> Result<Response> {
    list(api, params).await
}

async fn by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
    list(api, params).await
}

async fn count_by_get(api: Api, params: Params) -> Result<Response> {
    count_all(api, params).await
}

async fn count_by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
    count_all(api, params).await
}

async fn list(api: Api, params: Params) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged(&params, ORDERS)?;
    let rows = api.read(move |reader| {
        let rows = select.rows(reader.connection)?;
        rows.iter().map(|row| dto(reader, row)).collect::<Result<Vec<_>>>()
    });
    Ok(ok(rows.await?))
}

async fn count_all(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

fn unknown(id: &str) -> RestError {
    RestError::unknown(format!("Job Definition with id {id} does not exist"))
}

async fn one(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let row = api.read(
        move |reader| match Select::<JobDefinition>::by_id(reader.connection, key)? {
            Some(row) => dto(reader, &row).map(Some),
            None => Ok(None),
        },
    );
    row.await?.map(ok).ok_or_else(|| unknown(&id))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SuspendDto {
    #[serde(deserialize_with = "text")]
    job_definition_id: Option<String>,
    #[serde(deserialize_with = "text")]
    process_definition_id: Option<String>,
    #[serde(deserialize_with = "text")]
    process_definition_key: Option<String>,
    #[serde(deserialize_with = "text")]
    process_definition_tenant_id: Option<String>,
    #[serde(deserialize_with = "flag")]
    process_definition_without_tenant_id: Option<bool>,
    #[serde(deserialize_with = "flag")]
    suspended: Option<bool>,
    #[serde(deserialize_with = "flag")]
    include_jobs: Option<bool>,
    #[serde(deserialize_with = "text")]
    execution_date: Option<String>,
}

impl SuspendDto {
    fn of(&self, target: JobTarget) -> Result<Command> {
        Ok(Command::SuspendJobDefinitions(SuspendJobs {
            target,
            suspended: self.suspended.unwrap_or(false),
            include_jobs: self.include_jobs.unwrap_or(false),
            at: execution_date(self.execution_date.as_deref())?,
        }))
    }
}

async fn suspend(api: Api, Path(id): Path<String>, Body(dto): Body<SuspendDto>) -> Result<Response> {
    if dto.job_definition_id.is_some() {
        return Err(RestError::invalid("Only the path may name the job definition"));
    }
    let target = JobTarget::JobDefinition(api.ids.read(&id));
    api.run(dto.of(target)?).await?;
    Ok(no_content())
}

/// `PUT /job-definition/suspended`: by the process definition.
async fn suspend_many(api: Api, Body(dto): Body<SuspendDto>) -> Result<Response> {
    if dto.job_definition_id.is_some() {
        return Err(RestError::invalid(
            "Either processDefinitionId or processDefinitionKey can be set to update the suspension state.",
        ));
    }
    let target = definitions(
        api.ids,
        dto.process_definition_id.as_deref(),
        dto.process_definition_key.as_deref(),
        dto.process_definition_tenant_id.as_deref(),
        dto.process_definition_without_tenant_id.unwrap_or(false),
    )?;
    api.run(dto.of(JobTarget::Definitions(target))?).await?;
    Ok(no_content())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RetriesDto {
    #[serde(deserialize_with = "integer")]
    retries: Option<i64>,
}

/// `PUT /job-definition/{id}/retries`: of its failed jobs.
async fn set_retries(api: Api, Path(id): Path<String>, Body(dto): Body<RetriesDto>) -> Result<Response> {
    let retries = super::job::retries(dto.retries)?;
    let key = existing(&api, &id).await?;
    api.run(Command::Jobs {
        target: JobTarget::JobDefinition(key),
        action: JobAction::Retries(retries),
    })
    .await?;
    Ok(no_content())
}

async fn existing(api: &Api, text: &str) -> Result<Id> {
    let key = api.ids.read(text);
    let row = api
        .read(move |reader| Select::<JobDefinition>::by_id(reader.connection, key))
        .await?;
    row.map(|row| row.id).ok_or_else(|| unknown(text))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PriorityDto {
    #[serde(deserialize_with = "integer")]
    priority: Option<i64>,
    #[serde(deserialize_with = "flag")]
    include_jobs: Option<bool>,
}

async fn set_priority(api: Api, Path(id): Path<String>, Body(dto): Body<PriorityDto>) -> Result<Response> {
    let include_jobs = dto.include_jobs.unwrap_or(false);
    if include_jobs && dto.priority.is_none() {
        return Err(RestError::invalid(
            "Cannot reset priority for job definition with includeJobs enabled",
        ));
    }
    let command = Command::SetJobDefinitionPriority {
        id: existing(&api, &id).await?,
        priority: dto.priority,
        include_jobs,
    };
    api.run(command).await?;
    Ok(no_content())
}
