//! `POST /condition`: starts an instance for each conditional start event whose condition holds
//! (`ConditionRestService`).

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use handoff_machine::command::Evaluate;
use handoff_machine::error::Entity;
use handoff_machine::{Command, MachineError, Reply};
use serde::Deserialize;

use super::api::Api;
use super::body::{Body, flag, ok, text};
use super::error::{RestError, Result};
use super::message::tenant;
use super::process_definition;
use super::variables::{VariablesDto, inputs};
use crate::service::CommandError;

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/condition", post(evaluate))
}

/// `EvaluationConditionDto`
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ConditionDto {
    variables: VariablesDto,
    #[serde(deserialize_with = "text")]
    business_key: Option<String>,
    #[serde(deserialize_with = "text")]
    tenant_id: Option<String>,
    #[serde(deserialize_with = "flag")]
    without_tenant_id: Option<bool>,
    #[serde(deserialize_with = "text")]
    process_definition_id: Option<String>,
}

async fn evaluate(api: Api, Body(dto): Body<ConditionDto>) -> Result<Response> {
    let named = dto.process_definition_id.clone();
    let evaluate = Evaluate {
        definition: dto.process_definition_id.map(|id| api.ids.read_definition(&id)),
        business_key: dto.business_key,
        tenant: tenant(dto.tenant_id, dto.without_tenant_id.unwrap_or(false))?,
        variables: inputs(&dto.variables)?,
    };
    let reply = api.submit_raw(Command::Evaluate(Box::new(evaluate))).await;
    let reply = reply.map_err(|error| match (error, named) {
        (
            CommandError::Machine(MachineError::NotFound {
                kind: Entity::ProcessDefinition,
                ..
            }),
            Some(id),
        ) => process_definition::unknown_id(&id),
        (error, _) => error.into(),
    })?;
    match reply {
        Reply::StartedAll(started) => Ok(ok(started
            .iter()
            .map(|started| process_definition::started(&api, started))
            .collect::<Vec<_>>())),
        other => Err(RestError::unexpected(&other)),
    }
}
