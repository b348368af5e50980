//! `/history/process-instance`

use handoff_machine::row::{HistoricInstance, InstanceState};
use serde_json::{Value as Json, json};

use super::history;
use crate::rest::date;
use crate::rest::query::{VariableTable, by_variables, variable_table};

const VARIABLES: VariableTable =
    variable_table!("historic_variable v WHERE v.scope = historic_instance.id AND v.deleted = 0");

const ORDERS: &[(&str, &str)] = &[
    ("instanceId", "id"),
    ("definitionId", "definition"),
    ("definitionKey", "definition_key"),
    (
        "definitionName",
        "(SELECT name FROM definition WHERE definition.id = historic_instance.definition)",
    ),
    (
        "definitionVersion",
        "(SELECT version FROM definition WHERE definition.id = historic_instance.definition)",
    ),
    ("businessKey", "business_key"),
    ("startTime", "start_time"),
    ("endTime", "end_time"),
    ("duration", "end_time - start_time"),
    ("tenantId", "tenant"),
];

history!(
    "/history/process-instance",
    HistoricInstance,
    ORDERS,
    "Historic process instance with id {} does not exist"
);

fn more() -> Router<Api> {
    Router::new()
}

fn dto(reader: &Reader<'_>, row: &HistoricInstance, _: &Params) -> Result<Json> {
    let definition = reader.definition(row.definition)?;
    let state = match row.state {
        InstanceState::Active => "ACTIVE",
        InstanceState::Suspended => "SUSPENDED",
        InstanceState::Completed => "COMPLETED",
        InstanceState::ExternallyTerminated => "EXTERNALLY_TERMINATED",
        InstanceState::InternallyTerminated => "INTERNALLY_TERMINATED",
    };
    Ok(json!({
        "id": reader.ids.text(row.id),
        "businessKey": row.business_key,
        "processDefinitionId": reader.definition_id(row.definition)?,
        "processDefinitionKey": row.definition_key,
        "processDefinitionName": definition.as_ref().and_then(|definition| definition.name.as_deref()),
        "processDefinitionVersion": definition.as_ref().map(|definition| definition.version),
        "startTime": date::format(row.start_time),
        "endTime": row.end_time.map(date::format),
        "removalTime": row.removal_time.map(date::format),
        "durationInMillis": row.end_time.map(|end| end - row.start_time),
        "startUserId": row.start_user,
        "startActivityId": row.start_activity,
        "deleteReason": row.delete_reason,
        "rootProcessInstanceId": reader.ids.text(row.root),
        "superProcessInstanceId": reader.ids.json_opt(row.super_instance),
        "superCaseInstanceId": null,
        "caseInstanceId": null,
        "tenantId": row.tenant,
        "state": state,
        "restartedProcessInstanceId": reader.ids.json_opt(row.restarted),
    }))
}

/// The query for instances, ended or not.
///
/// # Errors
/// 400: a criterion that is none.
pub(crate) fn select(api: &Api, params: &Params) -> Result<Select<HistoricInstance>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.id("processInstanceId"))
        .within("id IN (SELECT value FROM json_each(?))", of.ids("processInstanceIds")?)
        .within(
            "id NOT IN (SELECT value FROM json_each(?))",
            of.ids("processInstanceIdNotIn")?,
        )
        .with("business_key = ?", of.text("processInstanceBusinessKey"))
        .within(
            "business_key IN (SELECT value FROM json_each(?))",
            of.list("processInstanceBusinessKeyIn")?,
        )
        .with("business_key GLOB ?", of.pattern("processInstanceBusinessKeyLike"))
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with("definition_key = ?", of.text("processDefinitionKey"))
        .within(
            "definition_key IN (SELECT value FROM json_each(?))",
            of.list("processDefinitionKeyIn")?,
        )
        .within(
            "definition_key NOT IN (SELECT value FROM json_each(?))",
            of.list("processDefinitionKeyNotIn")?,
        )
        .with(
            "definition IN (SELECT id FROM definition WHERE name = ?)",
            of.text("processDefinitionName"),
        )
        .with(
            "definition IN (SELECT id FROM definition WHERE name GLOB ?)",
            of.pattern("processDefinitionNameLike"),
        )
        .with("super_instance = ?", of.id("superProcessInstanceId"))
        .with(
            "id = (SELECT super_instance FROM historic_instance WHERE id = ?)",
            of.id("subProcessInstanceId"),
        )
        .with("root = ?", of.id("rootProcessInstanceId"))
        .only_if(of.is("rootProcessInstances"), "super_instance IS NULL")
        .only_if(of.is("finished"), "end_time IS NOT NULL")
        .only_if(of.is("unfinished"), "end_time IS NULL")
        .only_if(of.is("active"), "state = 0")
        .only_if(of.is("suspended"), "state = 1")
        .only_if(of.is("completed"), "state = 2")
        .only_if(of.is("externallyTerminated"), "state = 3")
        .only_if(of.is("internallyTerminated"), "state = 4")
        .only_if(of.is("withIncidents"), "id IN (SELECT instance FROM historic_incident)")
        .only_if(
            of.is("withRootIncidents"),
            "id IN (SELECT instance FROM historic_incident WHERE id = root_cause)",
        )
        .with(
            "id IN (SELECT instance FROM historic_incident WHERE kind = ?)",
            of.text("incidentType"),
        )
        .with(
            "id IN (SELECT instance FROM historic_incident WHERE message = ?)",
            of.text("incidentMessage"),
        )
        .with(
            "id IN (SELECT instance FROM historic_incident WHERE message GLOB ?)",
            of.pattern("incidentMessageLike"),
        )
        .with(
            "id IN (SELECT instance FROM historic_incident WHERE resolved = ? AND deleted = 0)",
            of.text("incidentStatus").map(|status| i64::from(status != "open")),
        )
        .within(
            "id IN (SELECT instance FROM historic_incident WHERE id IN (SELECT value FROM json_each(?)))",
            of.ids("incidentIdIn")?,
        )
        .with("start_time <= ?", of.instant("startedBefore")?)
        .with("start_time >= ?", of.instant("startedAfter")?)
        .with("end_time <= ?", of.instant("finishedBefore")?)
        .with("end_time >= ?", of.instant("finishedAfter")?)
        .within(
            "id IN (SELECT instance FROM historic_activity WHERE activity IN (SELECT value FROM json_each(?)))",
            of.list("executedActivityIdIn")?,
        )
        .within(
            "id IN (SELECT instance FROM historic_activity \
             WHERE end_time IS NULL AND activity IN (SELECT value FROM json_each(?)))",
            of.list("activeActivityIdIn")?,
        )
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    by_variables(&mut select, params, "variables", VARIABLES)?;
    Ok(select)
}
