//! `/history/incident`

use handoff_machine::Id;
use handoff_machine::row::{HistoricIncident, Incident, LogState};
use rusqlite::params;
use serde_json::{Value as Json, json};

use super::history;
use crate::rest::date;
use crate::rest::incident::{configuration, of_job};
use crate::store::field::Code as _;

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
        "historyConfiguration": ids.json_opt(last_failure(reader, incident)?),
        "incidentMessage": incident.message,
        "tenantId": incident.tenant,
        "jobDefinitionId": of_job(reader, incident)?,
        "open": row.end_time.is_none(),
        "deleted": row.deleted,
        "resolved": row.resolved,
        "annotation": incident.annotation,
    }))
}

/// What the log says of the failure that an incident is about: its job's or its external task's last one until then. None
/// where it failed never, as where somebody has set its retries to 0.
fn last_failure(reader: &Reader<'_>, incident: &Incident) -> Result<Option<Id>> {
    const OF_JOB: &str =
        "SELECT max(id) FROM job_log WHERE job = ?1 AND log_state = ?2 AND time <= ?3 AND instance IS ?4";
    const OF_TASK: &str =
        "SELECT max(id) FROM external_task_log WHERE task = ?1 AND log_state = ?2 AND time <= ?3 AND instance = ?4";
    let sql = match incident.kind.as_str() {
        _ if incident.custom.is_some() || incident.is_handed_on() => return Ok(None),
        "failedJob" => OF_JOB,
        "failedExternalTask" => OF_TASK,
        _ => return Ok(None),
    };
    let failed = LogState::Failed.code();
    let values = params![
        incident.configuration.0,
        failed,
        incident.time,
        incident.instance.map(|id| id.0)
    ];
    let found: Option<i64> = reader
        .connection
        .prepare_cached(sql)?
        .query_row(values, |row| row.get(0))?;
    Ok(found.map(Id))
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
