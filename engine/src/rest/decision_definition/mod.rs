//! `/decision-definition`

mod evaluate;
mod list;

use axum::Router;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::Response;
use axum::routing::{get, post, put};
use handoff_machine::Command;
use handoff_machine::row::DecisionRow;
use http::StatusCode;
use http::request::Parts;
use rusqlite::OptionalExtension;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{Body, integer, no_content, ok};
use super::error::{RestError, Result};
use super::query::Select;
use super::reader::Reader;

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/decision-definition", get(list::by_get))
        .route("/decision-definition/count", get(list::count_by_get))
        .merge(named("/decision-definition/{id}"))
        .merge(named("/decision-definition/key/{key}"))
        .merge(named("/decision-definition/key/{key}/tenant-id/{tenant}"))
}

/// What each way to name a decision has.
fn named(path: &str) -> Router<Api> {
    let at = |rest: &str| format!("{path}{rest}");
    Router::new()
        .route(path, get(show))
        .route(&at("/xml"), get(xml))
        .route(&at("/diagram"), get(diagram))
        .route(&at("/evaluate"), post(evaluate::evaluate))
        .route(&at("/history-time-to-live"), put(set_time_to_live))
}

/// A decision definition in answers.
pub(crate) fn dto(reader: &Reader<'_>, row: &DecisionRow) -> Result<Json> {
    Ok(json!({
        "id": reader.ids.definition(&row.key, row.version, row.id),
        "key": row.key,
        "category": row.category,
        "name": row.name,
        "version": row.version,
        "resource": row.resource,
        "deploymentId": reader.ids.text(row.deployment),
        "tenantId": row.tenant,
        "decisionRequirementsDefinitionId": reader.requirements_id(row.requirements)?,
        "decisionRequirementsDefinitionKey": row.requirements_key,
        "historyTimeToLive": row.history_time_to_live,
        "versionTag": row.version_tag,
    }))
}

/// How a path names a definition of a decision, or of requirements.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    /// By its id.
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

/// 404: no version of a key.
pub(crate) fn unknown_key(what: &str, key: &str, tenant: Option<&str>) -> RestError {
    let tenant = tenant.map_or_else(|| "no tenant-id".to_owned(), |tenant| format!("tenant-id: {tenant}"));
    let message = format!("No matching {what} with key: {key} and {tenant}");
    RestError::new(StatusCode::NOT_FOUND, "RestException", message)
}

/// The text of a file of a deployment.
///
/// # Errors
/// 500 where the store fails.
pub(crate) fn resource_text(reader: &Reader<'_>, deployment: handoff_machine::Id, name: &str) -> Result<String> {
    let sql = "SELECT bytes FROM resource WHERE deployment = ? AND name = ?";
    let mut statement = reader.connection.prepare_cached(sql)?;
    let bytes: Option<Vec<u8>> = statement.query_row((deployment.0, name), |row| row.get(0)).optional()?;
    Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
}

fn unknown(id: &str) -> RestError {
    let message = format!("no deployed decision definition found with id '{id}': decisionDefinition is null");
    RestError::of_engine(StatusCode::NOT_FOUND, "InvalidRequestException", message)
}

/// The row that is named.
fn find(reader: &Reader<'_>, named: &Named) -> Result<DecisionRow> {
    match named {
        Named::Id(id) => {
            let row = Select::<DecisionRow>::by_id(reader.connection, reader.ids.read_definition(id))?;
            row.ok_or_else(|| unknown(id))
        }
        Named::Key(key, tenant) => {
            let mut select = Select::<DecisionRow>::new();
            select
                .with("key = ?", Some(key.clone()))
                .ordered("version", true)
                .limited(1);
            match tenant {
                Some(tenant) => select.with("tenant = ?", Some(tenant.clone())),
                None => select.only("tenant IS NULL"),
            };
            let row = select.rows(reader.connection)?.pop();
            row.ok_or_else(|| unknown_key("decision definition", key, tenant.as_deref()))
        }
    }
}

async fn show(api: Api, named: Named) -> Result<Response> {
    Ok(ok(api.read(move |reader| dto(reader, &find(reader, &named)?)).await?))
}

async fn xml(api: Api, named: Named) -> Result<Response> {
    let xml = api.read(move |reader| {
        let row = find(reader, &named)?;
        let text = resource_text(reader, row.deployment, &row.resource)?;
        Ok(json!({ "id": reader.ids.definition(&row.key, row.version, row.id), "dmnXml": text }))
    });
    Ok(ok(xml.await?))
}

/// 204: no picture is kept with a decision.
async fn diagram(api: Api, named: Named) -> Result<Response> {
    let by_id = matches!(named, Named::Id(_));
    match api.read(move |reader| find(reader, &named)).await {
        Ok(_) => Ok(no_content()),
        Err(error) if by_id && error.kind == "InvalidRequestException" => {
            let status = StatusCode::BAD_REQUEST;
            Err(RestError::of_engine(status, "NotFoundException", error.message))
        }
        Err(error) => Err(error),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TimeToLiveDto {
    #[serde(deserialize_with = "integer")]
    history_time_to_live: Option<i64>,
}

async fn set_time_to_live(api: Api, named: Named, Body(dto): Body<TimeToLiveDto>) -> Result<Response> {
    let days = dto.history_time_to_live.map(i32::try_from).transpose();
    let days = days.map_err(|_| RestError::invalid("historyTimeToLive is out of range"))?;
    let decision = api.read(move |reader| Ok(find(reader, &named)?.id)).await?;
    api.run(Command::SetDecisionTimeToLive { decision, days }).await?;
    Ok(no_content())
}
