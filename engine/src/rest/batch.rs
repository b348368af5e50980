//! `/batch`

use axum::Router;
use axum::response::Response;
use axum::routing::{get, put};
use handoff_machine::Command;
use handoff_machine::error::Entity;
use handoff_machine::row::Batch;
use handoff_machine::{Id, MachineError};
use serde::Deserialize;
use serde_json::Value as Json;

use super::api::Api;
use super::body::{Body, count, flag, no_content, ok};
use super::error::{RestError, Result};
use super::path::Path;
use super::query::{Criteria, Params, Select};
use super::reader::Reader;
use super::targets::batch_dto;
use crate::service::CommandError;

const ORDERS: &[(&str, &str)] = &[("batchId", "id"), ("tenantId", "tenant"), ("startTime", "start_time")];

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/batch", get(list))
        .route("/batch/count", get(count_all))
        .route("/batch/statistics", get(statistics))
        .route("/batch/statistics/count", get(count_all))
        .route("/batch/{id}", get(one).delete(delete))
        .route("/batch/{id}/suspended", put(suspend))
}

fn select(api: &Api, params: &Params) -> Result<Select<Batch>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.id("batchId"))
        .with("kind = ?", of.text("type"))
        .with("suspended = ?", of.flag("suspended").map(i64::from))
        .with("user = ?", of.text("createdBy"))
        .with("start_time < ?", of.instant("startedBefore")?)
        .with("start_time > ?", of.instant("startedAfter")?)
        .only_if(
            of.is("withFailures"),
            "EXISTS (SELECT 1 FROM job WHERE job.batch = batch.id AND job.retries = 0)",
        )
        .only_if(
            of.is("withoutFailures"),
            "NOT EXISTS (SELECT 1 FROM job WHERE job.batch = batch.id AND job.retries = 0)",
        )
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    Ok(select)
}

async fn list(api: Api, params: Params) -> Result<Response> {
    answer(api, params, |reader, batch| Ok(batch_dto(reader.ids, batch))).await
}

async fn statistics(api: Api, params: Params) -> Result<Response> {
    answer(api, params, statistics_dto).await
}

async fn answer(
    api: Api,
    params: Params,
    dto: impl Fn(&Reader<'_>, &Batch) -> Result<Json> + Send + 'static,
) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged(&params, ORDERS)?;
    let batches = api.read(move |reader| {
        let rows = select.rows(reader.connection)?;
        rows.iter().map(|batch| dto(reader, batch)).collect::<Result<Vec<_>>>()
    });
    Ok(ok(batches.await?))
}

/// How far it is: jobs that have not been made yet remain too.
fn statistics_dto(reader: &Reader<'_>, batch: &Batch) -> Result<Json> {
    let sql = "SELECT count(*), ifnull(sum(retries = 0), 0) FROM job WHERE batch = ? AND kind = 6";
    let (open, failed): (i64, i64) = reader
        .connection
        .prepare_cached(sql)?
        .query_row([batch.id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let remaining = i64::from(batch.total_jobs - batch.jobs_created) + open;
    let mut dto = batch_dto(reader.ids, batch);
    if let Json::Object(fields) = &mut dto {
        fields.insert("remainingJobs".into(), remaining.into());
        fields.insert("completedJobs".into(), (i64::from(batch.total_jobs) - remaining).into());
        fields.insert("failedJobs".into(), failed.into());
    }
    Ok(dto)
}

async fn count_all(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

fn unknown(id: &str) -> RestError {
    RestError::unknown(format!("Batch with id '{id}' does not exist"))
}

async fn one(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let batch = api.read(move |reader| Select::<Batch>::by_id(reader.connection, key));
    let batch = batch.await?.ok_or_else(|| unknown(&id))?;
    Ok(ok(batch_dto(api.ids, &batch)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SuspendDto {
    #[serde(deserialize_with = "flag")]
    suspended: Option<bool>,
}

async fn suspend(api: Api, Path(id): Path<String>, Body(dto): Body<SuspendDto>) -> Result<Response> {
    let suspended = dto.suspended.unwrap_or(false);
    act(&api, |id| Command::SuspendBatch { id, suspended }, &id)
        .await
        .map_err(|error| match error.status {
            // Camunda says 400 here, and 404 where it deletes.
            http::StatusCode::NOT_FOUND => RestError::of_engine(
                http::StatusCode::BAD_REQUEST,
                "InvalidRequestException",
                format!(
                    "Unable to {} batch with id '{id}'",
                    if suspended { "suspend" } else { "activate" }
                ),
            ),
            _ => error,
        })
}

async fn delete(api: Api, Path(id): Path<String>, params: Params) -> Result<Response> {
    let cascade = params.is("cascade");
    act(&api, |id| Command::DeleteBatch { id, cascade }, &id)
        .await
        .map_err(|error| match error.status {
            http::StatusCode::NOT_FOUND => RestError::of_engine(
                http::StatusCode::BAD_REQUEST,
                "InvalidRequestException",
                format!("Unable to delete batch with id '{id}'"),
            ),
            _ => error,
        })
}

async fn act(api: &Api, command: impl Fn(Id) -> Command, text: &str) -> Result<Response> {
    match api.submit_raw(command(api.ids.read(text))).await {
        Ok(_) => Ok(no_content()),
        Err(CommandError::Machine(MachineError::NotFound {
            kind: Entity::Batch, ..
        })) => Err(unknown(text)),
        Err(error) => Err(error.into()),
    }
}
