//! `/history/activity-instance`

use handoff_machine::row::HistoricActivity;
use serde_json::{Value as Json, json};

use super::history;
use crate::rest::date;

const ORDERS: &[(&str, &str)] = &[
    ("activityInstanceId", "id"),
    ("instanceId", "instance"),
    ("executionId", "id"),
    ("activityId", "activity"),
    ("activityName", "activity_name"),
    ("activityType", "activity_type"),
    ("startTime", "start_time"),
    ("endTime", "end_time"),
    ("duration", "end_time - start_time"),
    ("definitionId", "definition"),
    ("occurrence", "id"),
    ("tenantId", "tenant"),
];

history!(
    "/history/activity-instance",
    HistoricActivity,
    ORDERS,
    "Historic activity instance with id '{}' does not exist"
);

fn more() -> Router<Api> {
    Router::new()
}

fn dto(reader: &Reader<'_>, row: &HistoricActivity, _: &Params) -> Result<Json> {
    let ids = reader.ids;
    let removal = reader.removal_time(row.removal_time, Some(row.instance))?;
    Ok(json!({
        "id": ids.activity(Some(row.entered()), row.id),
        "parentActivityInstanceId": ids.activity(row.parent_activity.as_deref(), row.parent),
        "activityId": row.activity,
        "activityName": row.activity_name,
        "activityType": row.activity_type,
        "processDefinitionKey": row.definition_key,
        "processDefinitionId": reader.definition_id(row.definition)?,
        "processInstanceId": ids.text(row.instance),
        "executionId": ids.text(row.id),
        "taskId": ids.json_opt(row.task),
        "calledProcessInstanceId": ids.json_opt(row.called_instance),
        "calledCaseInstanceId": null,
        "assignee": row.assignee,
        "startTime": date::format(row.start_time),
        "endTime": row.end_time.map(date::format),
        "durationInMillis": row.end_time.map(|end| end - row.start_time),
        "canceled": row.canceled,
        "completeScope": row.complete_scope,
        "tenantId": row.tenant,
        "removalTime": removal.map(date::format),
        "rootProcessInstanceId": ids.text(row.root),
    }))
}

fn select(api: &Api, params: &Params) -> Result<Select<HistoricActivity>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.last_id("activityInstanceId"))
        .with("instance = ?", of.id("processInstanceId"))
        .within(
            "instance IN (SELECT value FROM json_each(?))",
            of.ids("processInstanceIdIn")?,
        )
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with("id = ?", of.id("executionId"))
        .with("activity = ?", of.text("activityId"))
        .within("activity IN (SELECT value FROM json_each(?))", of.list("activityIdIn")?)
        .with("activity_name = ?", of.text("activityName"))
        .with("activity_name GLOB ?", of.pattern("activityNameLike"))
        .with("activity_type = ?", of.text("activityType"))
        .with("assignee = ?", of.text("taskAssignee"))
        .only_if(of.is("finished"), "end_time IS NOT NULL")
        .only_if(of.is("unfinished"), "end_time IS NULL")
        .only_if(of.is("canceled"), "canceled <> 0")
        .only_if(of.is("completeScope"), "complete_scope <> 0")
        .with("start_time <= ?", of.instant("startedBefore")?)
        .with("start_time >= ?", of.instant("startedAfter")?)
        .with("end_time <= ?", of.instant("finishedBefore")?)
        .with("end_time >= ?", of.instant("finishedAfter")?)
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    Ok(select)
}
