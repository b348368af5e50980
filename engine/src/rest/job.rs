//! `/job`

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use handoff_machine::command::{BatchWork, JobAction, JobTarget};
use handoff_machine::error::Entity;
use handoff_machine::row::{Job, JobKind};
use handoff_machine::{Command, Id, MachineError};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{Body, count, flag, integer, no_content, ok, text, texts};
use super::date;
use super::error::{RestError, Result};
use super::path::Path;
use super::query::{Criteria, Params, PostParams, Select};
use super::reader::Reader;
use super::suspension::definitions;
use super::targets::{self, TARGETS_MAX};
use crate::service::CommandError;

const ORDERS: &[(&str, &str)] = &[
    ("jobId", "id"),
    ("executionId", "execution"),
    ("processInstanceId", "instance"),
    ("processDefinitionId", "definition"),
    ("processDefinitionKey", "definition_key"),
    ("jobPriority", "priority"),
    ("jobRetries", "retries"),
    ("jobDueDate", "ifnull(due, created)"),
    ("jobDefinitionId", "job_definition"),
    ("tenantId", "tenant"),
];

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/job", get(by_get).post(by_post))
        .route("/job/count", get(count_by_get).post(count_by_post))
        .route("/job/suspended", put(suspend_many))
        .route("/job/retries", post(retries_of_many))
        .route("/job/{id}", get(one).delete(delete))
        .route("/job/{id}/suspended", put(suspend))
        .route("/job/{id}/priority", put(set_priority))
        .route("/job/{id}/execute", post(execute))
        .route("/job/{id}/retries", put(set_retries))
        .route("/job/{id}/duedate", put(set_due))
        .route("/job/{id}/stacktrace", get(stacktrace))
}

fn dto(reader: &Reader<'_>, job: &Job) -> Result<Json> {
    Ok(json!({
        "id": reader.ids.text(job.id),
        "jobDefinitionId": reader.ids.json_opt(job.job_definition),
        "processInstanceId": reader.ids.json_opt(job.instance),
        "processDefinitionId": reader.definition_id_opt(job.definition)?,
        "processDefinitionKey": job.definition_key,
        "executionId": reader.ids.json_opt(job.execution),
        "exceptionMessage": job.exception_message,
        "failedActivityId": job.failed_activity,
        "retries": job.retries,
        "dueDate": job.due.map(date::format),
        "suspended": job.suspended,
        "priority": job.priority,
        "tenantId": job.tenant,
        "createTime": date::format(job.created),
        "batchId": reader.ids.json_opt(batch_of(job)),
    }))
}

/// The batch that a job belongs to.
pub(crate) fn batch_of(job: &Job) -> Option<Id> {
    match job.kind {
        JobKind::BatchSeed { batch } | JobKind::Batch { batch, .. } => Some(batch),
        _ => None,
    }
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
    let jobs = api.read(move |reader| {
        select
            .rows(reader.connection)?
            .iter()
            .map(|job| dto(reader, job))
            .collect::<Result<Vec<_>>>()
    });
    Ok(ok(jobs.await?))
}

async fn count_all(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

fn select(api: &Api, params: &Params) -> Result<Select<Job>> {
    let of = Criteria::new(params, api.ids);
    let now = api.engine.now();
    let mut select = Select::new();
    select
        .with("id = ?", of.id("jobId"))
        .within("id IN (SELECT value FROM json_each(?))", of.ids("jobIds")?)
        .with("instance = ?", of.id("processInstanceId"))
        .within(
            "instance IN (SELECT value FROM json_each(?))",
            of.ids("processInstanceIds")?,
        )
        .with("execution = ?", of.id("executionId"))
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with("definition_key = ?", of.text("processDefinitionKey"))
        .with("activity = ?", of.text("activityId"))
        .with("failed_activity = ?", of.text("failedActivityId"))
        .with(
            "retries > 0 AND (due IS NULL OR due <= ?)",
            of.is("executable").then_some(now),
        )
        .only_if(of.is("timers"), "kind IN (1, 2, 4, 7)")
        .only_if(of.is("messages"), "kind IN (0, 3, 5, 6)")
        .with("job_definition = ?", of.id("jobDefinitionId"))
        .with("batch = ?", of.id("batchId"))
        .within("batch IN (SELECT value FROM json_each(?))", of.ids("batchIdIn")?)
        .only_if(of.is("withException"), "exception_message IS NOT NULL")
        .with("exception_message = ?", of.text("exceptionMessage"))
        .only_if(of.is("withRetriesLeft"), "retries > 0")
        .only_if(of.is("noRetriesLeft"), "retries = 0")
        .only_if(of.is("active"), "suspended = 0")
        .only_if(of.is("suspended"), "suspended <> 0")
        .with("priority >= ?", of.integer("priorityHigherThanOrEquals")?)
        .with("priority <= ?", of.integer("priorityLowerThanOrEquals")?);
    select.of_tenants(&of, "includeJobsWithoutTenantId")?;
    compare(
        &mut select,
        &of,
        "dueDates",
        ["ifnull(due, created) > ?", "ifnull(due, created) < ?"],
    )?;
    compare(&mut select, &of, "createTimes", ["created > ?", "created < ?"])?;
    Ok(select)
}

/// `gt_2026-…,lt_2026-…`, or `[{"operator", "value"}]`.
fn compare(select: &mut Select<Job>, of: &Criteria<'_>, name: &str, conditions: [&'static str; 2]) -> Result<()> {
    let pairs: Vec<(String, String)> = match of.json(name) {
        None => return Ok(()),
        Some(Json::Array(list)) => {
            let text = |entry: &Json, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            list.iter()
                .map(|entry| (text(entry, "operator"), text(entry, "value")))
                .collect()
        }
        Some(_) => {
            let list = of.list(name)?.unwrap_or_default();
            let split = |text: &String| text.split_once('_').map(|(o, v)| (o.to_owned(), v.to_owned()));
            list.iter().filter_map(split).collect()
        }
    };
    for (operator, value) in pairs {
        let condition = match operator.as_str() {
            "gt" => conditions[0],
            "lt" => conditions[1],
            _ => {
                return Err(RestError::invalid(format!(
                    "Invalid {name} comparator specified: {operator}"
                )));
            }
        };
        let instant = date::parse(&value).or_else(|| date::parse(&value.replace(' ', "+")));
        let refusal = || RestError::invalid(format!("Cannot set query parameter '{name}' to value '{value}'"));
        select.with(condition, Some(instant.ok_or_else(refusal)?));
    }
    Ok(())
}

fn unknown(id: &str) -> RestError {
    RestError::unknown(format!("Job with id {id} does not exist"))
}

async fn one(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let job = api.read(move |reader| match Select::<Job>::by_id(reader.connection, key)? {
        Some(job) => dto(reader, &job).map(Some),
        None => Ok(None),
    });
    job.await?.map(ok).ok_or_else(|| unknown(&id))
}

/// `POST /job/{id}/execute`: whatever the engine refuses is 404 here, as in Camunda.
async fn execute(api: Api, Path(text): Path<String>) -> Result<Response> {
    let result = api.submit_raw(Command::ExecuteJob(api.ids.read(&text))).await;
    result.map(|_| no_content()).map_err(|error| match error {
        CommandError::Machine(MachineError::NotFound { kind: Entity::Job, .. }) => {
            RestError::unknown(format!("No job found with id '{text}'"))
        }
        CommandError::Machine(MachineError::View(_)) => error.into(),
        CommandError::Machine(error) => RestError::unknown(error.to_string()),
        error => error.into(),
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RetriesDto {
    #[serde(deserialize_with = "integer")]
    retries: Option<i64>,
}

/// Retries as they may be set.
///
/// # Errors
/// As in Camunda: 400 without a number, 500 for one below zero.
pub(crate) fn retries(retries: Option<i64>) -> Result<i32> {
    let retries = retries.ok_or_else(|| RestError::invalid("The number of retries cannot be null."))?;
    i32::try_from(retries)
        .ok()
        .filter(|retries| *retries >= 0)
        .ok_or_else(|| {
            let message = "The number of job retries must be a non-negative Integer, but '".to_owned();
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            RestError::new(
                status,
                "InvalidRequestException",
                format!("{message}{retries}' has been provided."),
            )
        })
}

/// The retries that a batch sets.
///
/// # Errors
/// 400 where they are missing, 500 where they are negative, both as Camunda has it.
pub(crate) fn retries_of_batch(retries: Option<i64>) -> Result<i32> {
    let retries = retries.ok_or_else(|| RestError::invalid("retries is null"))?;
    let valid = i32::try_from(retries).ok().filter(|retries| *retries >= 0);
    valid.ok_or_else(|| none_meant("Retries count is not greater than or equal to 0"))
}

/// 500 `ProcessEngineException`: what Camunda answers to a batch that is about nothing.
pub(crate) fn none_meant(message: &str) -> RestError {
    RestError::of_engine(StatusCode::INTERNAL_SERVER_ERROR, "ProcessEngineException", message)
}

async fn delete(api: Api, Path(id): Path<String>) -> Result<Response> {
    api.run(Command::DeleteJob(api.ids.read(&id))).await?;
    Ok(no_content())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SuspendDto {
    #[serde(deserialize_with = "text")]
    job_id: Option<String>,
    #[serde(deserialize_with = "text")]
    job_definition_id: Option<String>,
    #[serde(deserialize_with = "text")]
    process_instance_id: Option<String>,
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
}

async fn suspend(api: Api, Path(id): Path<String>, Body(dto): Body<SuspendDto>) -> Result<Response> {
    let target = JobTarget::Jobs(vec![api.ids.read(&id)]);
    act_on(&api, target, JobAction::Suspend(dto.suspended.unwrap_or(false))).await
}

/// `PUT /job/suspended`
async fn suspend_many(api: Api, Body(dto): Body<SuspendDto>) -> Result<Response> {
    const ONE: &str = "Either jobDefinitionId, processInstanceId, processDefinitionId or processDefinitionKey should be \
                       set to update the suspension state.";
    if dto.job_id.is_some() {
        return Err(RestError::invalid(ONE));
    }
    let target = match (&dto.job_definition_id, &dto.process_instance_id) {
        (Some(id), None) => JobTarget::JobDefinition(api.ids.read(id)),
        (None, Some(id)) => JobTarget::Instance(api.ids.read(id)),
        (None, None) => JobTarget::Definitions(
            definitions(
                api.ids,
                dto.process_definition_id.as_deref(),
                dto.process_definition_key.as_deref(),
                dto.process_definition_tenant_id.as_deref(),
                dto.process_definition_without_tenant_id.unwrap_or(false),
            )
            .map_err(|_| RestError::invalid(ONE))?,
        ),
        (Some(_), Some(_)) => return Err(RestError::invalid(ONE)),
    };
    act_on(&api, target, JobAction::Suspend(dto.suspended.unwrap_or(false))).await
}

async fn act_on(api: &Api, target: JobTarget, action: JobAction) -> Result<Response> {
    api.run(Command::Jobs { target, action }).await?;
    Ok(no_content())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PriorityDto {
    #[serde(deserialize_with = "integer")]
    priority: Option<i64>,
}

async fn set_priority(api: Api, Path(id): Path<String>, Body(dto): Body<PriorityDto>) -> Result<Response> {
    let priority = dto
        .priority
        .ok_or_else(|| RestError::invalid("Priority for job '".to_owned() + &id + "' cannot be null."))?;
    let target = JobTarget::Jobs(vec![api.ids.read(&id)]);
    act_on(&api, target, JobAction::Priority(priority)).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ManyRetriesDto {
    #[serde(deserialize_with = "texts")]
    job_ids: Option<Vec<String>>,
    job_query: Option<Json>,
    #[serde(deserialize_with = "integer")]
    retries: Option<i64>,
}

/// `POST /job/retries`: by a batch.
async fn retries_of_many(api: Api, Body(dto): Body<ManyRetriesDto>) -> Result<Response> {
    let retries = retries_of_batch(dto.retries)?;
    let query = dto.job_query.map(Params::of_json).transpose()?;
    let query = query.map(|params| select(&api, &params)).transpose()?;
    let mut jobs: std::collections::BTreeSet<Id> =
        dto.job_ids.into_iter().flatten().map(|id| api.ids.read(&id)).collect();
    if let Some(query) = query {
        jobs.extend(
            api.read(move |reader| query.ids(reader.connection, TARGETS_MAX))
                .await?,
        );
    }
    if jobs.is_empty() {
        return Err(none_meant(
            "ENGINE-13050 You must specify at least one of jobIds or jobQuery.",
        ));
    }
    let work = BatchWork::SetJobRetries(retries);
    Ok(ok(targets::start_batch(&api, work, jobs.into_iter().collect()).await?))
}

async fn set_retries(api: Api, Path(id): Path<String>, Body(dto): Body<RetriesDto>) -> Result<Response> {
    let retries = retries(dto.retries)?;
    let id = api.ids.read(&id);
    let set = api.run(Command::SetJobRetries { id, retries }).await;
    // Here alone Camunda answers 500 for a job that is not there.
    set.map_err(|error| match error.status {
        StatusCode::NOT_FOUND => RestError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InvalidRequestException",
            error.message,
        ),
        _ => error,
    })?;
    Ok(no_content())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DueDto {
    #[serde(deserialize_with = "text")]
    duedate: Option<String>,
}

async fn set_due(api: Api, Path(id): Path<String>, Body(dto): Body<DueDto>) -> Result<Response> {
    let due = match dto.duedate {
        None => None,
        Some(text) => {
            let refusal = || RestError::invalid(format!("Cannot set duedate to value '{text}'"));
            Some(date::parse(&text).ok_or_else(refusal)?)
        }
    };
    api.run(Command::SetJobDue {
        id: api.ids.read(&id),
        due,
    })
    .await?;
    Ok(no_content())
}

async fn stacktrace(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let job = api
        .read(move |reader| Select::<Job>::by_id(reader.connection, key))
        .await?;
    let job = job.ok_or_else(|| RestError::unknown(format!("No job found with id {id}")))?;
    let trace = job.exception_stacktrace.unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "text/plain")], trace).into_response())
}
