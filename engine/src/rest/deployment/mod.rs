//! `/deployment`

mod create;
mod form;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use handoff_machine::Command;
use handoff_machine::MachineError;
use handoff_machine::error::Entity;
use handoff_machine::row::{Deployment, Resource};
use rusqlite::params;
use serde_json::{Map, Value as Json, json};

use super::api::Api;
use super::body::{count, no_content, ok};
use super::date;
use super::error::{RestError, Result};
use super::id::Ids;
use super::path::Path;
use super::query::{Criteria, Params, Select};
use super::reader::Reader;
use super::variables::download;
use crate::service::CommandError;
use crate::store::row::Table;

const ORDERS: &[(&str, &str)] = &[
    ("id", "id"),
    ("name", "name"),
    ("deploymentTime", "time"),
    ("tenantId", "tenant"),
];

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/deployment", get(list))
        .route("/deployment/count", get(count_all))
        .route("/deployment/registered", get(registered))
        .route("/deployment/{id}", get(one).delete(delete))
        .route("/deployment/{id}/redeploy", post(create::redeploy))
        .route("/deployment/{id}/resources", get(resources))
        .route("/deployment/{id}/resources/{resource}", get(resource))
        .route("/deployment/{id}/resources/{resource}/data", get(resource_data))
        .merge(create::routes(post(create::create)))
}

fn dto(ids: Ids, deployment: &Deployment) -> Map<String, Json> {
    let dto = json!({
        "links": [],
        "id": ids.text(deployment.id),
        "name": deployment.name,
        "source": deployment.source,
        "deploymentTime": date::format(deployment.time),
        "tenantId": deployment.tenant,
    });
    match dto {
        Json::Object(dto) => dto,
        _ => Map::new(),
    }
}

async fn list(api: Api, params: Params) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged(&params, ORDERS)?;
    let deployments = api.read(move |reader| select.rows(reader.connection)).await?;
    Ok(ok(deployments
        .iter()
        .map(|deployment| dto(api.ids, deployment))
        .collect::<Vec<_>>()))
}

async fn count_all(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

fn select(api: &Api, params: &Params) -> Result<Select<Deployment>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.id("id"))
        .with("name = ?", of.text("name"))
        .with("name GLOB ?", of.pattern("nameLike"))
        .with("source = ?", of.text("source"))
        .only_if(of.is("withoutSource"), "source IS NULL")
        .with("time > ?", of.instant("after")?)
        .with("time < ?", of.instant("before")?);
    select.of_tenants(&of, "includeDeploymentsWithoutTenantId")?;
    Ok(select)
}

/// What an application has registered: all deployments, for whoever deploys may fetch.
async fn registered(api: Api) -> Result<Response> {
    let ids = api.ids;
    let all = api
        .read(move |reader| Select::<Deployment>::new().rows(reader.connection))
        .await?;
    Ok(ok(all
        .iter()
        .map(|deployment| ids.text(deployment.id))
        .collect::<Vec<_>>()))
}

async fn one(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let deployment = api
        .read(move |reader| Select::<Deployment>::by_id(reader.connection, key))
        .await?;
    let unknown = || RestError::unknown(format!("Deployment with id '{id}' does not exist"));
    deployment
        .map(|deployment| ok(dto(api.ids, &deployment)))
        .ok_or_else(unknown)
}

async fn delete(api: Api, Path(text): Path<String>, params: Params) -> Result<Response> {
    let command = Command::DeleteDeployment {
        id: api.ids.read(&text),
        cascade: params.is("cascade"),
        skip_custom_listeners: params.is("skipCustomListeners"),
        skip_io_mappings: params.is("skipIoMappings"),
    };
    match api.submit_raw(command).await {
        Ok(_) => Ok(no_content()),
        Err(CommandError::Machine(MachineError::NotFound {
            kind: Entity::Deployment,
            ..
        })) => Err(RestError::unknown(format!("Deployment with id '{text}' do not exist"))),
        Err(error) => Err(error.into()),
    }
}

fn files(reader: &Reader<'_>, deployment: i64) -> Result<Vec<Resource>> {
    let sql = format!(
        "SELECT {} FROM resource WHERE deployment = ? ORDER BY name, id",
        Resource::COLUMNS
    );
    let mut statement = reader.connection.prepare_cached(&sql)?;
    Ok(statement
        .query_map(params![deployment], Resource::from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

fn resource_dto(ids: Ids, resource: &Resource) -> Json {
    json!({
        "id": ids.text(resource.id),
        "name": resource.name,
        "deploymentId": ids.text(resource.deployment),
    })
}

async fn resources(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let files = api.read(move |reader| files(reader, key.0)).await?;
    if files.is_empty() {
        let message = format!("Deployment resources for deployment id '{id}' do not exist.");
        return Err(RestError::unknown(message));
    }
    Ok(ok(files
        .iter()
        .map(|resource| resource_dto(api.ids, resource))
        .collect::<Vec<_>>()))
}

async fn find(api: &Api, deployment: String, resource: String) -> Result<Resource> {
    let (deployment_key, resource_key) = (api.ids.read(&deployment), api.ids.read(&resource));
    let files = api.read(move |reader| files(reader, deployment_key.0)).await?;
    let unknown = || {
        RestError::unknown(format!(
            "Deployment resource with resource id '{resource}' for deployment id '{deployment}' does not exist."
        ))
    };
    files
        .into_iter()
        .find(|file| file.id == resource_key)
        .ok_or_else(unknown)
}

async fn resource(api: Api, Path((deployment, resource)): Path<(String, String)>) -> Result<Response> {
    let resource = find(&api, deployment, resource).await?;
    Ok(ok(resource_dto(api.ids, &resource)))
}

async fn resource_data(api: Api, Path((deployment, resource)): Path<(String, String)>) -> Result<Response> {
    let resource = find(&api, deployment, resource).await?;
    let extension = resource.name.rsplit('.').next().unwrap_or_default();
    let content_type = match extension {
        "bpmn" | "dmn" | "xml" => "application/xml",
        "json" | "form" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "html" => "text/html",
        "txt" | "js" | "groovy" => "text/plain",
        _ => "application/octet-stream",
    };
    Ok(download(content_type, Some(&resource.name), resource.bytes))
}
