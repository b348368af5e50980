//! `/history/external-task-log`

use axum::response::IntoResponse;
use handoff_machine::row::{ExternalTaskLog, LogState};
use http::header;
use serde_json::{Value as Json, json};

use super::history;
use crate::rest::date;

const ORDERS: &[(&str, &str)] = &[
    ("timestamp", "time"),
    ("externalTaskId", "task"),
    ("topicName", "topic"),
    ("workerId", "worker"),
    ("taskPriority", "priority"),
    ("retries", "retries"),
    ("activityId", "activity"),
    ("activityInstanceId", "execution"),
    ("executionId", "execution"),
    ("processInstanceId", "instance"),
    ("processDefinitionId", "definition"),
    ("processDefinitionKey", "definition_key"),
    ("tenantId", "tenant"),
];

history!(
    "/history/external-task-log",
    ExternalTaskLog,
    ORDERS,
    "Historic external task log with id {} does not exist"
);

fn more() -> Router<Api> {
    Router::new().route("/history/external-task-log/{id}/error-details", get(error_details))
}

async fn error_details(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let row = api
        .read(move |reader| Select::<ExternalTaskLog>::by_id(reader.connection, key))
        .await?;
    let row = row.ok_or_else(|| RestError::unknown(format!("No historic external task log found with id {id}")))?;
    let details = row
        .task
        .error_details
        .filter(|_| row.state == LogState::Failed)
        .unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "text/plain")], details).into_response())
}

fn dto(reader: &Reader<'_>, row: &ExternalTaskLog, _: &Params) -> Result<Json> {
    let (ids, task) = (reader.ids, &row.task);
    let removal = reader.removal_time(row.removal_time, Some(task.instance))?;
    Ok(json!({
        "id": ids.text(row.id),
        "timestamp": date::format(row.time),
        "removalTime": removal.map(date::format),
        "externalTaskId": ids.text(task.id),
        "topicName": task.topic,
        "workerId": task.worker,
        "priority": task.priority,
        "retries": task.retries,
        "errorMessage": task.error_message.as_ref().filter(|_| row.state == LogState::Failed),
        "activityId": task.activity,
        "activityInstanceId": ids.activity(Some(task.entered()), task.execution),
        "executionId": ids.text(task.execution),
        "processInstanceId": ids.text(task.instance),
        "processDefinitionId": reader.definition_id(task.definition)?,
        "processDefinitionKey": task.definition_key,
        "tenantId": task.tenant,
        "rootProcessInstanceId": ids.text(row.root),
        "creationLog": row.state == LogState::Created,
        "failureLog": row.state == LogState::Failed,
        "successLog": row.state == LogState::Successful,
        "deletionLog": row.state == LogState::Deleted,
    }))
}

fn select(api: &Api, params: &Params) -> Result<Select<ExternalTaskLog>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.id("logId"))
        .with("task = ?", of.id("externalTaskId"))
        .with("topic = ?", of.text("topicName"))
        .with("worker = ?", of.text("workerId"))
        .with("log_state = 1 AND error_message = ?", of.text("errorMessage"))
        .within("activity IN (SELECT value FROM json_each(?))", of.list("activityIdIn")?)
        .within(
            "execution IN (SELECT value FROM json_each(?))",
            of.last_ids("activityInstanceIdIn")?,
        )
        .within(
            "execution IN (SELECT value FROM json_each(?))",
            of.ids("executionIdIn")?,
        )
        .with("instance = ?", of.id("processInstanceId"))
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with("definition_key = ?", of.text("processDefinitionKey"))
        .with("priority >= ?", of.integer("priorityHigherThanOrEquals")?)
        .with("priority <= ?", of.integer("priorityLowerThanOrEquals")?)
        .only_if(of.is("creationLog"), "log_state = 0")
        .only_if(of.is("failureLog"), "log_state = 1")
        .only_if(of.is("successLog"), "log_state = 2")
        .only_if(of.is("deletionLog"), "log_state = 3")
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    Ok(select)
}
