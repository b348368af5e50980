//! `/incident`

use axum::Router;
use axum::response::Response;
use axum::routing::{get, put};
use handoff_machine::row::Incident;
use handoff_machine::{Command, Id, MachineError};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{Body, count, no_content, ok, text};
use super::date;
use super::error::{RestError, Result};
use super::id::Ids;
use super::path::Path;
use super::query::{Criteria, Params, Select};
use super::reader::Reader;
use crate::service::CommandError;

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
        .route("/incident/{id}", get(one).delete(resolve))
        .route("/incident/{id}/annotation", put(annotate).delete(unannotate))
}

fn dto(reader: &Reader<'_>, incident: &Incident) -> Result<Json> {
    let ids = reader.ids;
    Ok(json!({
        "id": ids.text(incident.id),
        "processDefinitionId": reader.definition_id_opt(incident.definition)?,
        "processInstanceId": ids.json_opt(incident.instance),
        "executionId": ids.json_opt(incident.execution),
        "incidentTimestamp": date::format(incident.time),
        "incidentType": incident.kind,
        "activityId": incident.activity,
        "failedActivityId": incident.failed_activity,
        "causeIncidentId": ids.text(incident.cause),
        "rootCauseIncidentId": ids.text(incident.root_cause),
        "configuration": configuration(ids, incident),
        "incidentMessage": incident.message,
        "tenantId": incident.tenant,
        "jobDefinitionId": of_job(reader, incident)?,
        "annotation": incident.annotation,
    }))
}

/// The newest incident of an execution.
///
/// # Errors
/// 404: it has gone meanwhile.
pub(crate) async fn latest_of(api: &Api, execution: Id) -> Result<Response> {
    let found = api.read(move |reader| {
        let mut select = Select::<Incident>::new();
        select
            .with("execution = ?", Some(execution.0))
            .ordered("id", true)
            .limited(1);
        match select.rows(reader.connection)?.pop() {
            Some(incident) => dto(reader, &incident).map(Some),
            None => Ok(None),
        }
    });
    let gone = || RestError::unknown("The incident has been resolved already");
    found.await?.map(ok).ok_or_else(gone)
}

/// The job definition, where a job is the cause.
///
/// # Errors
/// 500 where the store fails.
pub(crate) fn of_job(reader: &Reader<'_>, incident: &Incident) -> Result<Json> {
    match incident.kind.as_str() {
        "failedJob" if !incident.is_handed_on() => reader.job_definition_of(incident.configuration),
        _ => Ok(Json::Null),
    }
}

/// What an incident is about: a job, an external task, or what the one who made it has said. Nothing, where a called
/// instance has handed it on.
pub(crate) fn configuration(ids: Ids, incident: &Incident) -> Json {
    match &incident.custom {
        Some(text) => text.clone().into(),
        None if incident.is_handed_on() => Json::Null,
        None => ids.json(incident.configuration),
    }
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

async fn resolve(api: Api, Path(id): Path<String>) -> Result<Response> {
    let resolved = api.submit_raw(Command::ResolveIncident(api.ids.read(&id))).await;
    resolved.map(|_| no_content()).map_err(|error| match error {
        CommandError::Machine(MachineError::BadUserRequest(message)) => RestError::invalid(message),
        error => error.into(),
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AnnotationDto {
    #[serde(deserialize_with = "text")]
    annotation: Option<String>,
}

async fn annotate(api: Api, Path(id): Path<String>, Body(dto): Body<AnnotationDto>) -> Result<Response> {
    set_annotation(&api, &id, dto.annotation).await
}

async fn unannotate(api: Api, Path(id): Path<String>) -> Result<Response> {
    set_annotation(&api, &id, None).await
}

async fn set_annotation(api: &Api, text: &str, annotation: Option<String>) -> Result<Response> {
    let id = api.ids.read(text);
    api.run(Command::AnnotateIncident { id, annotation }).await?;
    Ok(no_content())
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
        .with_all_if(
            of.text("configuration")
                .map(|text| [api.ids.read(&text).0.into(), text.into()]),
            "configuration = ? AND custom IS NULL AND cause = id OR custom = ?",
        )
        .within(
            "configuration IN (SELECT id FROM job WHERE job_definition IN (SELECT value FROM json_each(?)))",
            of.ids("jobDefinitionIdIn")?,
        )
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?);
    Ok(select)
}
