//! What operators do with definitions: suspension, restart of instances, time to live.

use axum::Router;
use axum::response::Response;
use axum::routing::{post, put};
use handoff_machine::Command;
use handoff_machine::command::{BatchWork, DefinitionTarget, Restart, SuspendDefinitions};
use serde::Deserialize;

use crate::rest::api::Api;
use crate::rest::body::{Body, flag, integer, no_content, ok, text};
use crate::rest::error::{RestError, Result};
use crate::rest::instructions::{InstructionDto, starts};
use crate::rest::path::Path;
use crate::rest::suspension::{definitions, execution_date};
use crate::rest::targets::{self, InstancesDto, start_batch};

/// Instances that are restarted while the caller waits.
const SYNCHRONOUS_MAX: usize = 1_000;

/// The routes.
pub(super) fn routes() -> Router<Api> {
    const TENANT: &str = "/process-definition/key/{key}/tenant-id/{tenant}";
    Router::new()
        .route("/process-definition/suspended", put(suspend_by_key_in_body))
        .route("/process-definition/{id}/suspended", put(suspend_by_id))
        .route("/process-definition/key/{key}/suspended", put(suspend_by_key))
        .route(&format!("{TENANT}/suspended"), put(suspend_by_key_and_tenant))
        .route("/process-definition/{id}/restart", post(restart))
        .route("/process-definition/{id}/restart-async", post(restart_async))
        .route("/process-definition/{id}/history-time-to-live", put(set_time_to_live))
        .route(
            "/process-definition/key/{key}/history-time-to-live",
            put(set_time_to_live_by_key),
        )
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SuspendDto {
    #[serde(deserialize_with = "text")]
    process_definition_id: Option<String>,
    #[serde(deserialize_with = "text")]
    process_definition_key: Option<String>,
    #[serde(deserialize_with = "flag")]
    suspended: Option<bool>,
    #[serde(deserialize_with = "flag")]
    include_process_instances: Option<bool>,
    #[serde(deserialize_with = "text")]
    execution_date: Option<String>,
}

impl SuspendDto {
    async fn run(self, api: &Api, target: DefinitionTarget) -> Result<Response> {
        api.run(Command::SuspendDefinitions(SuspendDefinitions {
            target,
            suspended: self.suspended.unwrap_or(false),
            include_instances: self.include_process_instances.unwrap_or(false),
            at: execution_date(self.execution_date.as_deref())?,
        }))
        .await?;
        Ok(no_content())
    }
}

async fn suspend_by_id(api: Api, Path(id): Path<String>, Body(dto): Body<SuspendDto>) -> Result<Response> {
    if dto.process_definition_key.is_some() {
        return Err(RestError::invalid(
            "Only the process definition id or the process definition key can be set to update the suspension state.",
        ));
    }
    let target = DefinitionTarget::Id(api.ids.read_definition(&id));
    dto.run(&api, target).await
}

async fn suspend_by_key_in_body(api: Api, Body(dto): Body<SuspendDto>) -> Result<Response> {
    if dto.process_definition_id.is_some() {
        return Err(RestError::invalid(
            "Only processDefinitionKey can be set to update the suspension state.",
        ));
    }
    let target = definitions(api.ids, None, dto.process_definition_key.as_deref(), None, false)?;
    dto.run(&api, target).await
}

async fn suspend_by_key(api: Api, Path(key): Path<String>, Body(dto): Body<SuspendDto>) -> Result<Response> {
    dto.run(&api, latest(&api, key, None).await?).await
}

/// The latest version: a key in the path names no other, as in Camunda.
async fn latest(api: &Api, key: String, tenant: Option<String>) -> Result<DefinitionTarget> {
    let named = crate::rest::definition::Named::Key(key, tenant);
    let found = api.read(move |reader| Ok(named.find(reader)?.id)).await;
    found.map(DefinitionTarget::Id)
}

async fn suspend_by_key_and_tenant(
    api: Api,
    Path((key, tenant)): Path<(String, String)>,
    Body(dto): Body<SuspendDto>,
) -> Result<Response> {
    dto.run(&api, latest(&api, key, Some(tenant)).await?).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RestartDto {
    instructions: Option<Vec<InstructionDto>>,
    #[serde(deserialize_with = "flag")]
    initial_variables: Option<bool>,
    #[serde(deserialize_with = "flag")]
    without_business_key: Option<bool>,
    #[serde(deserialize_with = "flag")]
    skip_custom_listeners: Option<bool>,
    #[serde(deserialize_with = "flag")]
    skip_io_mappings: Option<bool>,
    #[serde(flatten)]
    instances: InstancesDto,
}

impl RestartDto {
    fn read(&self, api: &Api, definition: &str) -> Result<Restart> {
        let at = starts(api.ids, self.instructions.as_deref().unwrap_or_default())?;
        if at.is_empty() {
            return Err(RestError::of_engine(
                http::StatusCode::BAD_REQUEST,
                "BadUserRequestException",
                "Restart instructions cannot be empty: instructions is empty",
            ));
        }
        Ok(Restart {
            definition: api.ids.read_definition(definition),
            at,
            initial_variables: self.initial_variables.unwrap_or(false),
            without_business_key: self.without_business_key.unwrap_or(false),
            skip_custom_listeners: self.skip_custom_listeners.unwrap_or(false),
            skip_io_mappings: self.skip_io_mappings.unwrap_or(false),
        })
    }
}

async fn restart(api: Api, Path(id): Path<String>, Body(dto): Body<RestartDto>) -> Result<Response> {
    let restart = dto.read(&api, &id)?;
    targets::definition(&api, &id).await?;
    let instances = dto.instances.resolve(&api).await?;
    if instances.len() > SYNCHRONOUS_MAX {
        return Err(RestError::invalid(format!(
            "at most {SYNCHRONOUS_MAX} instances are restarted at once: use restart-async"
        )));
    }
    api.run(Command::RestartInstances { restart, instances }).await?;
    Ok(no_content())
}

async fn restart_async(api: Api, Path(id): Path<String>, Body(dto): Body<RestartDto>) -> Result<Response> {
    let work = BatchWork::Restart(dto.read(&api, &id)?);
    let instances = dto.instances.resolve(&api).await?;
    Ok(ok(start_batch(&api, work, instances).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TimeToLiveDto {
    #[serde(deserialize_with = "integer")]
    history_time_to_live: Option<i64>,
}

impl TimeToLiveDto {
    fn days(&self) -> Result<Option<i32>> {
        let days = self.history_time_to_live.map(i32::try_from).transpose();
        days.map_err(|_| RestError::invalid("historyTimeToLive is out of range"))
    }
}

async fn set_time_to_live(api: Api, Path(id): Path<String>, Body(dto): Body<TimeToLiveDto>) -> Result<Response> {
    let definition = api.ids.read_definition(&id);
    let days = dto.days()?;
    api.run(Command::SetHistoryTimeToLive { definition, days }).await?;
    Ok(no_content())
}

async fn set_time_to_live_by_key(
    api: Api,
    Path(key): Path<String>,
    Body(dto): Body<TimeToLiveDto>,
) -> Result<Response> {
    let days = dto.days()?;
    let named = crate::rest::definition::Named::Key(key, None);
    let definition = api.read(move |reader| Ok(named.find(reader)?.id)).await?;
    api.run(Command::SetHistoryTimeToLive { definition, days }).await?;
    Ok(no_content())
}
