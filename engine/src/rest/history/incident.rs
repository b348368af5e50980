//! `/history/incident`

use handoff_machine::row::HistoricIncident;
use serde_json::{Value as Json, json};

use super::history;
use crate::rest::date;
use crate::rest::incident::{configuration, of_job};

const ORDERS: &[(&str, &str)] = &[
    ("incidentId", "id"),
    ("incidentMessage", "message"),
    ("createTime", "time"),
    ("endTime", "end_time"),
    ("incidentType", "kind"),
    ("executionId", "execution"),
    ("activityId", "activity"),
    ("processInstanceId", "instance"),
    ("processDefinitionId", "definition"),
    ("processDefinitionKey", "definition_key"),
    ("causeIncidentId", "cause"),
    ("rootCauseIncidentId", "root_cause"),
    ("configuration", "configuration"),
    ("incidentState", "end_time IS NULL, resolved"),
    ("tenantId", "tenant"),
];

history!(
    "/history/incident",
    HistoricIncident,
    ORDERS,
    "Historic incident with id {} does not exist"
);

fn more() -> Router<Api> {
    Router::new()
}

fn dto(reader: &Reader<'_>, row: &HistoricIncident, _: &Params) -> Result<Json> {
    let (ids, incident) = (reader.ids, &row.incident);
    let removal = reader.removal_time(row.removal_time, incident.instance)?;
    Ok(json!({
        "id": ids.text(incident.id),
        "processDefinitionKey": row.definition_key,
        "processDefinitionId": reader.definition_id_opt(incident.definition)?,
        "processInstanceId": ids.json_opt(incident.instance),
        "executionId": ids.json_opt(incident.execution),
        "rootProcessInstanceId": ids.json_opt(row.root),
        "createTime": date::format(incident.time),
        "endTime": row.end_time.map(date::format),
        "removalTime": removal.map(date::format),
        "incidentType": incident.kind,
        "activityId": incident.activity,
        "failedActivityId": incident.failed_activity,
        "causeIncidentId": ids.text(incident.cause),
        "rootCauseIncidentId": ids.text(incident.root_cause),
        "configuration": configuration(ids, incident),
        "historyConfiguration": null,
        "incidentMessage": incident.message,
        "tenantId": incident.tenant,
        "jobDefinitionId": of_job(reader, incident)?,
        "open": row.end_time.is_none(),
        "deleted": row.deleted,
        "resolved": row.resolved,
        "annotation": incident.annotation,
    }))
}

fn select(api: &Api, params: &Params) -> Result<Select<HistoricIncident>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.id("incidentId"))
        .with("kind = ?", of.text("incidentType"))
        .with("message = ?", of.text("incidentMessage"))
        .with("message GLOB ?", of.pattern("incidentMessageLike"))
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with("definition_key = ?", of.text("processDefinitionKey"))
        .within(
            "definition_key IN (SELECT value FROM json_each(?))",
            of.list("processDefinitionKeyIn")?,
        )
        .with("instance = ?", of.id("processInstanceId"))
        .with("execution = ?", of.id("executionId"))
        .with("activity = ?", of.text("activityId"))
        .with("failed_activity = ?", of.text("failedActivityId"))
        .with("time < ?", of.instant("createTimeBefore")?)
        .with("time > ?", of.instant("createTimeAfter")?)
        .with("end_time < ?", of.instant("endTimeBefore")?)
        .with("end_time > ?", of.instant("endTimeAfter")?)
        .with("cause = ?", of.id("causeIncidentId"))
        .with("root_cause = ?", of.id("rootCauseIncidentId"))
        .with_all_if(
            of.text("configuration")
                .map(|text| [api.ids.read(&text).0.into(), text.into()]),
            "configuration = ? AND custom IS NULL AND cause = id OR custom = ?",
        )
        .only_if(of.is("open"), "end_time IS NULL")
        .only_if(of.is("deleted"), "deleted <> 0")
        .only_if(of.is("resolved"), "resolved <> 0")
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    Ok(select)
}
