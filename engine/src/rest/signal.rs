//! `POST /signal`: to all who wait for it and to the start events of its name, or to one execution (`SignalRestService`).

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use handoff_machine::command::Signal;
use handoff_machine::view::Tenant;
use handoff_machine::{Command, MachineError};
use http::StatusCode;
use serde::Deserialize;

use super::api::Api;
use super::body::{Body, flag, no_content, text};
use super::error::{RestError, Result};
use super::variables::{VariablesDto, inputs};
use crate::service::CommandError;

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/signal", post(throw))
}

/// `SignalDto`
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SignalDto {
    #[serde(deserialize_with = "text")]
    name: Option<String>,
    #[serde(deserialize_with = "text")]
    execution_id: Option<String>,
    variables: VariablesDto,
    #[serde(deserialize_with = "text")]
    tenant_id: Option<String>,
    #[serde(deserialize_with = "flag")]
    without_tenant_id: Option<bool>,
}

async fn throw(api: Api, Body(dto): Body<SignalDto>) -> Result<Response> {
    let Some(name) = dto.name else {
        return Err(RestError::invalid("No signal name given"));
    };
    let signal = Signal {
        name,
        execution: dto.execution_id.map(|id| api.ids.read(&id)),
        // Where both are said, the latter wins, as in Camunda.
        tenant: match (dto.without_tenant_id.unwrap_or(false), dto.tenant_id) {
            (true, _) => Tenant::None,
            (false, Some(tenant)) => Tenant::Is(tenant),
            (false, None) => Tenant::Any,
        },
        variables: inputs(&dto.variables)?,
    };
    match api.submit_raw(Command::Signal(Box::new(signal))).await {
        Ok(_) => Ok(no_content()),
        // An execution that does not wait for the signal is 500 here, as in Camunda.
        Err(CommandError::Machine(MachineError::NotFound { message, .. })) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Err(RestError::of_engine(status, "RestException", message))
        }
        Err(error) => Err(error.into()),
    }
}
