//! `POST /message`: correlates a message, or starts an instance by it (`rest-semantics` 3.4).
//!
//! With `dedupeKey` or `ifRunning` (F2 of the design) only message start events are considered, never an execution.

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use handoff_machine::command::{Correlate, Correlated};
use handoff_machine::view::Tenant;
use handoff_machine::{Command, Reply, Value};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::api::Api;
use super::body::{Body, flag, no_content, ok, text};
use super::error::{RestError, Result};
use super::once;
use super::process_definition;
use super::variables::{Objects, VariablesDto, inputs, keys, typed_map};

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/message", post(correlate))
}

/// `CorrelationMessageDto`, with the fields of F2.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct MessageDto {
    #[serde(deserialize_with = "text")]
    message_name: Option<String>,
    #[serde(deserialize_with = "text")]
    business_key: Option<String>,
    correlation_keys: VariablesDto,
    local_correlation_keys: VariablesDto,
    process_variables: VariablesDto,
    process_variables_local: VariablesDto,
    process_variables_to_triggered_scope: VariablesDto,
    #[serde(deserialize_with = "text")]
    tenant_id: Option<String>,
    #[serde(deserialize_with = "flag")]
    without_tenant_id: Option<bool>,
    #[serde(deserialize_with = "text")]
    process_instance_id: Option<String>,
    #[serde(deserialize_with = "flag")]
    all: Option<bool>,
    #[serde(deserialize_with = "flag")]
    result_enabled: Option<bool>,
    #[serde(deserialize_with = "flag")]
    variables_in_result_enabled: Option<bool>,
    #[serde(deserialize_with = "text")]
    dedupe_key: Option<String>,
    #[serde(deserialize_with = "text")]
    if_running: Option<String>,
}

async fn correlate(api: Api, Body(dto): Body<MessageDto>) -> Result<Response> {
    let with_result = dto.result_enabled.unwrap_or(false);
    let with_variables = dto.variables_in_result_enabled.unwrap_or(false);
    let command = Command::Correlate(Box::new(dto.into_command(&api)?));
    let receivers = match api.submit(command).await? {
        Reply::Correlated(receivers) => receivers,
        other => return Err(RestError::unexpected(&other)),
    };
    if !with_result {
        return Ok(no_content());
    }
    Ok(ok(receivers
        .iter()
        .map(|receiver| result(&api, receiver, with_variables))
        .collect::<Vec<_>>()))
}

/// Which receivers `tenantId` and `withoutTenantId` mean.
pub(super) fn tenant(tenant: Option<String>, without: bool) -> Result<Tenant> {
    match (tenant, without) {
        (Some(_), true) => Err(RestError::invalid(
            "Parameter 'tenantId' cannot be used together with parameter 'withoutTenantId'.",
        )),
        (Some(tenant), false) => Ok(Tenant::Is(tenant)),
        (None, true) => Ok(Tenant::None),
        (None, false) => Ok(Tenant::Any),
    }
}

impl MessageDto {
    fn into_command(self, api: &Api) -> Result<Correlate> {
        let Some(name) = self.message_name.filter(|name| !name.is_empty()) else {
            return Err(RestError::invalid("No message name supplied"));
        };
        let tenant = tenant(self.tenant_id, self.without_tenant_id.unwrap_or(false))?;
        let with_variables = self.variables_in_result_enabled.unwrap_or(false);
        if with_variables && !self.result_enabled.unwrap_or(false) {
            let message = "Parameter 'variablesInResultEnabled' cannot be used without 'resultEnabled' set to true.";
            return Err(RestError::invalid(message));
        }
        if self.process_instance_id.is_some() && tenant != Tenant::Any {
            return Err(RestError::of_engine(
                http::StatusCode::BAD_REQUEST,
                "BadUserRequestException",
                "ENGINE-13028 Cannot correlate a message by process instance id together with a tenant id",
            ));
        }
        let start_only = self.dedupe_key.is_some() || self.if_running.is_some();
        let once = once::read(self.dedupe_key, self.if_running.as_deref())?;
        let deliver = |error: RestError| error.wrapped("Cannot deliver message: ");
        Ok(Correlate {
            name,
            business_key: self.business_key,
            instance: self.process_instance_id.map(|id| api.ids.read(&id)),
            tenant,
            correlation_keys: keys(&self.correlation_keys).map_err(deliver)?,
            local_correlation_keys: keys(&self.local_correlation_keys).map_err(deliver)?,
            variables: inputs(&self.process_variables).map_err(deliver)?,
            local_variables: inputs(&self.process_variables_local).map_err(deliver)?,
            triggered_scope_variables: inputs(&self.process_variables_to_triggered_scope).map_err(deliver)?,
            all: self.all.unwrap_or(false),
            start_only,
            once,
            with_variables,
        })
    }
}

/// `MessageCorrelationResultDto`; `variables` only where they were asked for.
fn result(api: &Api, receiver: &Correlated, with_variables: bool) -> Json {
    let mut dto = Map::new();
    let variables: &[(String, Value)] = match receiver {
        Correlated::Execution {
            id,
            instance,
            tenant,
            ended,
            variables,
        } => {
            dto.insert("resultType".into(), "Execution".into());
            let execution = json!({
                "id": api.ids.text(*id),
                "processInstanceId": api.ids.text(*instance),
                "ended": ended,
                "tenantId": tenant,
            });
            dto.insert("execution".into(), execution);
            dto.insert("processInstance".into(), Json::Null);
            variables
        }
        Correlated::Started(started) => {
            dto.insert("resultType".into(), "ProcessDefinition".into());
            dto.insert("execution".into(), Json::Null);
            dto.insert("processInstance".into(), process_definition::started(api, started));
            dto.insert("handoff".into(), json!(once::status(started.status)));
            &started.variables
        }
    };
    if with_variables {
        dto.insert("variables".into(), typed_map(variables, Objects::Serialised));
    }
    Json::Object(dto)
}
