//! `/history/user-operation`: what authenticated users did.

use axum::routing::put;
use handoff_machine::Command;
use handoff_machine::row::UserOperation;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::history;
use crate::rest::body::{Body, no_content, text};
use crate::rest::date;

const ORDERS: &[(&str, &str)] = &[("timestamp", "time")];

history!(
    "/history/user-operation",
    UserOperation,
    ORDERS,
    "User operation log entry with id {} does not exist"
);

fn more() -> Router<Api> {
    Router::new()
        .route("/history/user-operation/{id}/set-annotation", put(annotate))
        .route("/history/user-operation/{id}/clear-annotation", put(clear_annotation))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AnnotationDto {
    #[serde(deserialize_with = "text")]
    annotation: Option<String>,
}

/// `PUT …/{operationId}/set-annotation`: of all properties of the operation.
async fn annotate(api: Api, Path(id): Path<String>, Body(dto): Body<AnnotationDto>) -> Result<Response> {
    set_annotation(&api, &id, dto.annotation).await
}

async fn clear_annotation(api: Api, Path(id): Path<String>) -> Result<Response> {
    set_annotation(&api, &id, None).await
}

async fn set_annotation(api: &Api, id: &str, annotation: Option<String>) -> Result<Response> {
    let operation = api.ids.read(id);
    api.run(Command::AnnotateOperation { operation, annotation }).await?;
    Ok(no_content())
}

fn dto(reader: &Reader<'_>, row: &UserOperation, _: &Params) -> Result<Json> {
    let ids = reader.ids;
    let removal = reader.removal_time(row.removal_time, row.instance)?;
    Ok(json!({
        "id": ids.text(row.id),
        "deploymentId": ids.json_opt(row.deployment),
        "processDefinitionId": reader.definition_id_opt(row.definition)?,
        "processDefinitionKey": row.definition_key,
        "processInstanceId": ids.json_opt(row.instance),
        "executionId": ids.json_opt(row.execution),
        "caseDefinitionId": null,
        "caseInstanceId": null,
        "caseExecutionId": null,
        "taskId": ids.json_opt(row.task),
        "jobId": ids.json_opt(row.job),
        "jobDefinitionId": ids.json_opt(row.job_definition),
        "batchId": ids.json_opt(row.batch),
        "userId": row.user,
        "timestamp": date::format(row.time),
        "operationId": ids.text(row.operation),
        "externalTaskId": ids.json_opt(row.external_task),
        "operationType": row.operation_type,
        "entityType": row.entity_type,
        "property": row.property,
        "orgValue": row.old_value,
        "newValue": row.new_value,
        "removalTime": removal.map(date::format),
        "rootProcessInstanceId": ids.json_opt(row.root),
        "category": row.category,
        "annotation": row.annotation,
        "tenantId": row.tenant,
    }))
}

fn select(api: &Api, params: &Params) -> Result<Select<UserOperation>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("deployment = ?", of.id("deploymentId"))
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with("definition_key = ?", of.text("processDefinitionKey"))
        .with("instance = ?", of.id("processInstanceId"))
        .with("execution = ?", of.id("executionId"))
        .with("task = ?", of.id("taskId"))
        .with("job = ?", of.id("jobId"))
        .with("job_definition = ?", of.id("jobDefinitionId"))
        .with("batch = ?", of.id("batchId"))
        .with("external_task = ?", of.id("externalTaskId"))
        .with("user = ?", of.text("userId"))
        .with("operation = ?", of.id("operationId"))
        .with("operation_type = ?", of.text("operationType"))
        .with("entity_type = ?", of.text("entityType"))
        .within(
            "entity_type IN (SELECT value FROM json_each(?))",
            of.list("entityTypeIn")?,
        )
        .with("category = ?", of.text("category"))
        .within("category IN (SELECT value FROM json_each(?))", of.list("categoryIn")?)
        .with("property = ?", of.text("property"))
        .with("time >= ?", of.instant("afterTimestamp")?)
        .with("time <= ?", of.instant("beforeTimestamp")?)
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    Ok(select)
}
