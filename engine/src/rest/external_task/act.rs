//! What a worker does with one external task. Unknown tasks are 404, tasks of another worker 400.

use axum::response::Response;
use handoff_machine::command::{BatchWork, ExternalTaskAction as Action};
use handoff_machine::error::Entity;
use handoff_machine::{Command, Id, MachineError};
use http::StatusCode;
use serde::Deserialize;

use super::fetch::{engine_error, null};
use crate::rest::api::Api;
use crate::rest::body::{Body, integer, no_content, ok, text, texts};
use crate::rest::error::{RestError, Result};
use crate::rest::id::NOBODY;
use crate::rest::path::Path;
use crate::rest::query::{Params, Select};
use crate::rest::targets::{self, InstancesDto, TARGETS_MAX, do_at_once};
use crate::rest::variables::{VariablesDto, inputs};

/// The most tasks whose retries are set by one call.
const MANY_MAX: usize = 10_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct CompleteDto {
    #[serde(deserialize_with = "text")]
    worker_id: Option<String>,
    variables: VariablesDto,
    local_variables: VariablesDto,
}

/// `POST /external-task/{id}/complete`
pub(super) async fn complete(api: Api, Path(id): Path<String>, Body(dto): Body<CompleteDto>) -> Result<Response> {
    let (variables, local_variables) = (inputs(&dto.variables)?, inputs(&dto.local_variables)?);
    let worker = dto.worker_id.ok_or_else(|| null("workerId"))?;
    act(
        &api,
        &id,
        Action::Complete {
            worker,
            variables,
            local_variables,
        },
    )
    .await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct FailureDto {
    #[serde(deserialize_with = "text")]
    worker_id: Option<String>,
    #[serde(deserialize_with = "text")]
    error_message: Option<String>,
    #[serde(deserialize_with = "text")]
    error_details: Option<String>,
    #[serde(deserialize_with = "integer")]
    retries: Option<i64>,
    #[serde(deserialize_with = "integer")]
    retry_timeout: Option<i64>,
    variables: VariablesDto,
    local_variables: VariablesDto,
}

/// `POST /external-task/{id}/failure`. Retries that are left out are 0, as in Camunda: an incident at once.
pub(super) async fn fail(api: Api, Path(id): Path<String>, Body(dto): Body<FailureDto>) -> Result<Response> {
    let (variables, local_variables) = (inputs(&dto.variables)?, inputs(&dto.local_variables)?);
    let worker = dto.worker_id.ok_or_else(|| null("workerId"))?;
    let retries = narrow(dto.retries.unwrap_or(0));
    let retry_timeout = dto.retry_timeout.unwrap_or(0);
    if retries < 0 {
        return Err(engine_error("retries is not greater than or equal to 0"));
    }
    if retry_timeout < 0 {
        return Err(engine_error("retryDuration is not greater than or equal to 0"));
    }
    let (message, details) = (dto.error_message, dto.error_details);
    act(
        &api,
        &id,
        Action::Fail {
            worker,
            message,
            details,
            retries,
            retry_timeout,
            variables,
            local_variables,
        },
    )
    .await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct BpmnErrorDto {
    #[serde(deserialize_with = "text")]
    worker_id: Option<String>,
    #[serde(deserialize_with = "text")]
    error_code: Option<String>,
    #[serde(deserialize_with = "text")]
    error_message: Option<String>,
    variables: VariablesDto,
}

/// `POST /external-task/{id}/bpmnError`
pub(super) async fn bpmn_error(api: Api, Path(id): Path<String>, Body(dto): Body<BpmnErrorDto>) -> Result<Response> {
    let variables = inputs(&dto.variables)?;
    let worker = dto.worker_id.ok_or_else(|| null("workerId"))?;
    let code = dto.error_code.ok_or_else(|| null("errorCode"))?;
    act(
        &api,
        &id,
        Action::BpmnError {
            worker,
            code,
            message: dto.error_message,
            variables,
        },
    )
    .await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LockDto {
    #[serde(deserialize_with = "text")]
    worker_id: Option<String>,
    #[serde(deserialize_with = "integer")]
    lock_duration: Option<i64>,
    #[serde(deserialize_with = "integer")]
    new_duration: Option<i64>,
}

/// `POST /external-task/{id}/lock`
pub(super) async fn lock(api: Api, Path(id): Path<String>, Body(dto): Body<LockDto>) -> Result<Response> {
    let worker = dto.worker_id.ok_or_else(|| null("workerId"))?;
    let duration = positive(dto.lock_duration, "lockDuration is not greater than 0")?;
    act(&api, &id, Action::Lock { worker, duration }).await
}

/// `POST /external-task/{id}/extendLock`
pub(super) async fn extend_lock(api: Api, Path(id): Path<String>, Body(dto): Body<LockDto>) -> Result<Response> {
    let worker = dto.worker_id.ok_or_else(|| null("workerId"))?;
    let duration = positive(dto.new_duration, "lockTime is not greater than 0")?;
    act(&api, &id, Action::ExtendLock { worker, duration }).await
}

fn positive(duration: Option<i64>, message: &str) -> Result<i64> {
    let refusal = || RestError::of_engine(StatusCode::BAD_REQUEST, "RestException", message);
    duration.filter(|duration| *duration > 0).ok_or_else(refusal)
}

/// `POST /external-task/{id}/unlock`. Clients send no body, an empty one, or `null`: it is not read.
pub(super) async fn unlock(api: Api, Path(id): Path<String>) -> Result<Response> {
    act(&api, &id, Action::Unlock).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RetriesDto {
    #[serde(deserialize_with = "integer")]
    retries: Option<i64>,
    #[serde(deserialize_with = "texts")]
    external_task_ids: Option<Vec<String>>,
}

impl RetriesDto {
    fn checked(&self) -> Result<i32> {
        let retries = self
            .retries
            .ok_or_else(|| RestError::invalid("The number of retries cannot be null."))?;
        if retries < 0 {
            return Err(RestError::of_engine(
                StatusCode::BAD_REQUEST,
                "BadUserRequestException",
                "The number of retries cannot be negative: retries is not greater than or equal to 0",
            ));
        }
        Ok(narrow(retries))
    }
}

/// `PUT /external-task/{id}/retries`
pub(super) async fn set_retries(api: Api, Path(id): Path<String>, Body(dto): Body<RetriesDto>) -> Result<Response> {
    act(&api, &id, Action::SetRetries(dto.checked()?)).await
}

/// `PUT /external-task/retries`: of all of them, or of none.
pub(super) async fn set_retries_of_many(api: Api, Body(dto): Body<RetriesDto>) -> Result<Response> {
    let retries = dto.checked().map_err(|error| RestError::invalid(error.message))?;
    let ids = dto.external_task_ids.unwrap_or_default();
    if ids.is_empty() {
        return Err(targets::empty("externalTaskIds"));
    }
    if ids.len() > MANY_MAX {
        return Err(RestError::invalid(format!(
            "externalTaskIds must list between 1 and {MANY_MAX} tasks"
        )));
    }
    let tasks: Vec<Id> = ids.iter().map(|id| api.ids.read(id)).collect();
    let looked_up = tasks.clone();
    let missing = api
        .read(move |reader| {
            for (at, id) in looked_up.iter().enumerate() {
                if Select::<handoff_machine::row::ExternalTask>::by_id(reader.connection, *id)?.is_none() {
                    return Ok(Some(at));
                }
            }
            Ok(None)
        })
        .await?;
    if let Some(id) = missing.and_then(|at| ids.get(at)) {
        return Err(RestError::unknown(format!(
            "Cannot find external task with id {id}: externalTask is null"
        )));
    }
    do_at_once(&api, BatchWork::SetExternalTaskRetries(retries), tasks).await?;
    Ok(no_content())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ManyDto {
    #[serde(deserialize_with = "integer")]
    retries: Option<i64>,
    #[serde(deserialize_with = "texts")]
    external_task_ids: Option<Vec<String>>,
    external_task_query: Option<serde_json::Value>,
    #[serde(flatten)]
    instances: InstancesDto,
}

/// `POST /external-task/retries-async`: by a batch.
pub(super) async fn set_retries_by_batch(api: Api, Body(dto): Body<ManyDto>) -> Result<Response> {
    let retries = RetriesDto {
        retries: dto.retries,
        external_task_ids: None,
    };
    let retries = retries.checked()?;
    let named = dto.external_task_ids.is_some() || dto.external_task_query.is_some();
    let query = dto.external_task_query.map(Params::of_json).transpose()?;
    let query = query.map(|params| super::list::select(&api, &params)).transpose()?;
    let instances = match dto.instances.resolve(&api).await {
        Ok(instances) => instances,
        Err(_) if named => Vec::new(),
        Err(_) => return Err(targets::empty("externalTaskIds")),
    };
    let mut tasks: std::collections::BTreeSet<Id> = dto
        .external_task_ids
        .into_iter()
        .flatten()
        .map(|id| api.ids.read(&id))
        .collect();
    tasks.extend(
        api.read(move |reader| {
            let mut found = Vec::new();
            if let Some(query) = query {
                found.extend(query.ids(reader.connection, TARGETS_MAX)?);
            }
            let mut of = Select::<handoff_machine::row::ExternalTask>::new();
            of.within(
                "instance IN (SELECT value FROM json_each(?))",
                Some(instances.iter().map(|id| id.0).collect()),
            );
            found.extend(of.ids(reader.connection, TARGETS_MAX)?);
            Ok(found)
        })
        .await?,
    );
    if tasks.is_empty() {
        return Err(targets::empty("externalTaskIds"));
    }
    let work = BatchWork::SetExternalTaskRetries(retries);
    Ok(ok(targets::start_batch(&api, work, tasks.into_iter().collect()).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PriorityDto {
    #[serde(deserialize_with = "integer")]
    priority: Option<i64>,
}

/// `PUT /external-task/{id}/priority`
pub(super) async fn set_priority(api: Api, Path(id): Path<String>, Body(dto): Body<PriorityDto>) -> Result<Response> {
    let priority = dto
        .priority
        .ok_or_else(|| RestError::invalid("The priority cannot be null."))?;
    act(&api, &id, Action::SetPriority(priority)).await
}

async fn act(api: &Api, text: &str, action: Action) -> Result<Response> {
    let id = api.ids.read(text);
    if id == NOBODY {
        return Err(unknown(text));
    }
    let result = api.submit_raw(Command::ExternalTask { id, action }).await;
    result.map(|_| no_content()).map_err(|error| match error {
        crate::service::CommandError::Machine(error) => refusal(error, id, text),
        error => error.into(),
    })
}

/// Camunda wraps what it refuses here into a `RestException`, and only here.
fn refusal(error: MachineError, id: Id, text: &str) -> RestError {
    debug_assert!(id != NOBODY, "an id that is none is refused before");
    match error {
        MachineError::NotFound {
            kind: Entity::ExternalTask,
            ..
        } => unknown(text),
        MachineError::NotFound { message, .. } => RestError::of_engine(StatusCode::NOT_FOUND, "RestException", message),
        error @ (MachineError::BadUserRequest(_) | MachineError::Suspended(_) | MachineError::NotLockHolder(_)) => {
            RestError::from(error).into_kind("RestException")
        }
        error => error.into(),
    }
}

/// 404; the code is 0, for the engine raises it.
pub(super) fn unknown(id: &str) -> RestError {
    let message = format!("External task with id {id} does not exist");
    RestError::of_engine(StatusCode::NOT_FOUND, "RestException", message)
}

/// Java's `int`, at whose ends larger numbers end.
fn narrow(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}
