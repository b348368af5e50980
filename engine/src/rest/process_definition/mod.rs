//! `/process-definition`

mod delete;
pub(crate) mod form;
mod list;
mod operate;
mod start;
mod statistics;

use axum::Router;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use handoff_machine::command::Started;
use handoff_machine::row::DefinitionRow;
use http::StatusCode;
use http::request::Parts;
use rusqlite::OptionalExtension;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::ok;
use super::error::{RestError, Result};
use super::id::Ids;
use super::query::Select;
use super::reader::Reader;

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/process-definition", get(list::by_get))
        .route("/process-definition/count", get(list::count_by_get))
        .route("/process-definition/statistics", get(statistics::of_all))
        .merge(named(
            "/process-definition/{id}",
            post(start::by_id),
            get(statistics::by_id),
        ))
        .merge(named(
            "/process-definition/key/{key}",
            post(start::by_key),
            get(statistics::by_key),
        ))
        .merge(named(
            "/process-definition/key/{key}/tenant-id/{tenant}",
            post(start::by_key_and_tenant),
            get(statistics::by_key_and_tenant),
        ))
        .merge(operate::routes())
}

/// What each way to name a definition has. A form is submitted as a start is.
fn named(path: &str, start: MethodRouter<Api>, statistics: MethodRouter<Api>) -> Router<Api> {
    let at = |rest: &str| format!("{path}{rest}");
    Router::new()
        .route(path, get(show).delete(delete::delete))
        .route(&at("/xml"), get(xml))
        .route(&at("/diagram"), get(form::diagram))
        .route(&at("/start"), start.clone())
        .route(&at("/submit-form"), start)
        .route(&at("/statistics"), statistics)
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
    start::dto_of(api, started, false)
}

/// How a path names a definition.
#[derive(Clone, Debug)]
enum Named {
    Id(String),
    /// The latest version of a key, of a tenant or of none.
    Key(String, Option<String>),
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let not_found = |text: String| RestError::new(StatusCode::NOT_FOUND, "NotFoundException", text);
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        let parameters = parameters.map_err(|rejection| not_found(rejection.body_text()))?;
        let find = |name: &str| {
            let mut parameters = parameters.iter();
            parameters
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.to_owned())
        };
        match (find("id"), find("key")) {
            (Some(id), _) => Ok(Self::Id(id)),
            (None, Some(key)) => Ok(Self::Key(key, find("tenant"))),
            (None, None) => Err(not_found("The path names no definition".to_owned())),
        }
    }
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
            Self::Key(key, tenant) => {
                let mut select = Select::<DefinitionRow>::new();
                select
                    .with("key = ?", Some(key.clone()))
                    .ordered("version", true)
                    .limited(1);
                match tenant {
                    Some(tenant) => select.with("tenant = ?", Some(tenant.clone())),
                    None => select.only("tenant IS NULL"),
                };
                select
                    .rows(reader.connection)?
                    .pop()
                    .ok_or_else(|| unknown_key(key, tenant.as_deref()))
            }
        }
    }
}

fn unknown_key(key: &str, tenant: Option<&str>) -> RestError {
    let tenant = tenant.map_or_else(|| "no tenant-id".to_owned(), |tenant| format!("tenant-id: {tenant}"));
    let message = format!("No matching process definition with key: {key} and {tenant}");
    RestError::new(StatusCode::NOT_FOUND, "RestException", message)
}

async fn show(api: Api, named: Named) -> Result<Response> {
    Ok(ok(api
        .read(move |reader| Ok(dto(reader.ids, &named.find(reader)?)))
        .await?))
}

async fn xml(api: Api, named: Named) -> Result<Response> {
    let xml = api.read(move |reader| {
        let row = named.find(reader)?;
        let sql = "SELECT bytes FROM resource WHERE deployment = ? AND name = ?";
        let mut statement = reader.connection.prepare_cached(sql)?;
        let bytes: Option<Vec<u8>> = statement
            .query_row((row.deployment.0, &row.resource), |row| row.get(0))
            .optional()?;
        let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        Ok(json!({ "id": reader.ids.definition(&row.key, row.version, row.id), "bpmn20Xml": text }))
    });
    Ok(ok(xml.await?))
}
