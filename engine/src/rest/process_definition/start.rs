//! `POST /process-definition/…/start` and `…/submit-form`

use axum::response::Response;
use handoff_machine::command::{Start, StartTarget, Started};
use handoff_machine::error::Entity;
use handoff_machine::view::Tenant;
use handoff_machine::{Command, MachineError, Reply};
use serde::Deserialize;

use super::{unknown_id, unknown_key};
use crate::rest::api::Api;
use crate::rest::body::{Body, flag, ok, text};
use crate::rest::definition::Named;
use crate::rest::error::{RestError, Result};
use crate::rest::instructions::{self, InstructionDto};
use crate::rest::once;
use crate::rest::process_instance::{InstanceDto, LinkDto};
use crate::rest::variables::{Objects, TypedMap, VariablesDto, inputs};
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

/// `POST …/start`
pub(super) async fn start(api: Api, named: Named, Body(dto): Body<StartDto>) -> Result<Response> {
    run(api, named, dto, Command::Start).await
}

/// `POST …/submit-form`: a start whose variables go through the fields of the form. It knows no instructions.
pub(super) async fn submit_form(api: Api, named: Named, Body(dto): Body<StartDto>) -> Result<Response> {
    let dto = StartDto {
        start_instructions: None,
        ..dto
    };
    run(api, named, dto, Command::SubmitStartForm).await
}

/// A definition that is unknown is 404 by its key, and 500 by its id, as in Camunda.
async fn run(api: Api, named: Named, dto: StartDto, command: fn(Start) -> Command) -> Result<Response> {
    let cannot = format!("Cannot instantiate process definition {}: ", named.text());
    let (target, unknown) = match &named {
        Named::Id(id) => (
            StartTarget::Definition(api.ids.read_definition(id)),
            unknown_id(id).wrapped(&cannot),
        ),
        Named::Key(key, tenant) => {
            let target = StartTarget::Key {
                key: key.clone(),
                tenant: tenant.clone().map_or(Tenant::None, Tenant::Is),
            };
            (target, unknown_key(key, tenant.as_deref()))
        }
    };
    let at = instructions::starts(api.ids, dto.start_instructions.as_deref().unwrap_or_default())
        .map_err(|error| error.wrapped(&cannot))?;
    let variables = inputs(&dto.variables).map_err(|error| error.wrapped(&cannot))?;
    let once = once::read(dto.dedupe_key, dto.if_running.as_deref())?;
    let with_variables = dto.with_variables_in_return.unwrap_or(false);
    let start = Start {
        target,
        business_key: dto.business_key,
        variables,
        once,
        with_variables,
        at,
        skip_custom_listeners: dto.skip_custom_listeners.unwrap_or(false),
        skip_io_mappings: dto.skip_io_mappings.unwrap_or(false),
    };
    let reply = api.submit_raw(command(start)).await.map_err(|error| match error {
        CommandError::Machine(MachineError::NotFound {
            kind: Entity::ProcessDefinition,
            ..
        }) => unknown,
        CommandError::Machine(error @ MachineError::AlreadyRunning(_)) => error.into(),
        error => RestError::from(error).wrapped(&cannot),
    })?;
    match reply {
        Reply::Started(started) => Ok(ok(dto_of(&api, &started, with_variables))),
        other => Err(RestError::unexpected(&other)),
    }
}

/// A started instance, with its links and variables as they were asked for.
pub(super) fn dto_of<'s>(api: &Api, started: &'s Started, with_variables: bool) -> InstanceDto<'s> {
    let (ids, definition) = (api.ids, &started.definition);
    let full = ids.definition(&definition.key, definition.version, definition.id);
    let key = definition.key.clone().into();
    let mut dto = InstanceDto::new(ids, &started.instance, full.into(), key, started.ended);
    let href = format!("{}/process-instance/{}", api.base, dto.id);
    dto.links.push(LinkDto::to_self(href));
    dto.variables = with_variables.then_some(TypedMap(&started.variables, Objects::Serialised));
    dto.handoff = Some(once::status(started.status));
    dto
}
