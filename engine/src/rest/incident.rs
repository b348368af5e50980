//! `/incident`

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use handoff_machine::row::Incident;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{count, ok};
use super::date;
use super::error::{RestError, Result};
use super::job::job_definition;
use super::path::Path;
use super::query::{Criteria, Params, Select};
use super::reader::Reader;

const ORDERS: &[(&str, &str)] = &[
    ("incidentId", "id"),
    ("incidentMessage", "message"),
    ("incidentTimestamp", "time"),
    ("incidentType", "kind"),
    ("executionId", "execution"),
    ("activityId", "activity"),
    ("processInstanceId", "instance"),
    ("processDefinitionId", "definition"),
    ("causeIncidentId", "cause"),
    ("rootCauseIncidentId", "root_cause"),
    ("configuration", "configuration"),
    ("tenantId", "tenant"),
];

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/incident", get(list))
        .route("/incident/count", get(count_all))
        .route("/incident/{id}", get(one))
}

fn dto(reader: &Reader<'_>, incident: &Incident) -> Result<Json> {
    let ids = reader.ids;
    Ok(json!({
        "id": ids.text(incident.id),
        "processDefinitionId": reader.definition_id(incident.definition)?,
        "processInstanceId": ids.json_opt(incident.instance),
        "executionId": ids.json_opt(incident.execution),
        "incidentTimestamp": date::format(incident.time),
        "incidentType": incident.kind,
        "activityId": incident.activity,
        "failedActivityId": incident.failed_activity,
        "causeIncidentId": ids.text(incident.cause),
        "rootCauseIncidentId": ids.text(incident.root_cause),
        "configuration": ids.text(incident.configuration),
        "incidentMessage": incident.message,
        "tenantId": incident.tenant,
        "jobDefinitionId": of_job(reader, incident),
        "annotation": null,
    }))
}

/// The job definition, where a job is the cause.
pub(crate) fn of_job(reader: &Reader<'_>, incident: &Incident) -> Option<String> {
    (incident.kind == "failedJob").then(|| job_definition(reader, incident.definition, &incident.activity))
}

async fn list(api: Api, params: Params) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged(&params, ORDERS)?;
    let incidents = api.read(move |reader| {
        select
            .rows(reader.connection)?
            .iter()
            .map(|incident| dto(reader, incident))
            .collect::<Result<Vec<_>>>()
    });
    Ok(ok(incidents.await?))
}

async fn count_all(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

async fn one(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let incident = api.read(move |reader| match Select::<Incident>::by_id(reader.connection, key)? {
        Some(incident) => dto(reader, &incident).map(Some),
        None => Ok(None),
    });
    incident
        .await?
        .map(ok)
        .ok_or_else(|| RestError::unknown(format!("No matching incident with id {id}")))
}

fn select(api: &Api, params: &Params) -> Result<Select<Incident>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.id("incidentId"))
        .with("kind = ?", of.text("incidentType"))
        .with("message = ?", of.text("incidentMessage"))
        .with("message GLOB ?", of.pattern("incidentMessageLike"))
        .with("definition = ?", of.last_id("processDefinitionId"))
        .within(
            "definition IN (SELECT id FROM definition WHERE key IN (SELECT value FROM json_each(?)))",
            of.list("processDefinitionKeyIn")?,
        )
        .with("instance = ?", of.id("processInstanceId"))
        .within(
            "instance IN (SELECT value FROM json_each(?))",
            of.ids("processInstanceIdIn")?,
        )
        .with("execution = ?", of.id("executionId"))
        .with("time < ?", of.instant("incidentTimestampBefore")?)
        .with("time > ?", of.instant("incidentTimestampAfter")?)
        .with("activity = ?", of.text("activityId"))
        .with("failed_activity = ?", of.text("failedActivityId"))
        .with("cause = ?", of.id("causeIncidentId"))
        .with("root_cause = ?", of.id("rootCauseIncidentId"))
        .with("configuration = ?", of.id("configuration"))
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?);
    Ok(select)
}
