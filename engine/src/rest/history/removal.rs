//! Removing history: by hand, by batches, and by its time to live.

use axum::Router;
use axum::response::Response;
use axum::routing::{delete, get, post};
use handoff_machine::command::BatchWork;
use handoff_machine::{Command, Millis};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::rest::api::Api;
use crate::rest::body::{Body, flag, no_content, ok, text};
use crate::rest::date;
use crate::rest::error::{RestError, Result};
use crate::rest::path::Path;
use crate::rest::query::Params;
use crate::rest::targets::{InstancesDto, empty, start_batch};
use crate::service::CommandError;

/// The routes.
pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/history/process-instance/{id}", delete(delete_one))
        .route("/history/process-instance/delete", post(delete_many))
        .route("/history/process-instance/set-removal-time", post(set_removal_time))
        .route("/history/cleanup", post(clean_up))
        .route("/history/cleanup/job", get(job))
        .route("/history/cleanup/jobs", get(jobs))
        .route("/history/cleanup/configuration", get(configuration))
}

async fn delete_one(api: Api, Path(id): Path<String>, params: Params) -> Result<Response> {
    match api.submit_raw(Command::DeleteHistory(api.ids.read(&id))).await {
        Err(CommandError::Machine(handoff_machine::MachineError::NotFound { .. }))
            if params.flag("failIfNotExists") == Some(false) =>
        {
            Ok(no_content())
        }
        Ok(_) => Ok(no_content()),
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DeleteDto {
    #[serde(deserialize_with = "text")]
    #[allow(dead_code, reason = "Camunda takes it, and writes it nowhere either")]
    delete_reason: Option<String>,
    #[serde(flatten)]
    instances: InstancesDto,
}

async fn delete_many(api: Api, Body(dto): Body<DeleteDto>) -> Result<Response> {
    let instances = dto.instances.found(&api).await?;
    if instances.is_empty() {
        return Err(empty("historicProcessInstanceIds"));
    }
    Ok(ok(start_batch(&api, BatchWork::DeleteHistory, instances).await?))
}

/// When rows are to be removed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RemovalTime {
    #[serde(deserialize_with = "text")]
    absolute_removal_time: Option<String>,
    #[serde(deserialize_with = "flag")]
    cleared_removal_time: Option<bool>,
}

impl RemovalTime {
    /// The instant; none: never.
    ///
    /// # Errors
    /// 400: neither was said, or both, or no date.
    pub(super) fn read(&self) -> Result<Option<Millis>> {
        match (
            self.absolute_removal_time.as_deref(),
            self.cleared_removal_time.unwrap_or(false),
        ) {
            (Some(text), false) => {
                let refusal = || RestError::invalid(format!("absoluteRemovalTime '{text}' is no date"));
                Ok(Some(date::parse(text).ok_or_else(refusal)?))
            }
            (None, true) => Ok(None),
            _ => Err(RestError::of_engine(
                http::StatusCode::BAD_REQUEST,
                "BadUserRequestException",
                "Either absoluteRemovalTime or clearedRemovalTime must be set",
            )),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RemovalTimeDto {
    #[serde(flatten)]
    time: RemovalTime,
    #[serde(flatten)]
    instances: InstancesDto,
}

async fn set_removal_time(api: Api, Body(dto): Body<RemovalTimeDto>) -> Result<Response> {
    let time = dto.time.read()?;
    let instances = dto.instances.found(&api).await?;
    if instances.is_empty() {
        let status = http::StatusCode::BAD_REQUEST;
        return Err(RestError::of_engine(
            status,
            "BadUserRequestException",
            "Neither query nor ids provided.",
        ));
    }
    Ok(ok(start_batch(&api, BatchWork::SetRemovalTime(time), instances).await?))
}

/// The cleanup as a job, as clients know it: it is done by the engine's own worker, and has no row.
fn cleanup_job(api: &Api) -> Json {
    let due = api.engine.next_cleanup();
    json!({
        "id": "history-cleanup",
        "jobDefinitionId": null,
        "processInstanceId": null,
        "processDefinitionId": null,
        "processDefinitionKey": null,
        "executionId": null,
        "exceptionMessage": null,
        "failedActivityId": null,
        "retries": 3,
        "dueDate": date::format(due),
        "suspended": false,
        "priority": 0,
        "tenantId": null,
        "createTime": date::format(due),
        "batchId": null,
    })
}

/// `POST /history/cleanup?immediatelyDue=true`: looks at once for what has had its time.
async fn clean_up(api: Api, params: Params) -> Result<Response> {
    if params.flag("immediatelyDue").unwrap_or(true) {
        api.engine.clean_up_now();
    }
    Ok(ok(cleanup_job(&api)))
}

async fn job(api: Api) -> Result<Response> {
    Ok(ok(cleanup_job(&api)))
}

async fn jobs(api: Api) -> Result<Response> {
    Ok(ok(json!([cleanup_job(&api)])))
}

/// There is no window of time: it runs in small steps whenever something has had its time.
async fn configuration(api: Api) -> Result<Response> {
    Ok(ok(json!({
        "batchWindowStartTime": null,
        "batchWindowEndTime": null,
        "enabled": api.engine.cleans_up(),
    })))
}
