//! `/process-instance`

mod dto;
mod list;
mod many;
mod tree;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, put};
use handoff_machine::error::Entity;
use handoff_machine::row::Instance;
use handoff_machine::view::Definition;
use handoff_machine::{Command, MachineError};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{Body, flag, no_content, ok};
use super::error::{RestError, Result};
use super::path::Path;
use super::query::{Params, Select};
use super::reader::Reader;
use super::scope;
use crate::service::CommandError;

pub(crate) use self::dto::{InstanceDto, LinkDto};
pub(crate) use self::list::select;

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/process-instance", get(list::by_get).post(list::by_post))
        .route(
            "/process-instance/count",
            get(list::count_by_get).post(list::count_by_post),
        )
        .route("/process-instance/{id}", get(one).delete(delete))
        .route("/process-instance/{id}/suspended", put(suspend))
        .route(
            "/process-instance/{id}/activity-instances",
            get(tree::activity_instances),
        )
        .merge(many::routes())
        .merge(scope::routes(
            "/process-instance/{id}/variables",
            scope::Kind::ProcessInstance,
        ))
}

/// Camunda's name of an element's type, and the element's own name.
fn element<'d>(definition: &'d Definition, activity: &str) -> (&'static str, Option<&'d str>) {
    let inner = activity.strip_suffix("#multiInstanceBody");
    match (definition.model.element(inner.unwrap_or(activity)), inner) {
        (Some(element), Some(_)) => ("multiInstanceBody", element.name.as_deref()),
        (Some(element), None) => (element.activity_type, element.name.as_deref()),
        (None, _) => ("unknown", None),
    }
}

fn shown(reader: &Reader<'_>, instance: &Instance) -> Result<Json> {
    let (definition, key) = (
        reader.definition_id(instance.definition)?,
        reader.definition_key(instance.definition)?,
    );
    Ok(json!(InstanceDto::new(reader.ids, instance, definition, key, false)))
}

async fn one(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let instance = api.read(move |reader| match Select::<Instance>::by_id(reader.connection, key)? {
        Some(instance) => shown(reader, &instance).map(Some),
        None => Ok(None),
    });
    let unknown = || RestError::unknown(format!("Process instance with id {id} does not exist"));
    instance.await?.map(ok).ok_or_else(unknown)
}

async fn delete(api: Api, Path(text): Path<String>, params: Params) -> Result<Response> {
    let command = Command::DeleteInstance {
        id: api.ids.read(&text),
        reason: params.text("deleteReason"),
        skip_custom_listeners: params.is("skipCustomListeners"),
        skip_io_mappings: params.is("skipIoMappings"),
    };
    match api.submit_raw(command).await {
        Ok(_) => Ok(no_content()),
        Err(CommandError::Machine(MachineError::NotFound {
            kind: Entity::ProcessInstance,
            ..
        })) => {
            if params.flag("failIfNotExists") == Some(false) {
                return Ok(no_content());
            }
            let message = format!("Process instance with id {text} does not exist");
            Err(RestError::of_engine(
                http::StatusCode::NOT_FOUND,
                "InvalidRequestException",
                message,
            ))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SuspendDto {
    #[serde(deserialize_with = "flag")]
    suspended: Option<bool>,
}

async fn suspend(api: Api, Path(id): Path<String>, Body(dto): Body<SuspendDto>) -> Result<Response> {
    let suspended = dto.suspended.unwrap_or(false);
    api.run(Command::SuspendInstance {
        id: api.ids.read(&id),
        suspended,
    })
    .await?;
    Ok(no_content())
}
