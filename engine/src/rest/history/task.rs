//! `/history/task`

use handoff_machine::row::HistoricTask;
use serde_json::{Value as Json, json};

use super::history;
use crate::rest::date;

const ORDERS: &[(&str, &str)] = &[
    ("taskId", "id"),
    ("activityInstanceID", "execution"),
    ("processDefinitionId", "definition"),
    ("processInstanceId", "instance"),
    ("executionId", "execution"),
    ("duration", "end_time - created"),
    ("endTime", "end_time"),
    ("startTime", "created"),
    ("taskName", "name"),
    ("taskDescription", "description"),
    ("assignee", "assignee"),
    ("owner", "owner"),
    ("dueDate", "due"),
    ("followUpDate", "follow_up"),
    ("deleteReason", "delete_reason"),
    ("taskDefinitionKey", "activity"),
    ("priority", "priority"),
    ("tenantId", "tenant"),
];

history!(
    "/history/task",
    HistoricTask,
    ORDERS,
    "Historic task with id {} does not exist"
);

fn more() -> Router<Api> {
    Router::new()
}

fn dto(reader: &Reader<'_>, row: &HistoricTask, _: &Params) -> Result<Json> {
    let (ids, task) = (reader.ids, &row.task);
    let removal = reader.removal_time(row.removal_time, task.instance())?;
    let state = match (&row.end_time, row.delete_reason.as_deref()) {
        (None, _) if task.updated.is_some() => "Updated",
        (None, _) => "Created",
        (Some(_), None | Some("completed")) => "Completed",
        (Some(_), Some(_)) => "Deleted",
    };
    Ok(json!({
        "id": ids.text(task.id),
        "processDefinitionKey": row.definition_key,
        "processDefinitionId": reader.definition_id_opt(task.definition())?,
        "processInstanceId": ids.json_opt(task.instance()),
        "executionId": ids.json_opt(task.execution()),
        "caseDefinitionKey": null,
        "caseDefinitionId": null,
        "caseInstanceId": null,
        "caseExecutionId": null,
        "activityInstanceId": task.place.as_ref().map(|place| ids.activity(Some(place.entered()), place.execution)),
        "name": task.name,
        "description": task.description,
        "deleteReason": row.delete_reason,
        "owner": task.owner,
        "assignee": task.assignee,
        "startTime": date::format(task.created),
        "endTime": row.end_time.map(date::format),
        "duration": row.end_time.map(|end| end - task.created),
        "taskDefinitionKey": task.activity(),
        "priority": task.priority,
        "due": task.due.map(date::format),
        "parentTaskId": ids.json_opt(task.parent),
        "followUp": task.follow_up.map(date::format),
        "tenantId": task.tenant,
        "removalTime": removal.map(date::format),
        "rootProcessInstanceId": ids.json_opt(row.root),
        "taskState": state,
    }))
}

fn select(api: &Api, params: &Params) -> Result<Select<HistoricTask>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.id("taskId"))
        .with("instance = ?", of.id("processInstanceId"))
        .with("root = ?", of.id("rootProcessInstanceId"))
        .with(
            "instance IN (SELECT id FROM historic_instance WHERE business_key = ?)",
            of.text("processInstanceBusinessKey"),
        )
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with("definition_key = ?", of.text("processDefinitionKey"))
        .with("execution = ?", of.id("executionId"))
        .within(
            "execution IN (SELECT value FROM json_each(?))",
            of.last_ids("activityInstanceIdIn")?,
        )
        .with("name = ?", of.text("taskName"))
        .with("name GLOB ?", of.pattern("taskNameLike"))
        .with("activity = ?", of.text("taskDefinitionKey"))
        .within(
            "activity IN (SELECT value FROM json_each(?))",
            of.list("taskDefinitionKeyIn")?,
        )
        .with("assignee = ?", of.text("taskAssignee"))
        .with("assignee GLOB ?", of.pattern("taskAssigneeLike"))
        .with("owner = ?", of.text("taskOwner"))
        .with("priority = ?", of.integer("taskPriority")?)
        .with("delete_reason = ?", of.text("taskDeleteReason"))
        .only_if(of.is("assigned"), "assignee IS NOT NULL")
        .only_if(of.is("unassigned"), "assignee IS NULL")
        .only_if(of.is("finished"), "end_time IS NOT NULL")
        .only_if(of.is("unfinished"), "end_time IS NULL")
        .only_if(
            of.is("processFinished"),
            "instance IN (SELECT id FROM historic_instance WHERE end_time IS NOT NULL)",
        )
        .only_if(
            of.is("processUnfinished"),
            "instance IN (SELECT id FROM historic_instance WHERE end_time IS NULL)",
        )
        .with("created <= ?", of.instant("startedBefore")?)
        .with("created >= ?", of.instant("startedAfter")?)
        .with("end_time <= ?", of.instant("finishedBefore")?)
        .with("end_time >= ?", of.instant("finishedAfter")?)
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    Ok(select)
}
