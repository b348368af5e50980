//! `POST /process-definition/…/start`

use axum::response::Response;
use handoff_machine::command::{Start, StartTarget, Started};
use handoff_machine::error::Entity;
use handoff_machine::view::Tenant;
use handoff_machine::{Command, MachineError, Reply};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::unknown_key;
use crate::rest::api::Api;
use crate::rest::body::{Body, flag, ok, text};
use crate::rest::error::{RestError, Result};
use crate::rest::instructions::{self, InstructionDto};
use crate::rest::once;
use crate::rest::path::Path;
use crate::rest::process_instance;
use crate::rest::variables::{Objects, VariablesDto, inputs, typed_map};
use crate::service::CommandError;

/// `StartProcessInstanceDto`, with the fields of F2.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct StartDto {
    variables: VariablesDto,
    #[serde(deserialize_with = "text")]
    business_key: Option<String>,
    #[serde(deserialize_with = "flag")]
    with_variables_in_return: Option<bool>,
    start_instructions: Option<Vec<InstructionDto>>,
    #[serde(deserialize_with = "flag")]
    skip_custom_listeners: Option<bool>,
    #[serde(deserialize_with = "flag")]
    skip_io_mappings: Option<bool>,
    #[serde(deserialize_with = "text")]
    dedupe_key: Option<String>,
    #[serde(deserialize_with = "text")]
    if_running: Option<String>,
}

pub(super) async fn by_id(api: Api, Path(id): Path<String>, Body(dto): Body<StartDto>) -> Result<Response> {
    let target = StartTarget::Definition(api.ids.read_definition(&id));
    start(api, dto, target, &id, None).await
}

pub(super) async fn by_key(api: Api, Path(key): Path<String>, Body(dto): Body<StartDto>) -> Result<Response> {
    let target = StartTarget::Key {
        key: key.clone(),
        tenant: Tenant::None,
    };
    let unknown = unknown_key(&key, None);
    start(api, dto, target, &key, Some(unknown)).await
}

pub(super) async fn by_key_and_tenant(
    api: Api,
    Path((key, tenant)): Path<(String, String)>,
    Body(dto): Body<StartDto>,
) -> Result<Response> {
    let unknown = unknown_key(&key, Some(&tenant));
    let target = StartTarget::Key {
        key: key.clone(),
        tenant: Tenant::Is(tenant),
    };
    start(api, dto, target, &key, Some(unknown)).await
}

/// Starts. A definition that is unknown is 404 by its key, and 500 by its id, as in Camunda.
async fn start(
    api: Api,
    dto: StartDto,
    target: StartTarget,
    named: &str,
    unknown_key: Option<RestError>,
) -> Result<Response> {
    let cannot = format!("Cannot instantiate process definition {named}: ");
    let at = instructions::starts(api.ids, dto.start_instructions.as_deref().unwrap_or_default())
        .map_err(|error| error.wrapped(&cannot))?;
    let variables = inputs(&dto.variables).map_err(|error| error.wrapped(&cannot))?;
    let once = once::read(dto.dedupe_key, dto.if_running.as_deref())?;
    let with_variables = dto.with_variables_in_return.unwrap_or(false);
    let command = Start {
        target,
        business_key: dto.business_key,
        variables,
        once,
        with_variables,
        at,
        skip_custom_listeners: dto.skip_custom_listeners.unwrap_or(false),
        skip_io_mappings: dto.skip_io_mappings.unwrap_or(false),
    };
    let reply = api
        .submit_raw(Command::Start(command))
        .await
        .map_err(|error| match (error, unknown_key) {
            (
                CommandError::Machine(MachineError::NotFound {
                    kind: Entity::ProcessDefinition,
                    ..
                }),
                Some(unknown),
            ) => unknown,
            (CommandError::Machine(error @ MachineError::AlreadyRunning(_)), _) => error.into(),
            (error, _) => RestError::from(error).wrapped(&cannot),
        })?;
    match reply {
        Reply::Started(started) => Ok(ok(dto_of(&api, &started, with_variables))),
        other => Err(RestError::unexpected(&other)),
    }
}

/// A started instance, with its links and variables as they were asked for.
pub(super) fn dto_of(api: &Api, started: &Started, with_variables: bool) -> Json {
    let ids = api.ids;
    let mut dto = process_instance::dto(ids, &started.instance, &started.definition, started.ended);
    let href = format!("{}/process-instance/{}", api.base, ids.text(started.instance.id));
    dto.insert(
        "links".into(),
        json!([{ "method": "GET", "href": href, "rel": "self" }]),
    );
    if with_variables {
        dto.insert("variables".into(), typed_map(&started.variables, Objects::Serialised));
    }
    dto.insert("handoff".into(), once::status(started.status));
    Json::Object(dto)
}
