//! `/process-definition`

mod delete;
mod form;
mod list;
mod operate;
mod start;
mod statistics;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use handoff_machine::command::Started;
use handoff_machine::row::DefinitionRow;
use http::StatusCode;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::ok;
use super::definition::{self, Named};
use super::error::{RestError, Result};
use super::id::Ids;
use super::reader::Reader;

/// What its definitions are, in words.
const KIND: &str = "process definition";

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/process-definition", get(list::by_get))
        .route("/process-definition/count", get(list::count_by_get))
        .route("/process-definition/statistics", get(statistics::of_all))
        .merge(named("/process-definition/{id}"))
        .merge(named("/process-definition/key/{key}"))
        .merge(named("/process-definition/key/{key}/tenant-id/{tenant}"))
        .merge(operate::routes())
}

/// What each way to name a definition has.
fn named(path: &str) -> Router<Api> {
    let at = |rest: &str| format!("{path}{rest}");
    Router::new()
        .route(path, get(show).delete(delete::delete))
        .route(&at("/xml"), get(xml))
        .route(&at("/diagram"), get(form::diagram))
        .route(&at("/start"), post(start::start))
        .route(&at("/submit-form"), post(start::submit_form))
        .route(&at("/statistics"), get(statistics::of_one))
        .route(&at("/startForm"), get(form::start_form))
        .route(&at("/form-variables"), get(form::variables))
        .route(&at("/rendered-form"), get(form::rendered))
        .route(&at("/deployed-start-form"), get(form::deployed_start))
}

/// A definition in answers.
pub(crate) fn dto(ids: Ids, row: &DefinitionRow) -> Json {
    json!({
        "id": ids.definition(&row.key, row.version, row.id),
        "key": row.key,
        "category": row.category,
        "description": row.description,
        "name": row.name,
        "version": row.version,
        "resource": row.resource,
        "deploymentId": ids.text(row.deployment),
        "diagram": null,
        "suspended": row.suspended,
        "tenantId": row.tenant,
        "versionTag": row.version_tag,
        "historyTimeToLive": row.history_time_to_live,
        "startableInTasklist": row.startable_in_tasklist,
    })
}

/// A started instance in the answer to a message.
pub(crate) fn started(api: &Api, started: &Started) -> Json {
    json!(start::dto_of(api, started, false))
}

impl Named {
    /// Its row.
    ///
    /// # Errors
    /// 404, worded by how it is named.
    fn find(&self, reader: &Reader<'_>) -> Result<DefinitionRow> {
        match self {
            Self::Id(id) => reader.definition(reader.ids.read_definition(id))?.ok_or_else(|| {
                let message = format!("No matching definition with id {id}");
                RestError::of_engine(StatusCode::NOT_FOUND, "InvalidRequestException", message)
            }),
            Self::Key(key, tenant) => definition::latest(reader, KIND, key, tenant.as_deref()),
        }
    }
}

/// 400: no definition has an id.
pub(crate) fn unknown_id(id: &str) -> RestError {
    let message = format!("no deployed process definition found with id '{id}': processDefinition is null");
    RestError::of_engine(StatusCode::BAD_REQUEST, "NotFoundException", message)
}

fn unknown_key(key: &str, tenant: Option<&str>) -> RestError {
    definition::unknown_key(KIND, key, tenant)
}

async fn show(api: Api, named: Named) -> Result<Response> {
    Ok(ok(api
        .read(move |reader| Ok(dto(reader.ids, &named.find(reader)?)))
        .await?))
}

async fn xml(api: Api, named: Named) -> Result<Response> {
    let xml = api.read(move |reader| {
        let row = named.find(reader)?;
        let text = definition::resource_text(reader, row.deployment, &row.resource)?;
        Ok(json!({ "id": reader.ids.definition(&row.key, row.version, row.id), "bpmn20Xml": text }))
    });
    Ok(ok(xml.await?))
}
