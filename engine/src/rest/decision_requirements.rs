//! `/decision-requirements-definition`: files with several decisions.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use handoff_machine::row::RequirementsRow;
use http::StatusCode;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{count, no_content, ok};
use super::definition::{self, Named, resource_text};
use super::error::{RestError, Result};
use super::id::Ids;
use super::query::{Criteria, Params, Select};
use super::reader::Reader;

const ORDERS: &[(&str, &str)] = &[
    ("category", "category"),
    ("key", "key"),
    ("id", "id"),
    ("name", "name"),
    ("version", "version"),
    ("deploymentId", "deployment"),
    ("tenantId", "tenant"),
];

const NAMES: definition::Names = definition::Names {
    id: "decisionRequirementsDefinitionId",
    ids: "decisionRequirementsDefinitionIdIn",
    or_without_tenant: "includeDecisionRequirementsDefinitionsWithoutTenantId",
};

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/decision-requirements-definition", get(by_get))
        .route("/decision-requirements-definition/count", get(count_by_get))
        .merge(named("/decision-requirements-definition/{id}"))
        .merge(named("/decision-requirements-definition/key/{key}"))
        .merge(named("/decision-requirements-definition/key/{key}/tenant-id/{tenant}"))
}

fn named(path: &str) -> Router<Api> {
    Router::new()
        .route(path, get(show))
        .route(&format!("{path}/xml"), get(xml))
        .route(&format!("{path}/diagram"), get(diagram))
}

/// Requirements in answers.
pub(crate) fn dto(ids: Ids, row: &RequirementsRow) -> Json {
    json!({
        "id": ids.definition(&row.key, row.version, row.id),
        "key": row.key,
        "category": row.category,
        "name": row.name,
        "version": row.version,
        "resource": row.resource,
        "deploymentId": ids.text(row.deployment),
        "tenantId": row.tenant,
    })
}

async fn by_get(api: Api, params: Params) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged(&params, ORDERS)?;
    let ids = api.ids;
    let rows = api.read(move |reader| select.rows(reader.connection)).await?;
    Ok(ok(rows.iter().map(|row| dto(ids, row)).collect::<Vec<_>>()))
}

async fn count_by_get(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

fn select(api: &Api, params: &Params) -> Result<Select<RequirementsRow>> {
    let of = Criteria::new(params, api.ids);
    let mut select = definition::select::<RequirementsRow>(&of, &NAMES)?;
    select.only_if(
        of.is("latestVersion"),
        "version = (SELECT max(latest.version) FROM requirements AS latest \
             WHERE latest.key = requirements.key AND latest.tenant IS requirements.tenant)",
    );
    Ok(select)
}

fn find(reader: &Reader<'_>, named: &Named) -> Result<RequirementsRow> {
    match named {
        Named::Id(id) => {
            let row = Select::<RequirementsRow>::by_id(reader.connection, reader.ids.read_definition(id))?;
            row.ok_or_else(|| {
                let message = format!(
                    "no deployed decision requirements definition found with id '{id}': decisionRequirementsDefinition is null"
                );
                RestError::of_engine(StatusCode::BAD_REQUEST, "InvalidRequestException", message)
            })
        }
        Named::Key(key, tenant) => {
            definition::latest(reader, "decision requirements definition", key, tenant.as_deref())
        }
    }
}

async fn show(api: Api, named: Named) -> Result<Response> {
    let ids = api.ids;
    let row = api.read(move |reader| find(reader, &named)).await?;
    Ok(ok(dto(ids, &row)))
}

async fn xml(api: Api, named: Named) -> Result<Response> {
    let xml = api.read(move |reader| {
        let row = find(reader, &named)?;
        let text = resource_text(reader, row.deployment, &row.resource)?;
        Ok(json!({ "id": reader.ids.definition(&row.key, row.version, row.id), "dmnXml": text }))
    });
    Ok(ok(xml.await?))
}

/// 204: no picture is kept with decisions.
async fn diagram(api: Api, named: Named) -> Result<Response> {
    match api.read(move |reader| find(reader, &named)).await {
        Ok(_) => Ok(no_content()),
        Err(error) if error.code.is_some() => Err(error.into_kind("NotValidException")),
        Err(error) => Err(error),
    }
}
