//! Queries for external tasks.

use axum::response::{IntoResponse, Response};
use handoff_machine::row::ExternalTask;
use http::{StatusCode, header};
use serde_json::Value as Json;

use super::dto;
use crate::rest::api::Api;
use crate::rest::body::{count, no_content, ok};
use crate::rest::error::{RestError, Result};
use crate::rest::path::Path;
use crate::rest::query::{Criteria, Params, PostParams, Select, VariableTable, by_variables, variable_table};
use crate::rest::reader::Reader;

const PROCESS_VARIABLES: VariableTable = variable_table!("variable v WHERE v.scope = external_task.instance");

const ORDERS: &[(&str, &str)] = &[
    ("id", "external_task.id"),
    ("lockExpirationTime", "external_task.lock_expiration"),
    ("processInstanceId", "external_task.instance"),
    ("processDefinitionId", "external_task.definition"),
    ("processDefinitionKey", "external_task.definition_key"),
    ("taskPriority", "external_task.priority"),
    ("createTime", "external_task.created"),
    ("tenantId", "external_task.tenant"),
];

/// `GET /external-task`
pub(super) async fn by_get(api: Api, params: Params) -> Result<Response> {
    list(api, params).await
}

/// `POST /external-task`
pub(super) async fn by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
    list(api, params).await
}

/// `GET /external-task/count`
pub(super) async fn count_by_get(api: Api, params: Params) -> Result<Response> {
    count_all(api, params).await
}

/// `POST /external-task/count`
pub(super) async fn count_by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
    count_all(api, params).await
}

async fn list(api: Api, params: Params) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged(&params, ORDERS)?;
    let tasks = api.read(move |reader| {
        select
            .rows(reader.connection)?
            .iter()
            .map(|task| shown(reader, task))
            .collect::<Result<Vec<_>>>()
    });
    Ok(ok(tasks.await?))
}

async fn count_all(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

fn shown(reader: &Reader<'_>, task: &ExternalTask) -> Result<Json> {
    let definition = reader.definition(task.definition)?;
    Ok(dto::listed(reader.ids, task, definition.as_ref()))
}

/// `GET /external-task/{id}`
pub(super) async fn one(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let task = api.read(
        move |reader| match Select::<ExternalTask>::by_id(reader.connection, key)? {
            Some(task) => shown(reader, &task).map(Some),
            None => Ok(None),
        },
    );
    let unknown = || {
        let message = format!("External task with id {id} does not exist");
        RestError::new(StatusCode::NOT_FOUND, "RestException", message)
    };
    task.await?.map(ok).ok_or_else(unknown)
}

/// `GET /external-task/{id}/errorDetails`: plain text, 204 where there are none.
pub(super) async fn error_details(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let task = api
        .read(move |reader| Select::<ExternalTask>::by_id(reader.connection, key))
        .await?;
    let task = task.ok_or_else(|| super::act::unknown(&id))?;
    Ok(match task.error_details {
        Some(details) => ([(header::CONTENT_TYPE, "text/plain")], details).into_response(),
        None => no_content(),
    })
}

/// `GET /external-task/topic-names`
pub(super) async fn topic_names(api: Api, params: Params) -> Result<Response> {
    let mut select = Select::<ExternalTask>::new();
    let now = api.engine.now();
    select.with("lock_expiration > ?", params.is("withLockedTasks").then_some(now));
    select.with(
        "(lock_expiration IS NULL OR lock_expiration <= ?)",
        params.is("withUnlockedTasks").then_some(now),
    );
    select.only_if(params.is("withRetriesLeft"), "(retries IS NULL OR retries > 0)");
    Ok(ok(api
        .read(move |reader| select.distinct(reader.connection, "topic"))
        .await?))
}

pub(super) fn select(api: &Api, params: &Params) -> Result<Select<ExternalTask>> {
    let of = Criteria::new(params, api.ids);
    let now = api.engine.now();
    let mut select = Select::new();
    select
        .with("id = ?", of.id("externalTaskId"))
        .within("id IN (SELECT value FROM json_each(?))", of.ids("externalTaskIdIn")?)
        .with("activity = ?", of.text("activityId"))
        .within("activity IN (SELECT value FROM json_each(?))", of.list("activityIdIn")?)
        .with("lock_expiration < ?", of.instant("lockExpirationBefore")?)
        .with("lock_expiration > ?", of.instant("lockExpirationAfter")?)
        .with("topic = ?", of.text("topicName"))
        .with("lock_expiration > ?", of.is("locked").then_some(now))
        .with(
            "(lock_expiration IS NULL OR lock_expiration <= ?)",
            of.is("notLocked").then_some(now),
        )
        .with(
            "(instance, execution) = (SELECT instance, id FROM execution WHERE id = ?)",
            of.id("executionId"),
        )
        .with("instance = ?", of.id("processInstanceId"))
        .within(
            "instance IN (SELECT value FROM json_each(?))",
            of.ids("processInstanceIdIn")?,
        )
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with("definition_key = ?", of.text("processDefinitionKey"))
        .within(
            "definition_key IN (SELECT value FROM json_each(?))",
            of.list("processDefinitionKeyIn")?,
        )
        .with(
            "definition IN (SELECT id FROM definition WHERE name = ?)",
            of.text("processDefinitionName"),
        )
        .with(
            "definition IN (SELECT id FROM definition WHERE name GLOB ?)",
            of.pattern("processDefinitionNameLike"),
        )
        .only_if(of.is("active"), "suspended = 0")
        .only_if(of.is("suspended"), "suspended <> 0")
        .only_if(of.is("withRetriesLeft"), "(retries IS NULL OR retries > 0)")
        .only_if(of.is("noRetriesLeft"), "retries = 0")
        .with("worker = ?", of.text("workerId"))
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL")
        .with("priority >= ?", of.integer("priorityHigherThanOrEquals")?)
        .with("priority <= ?", of.integer("priorityLowerThanOrEquals")?);
    by_variables(&mut select, params, "processVariables", PROCESS_VARIABLES)?;
    Ok(select)
}
