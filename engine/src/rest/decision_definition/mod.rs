//! `/decision-definition`

mod evaluate;
mod list;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post, put};
use handoff_machine::Command;
use handoff_machine::row::DecisionRow;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{Body, integer, no_content, ok};
use super::definition::{self, Named, resource_text};
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
        Named::Key(key, tenant) => definition::latest(reader, "decision definition", key, tenant.as_deref()),
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
