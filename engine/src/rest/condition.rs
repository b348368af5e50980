//! `POST /condition`: starts an instance for each conditional start event whose condition holds
//! (`ConditionRestService`).

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use handoff_machine::command::Evaluate;
use handoff_machine::{Command, Reply};
use serde::Deserialize;

use super::api::Api;
use super::body::{Body, flag, ok, text};
use super::error::{RestError, Result};
use super::message::tenant;
use super::process_definition;
use super::variables::{VariablesDto, inputs};

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
    let evaluate = Evaluate {
        definition: dto.process_definition_id.map(|id| api.ids.read_definition(&id)),
        business_key: dto.business_key,
        tenant: tenant(dto.tenant_id, dto.without_tenant_id.unwrap_or(false))?,
        variables: inputs(&dto.variables)?,
    };
    match api.submit(Command::Evaluate(Box::new(evaluate))).await? {
        Reply::StartedAll(started) => Ok(ok(started
            .iter()
            .map(|started| process_definition::started(&api, started))
            .collect::<Vec<_>>())),
        other => Err(RestError::unexpected(&other)),
    }
}
