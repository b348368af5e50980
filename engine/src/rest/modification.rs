//! `POST /process-instance/{id}/modification` and `/modification/execute`: tokens are cancelled and put elsewhere.

use std::collections::BTreeSet;

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use handoff_machine::command::{BatchWork, Instruction, Modification};
use handoff_machine::{Command, Id};
use serde::Deserialize;

use super::api::Api;
use super::body::{Body, flag, no_content, ok, text};
use super::error::{RestError, Result};
use super::instructions::{InstructionDto, modification};
use super::path::Path;
use super::targets::{self, InstancesDto, do_at_once, start_batch};

/// Instances that are modified in one transaction, while the caller waits.
const SYNCHRONOUS_MAX: usize = 1_000;

/// The routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/process-instance/{id}/modification", post(modify))
        .route("/process-instance/{id}/modification-async", post(modify_async))
        .route("/modification/execute", post(execute))
        .route("/modification/executeAsync", post(execute_async))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ModifyDto {
    instructions: Option<Vec<InstructionDto>>,
    #[serde(deserialize_with = "flag")]
    skip_custom_listeners: Option<bool>,
    #[serde(deserialize_with = "flag")]
    skip_io_mappings: Option<bool>,
    #[serde(deserialize_with = "text")]
    annotation: Option<String>,
}

impl ModifyDto {
    fn read(&self, api: &Api) -> Result<Modification> {
        let list = self.instructions.as_deref().unwrap_or_default();
        Ok(Modification {
            instructions: modification(api.ids, list)?,
            skip_custom_listeners: self.skip_custom_listeners.unwrap_or(false),
            skip_io_mappings: self.skip_io_mappings.unwrap_or(false),
            reason: None,
            definition: None,
            annotation: self.annotation.clone(),
        })
    }
}

async fn modify(api: Api, Path(id): Path<String>, Body(dto): Body<ModifyDto>) -> Result<Response> {
    if dto.instructions.is_none() {
        return Ok(no_content());
    }
    let modification = dto.read(&api)?;
    api.run(Command::ModifyInstance {
        id: api.ids.read(&id),
        modification,
    })
    .await?;
    Ok(no_content())
}

async fn modify_async(api: Api, Path(id): Path<String>, Body(dto): Body<ModifyDto>) -> Result<Response> {
    let work = BatchWork::Modify(dto.read(&api)?);
    Ok(ok(start_batch(&api, work, vec![api.ids.read(&id)]).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ExecuteDto {
    #[serde(deserialize_with = "text")]
    process_definition_id: Option<String>,
    #[serde(flatten)]
    modify: ModifyDto,
    #[serde(flatten)]
    instances: InstancesDto,
}

impl ExecuteDto {
    async fn read(self, api: &Api) -> Result<(Modification, Vec<Id>)> {
        let Some(definition) = &self.process_definition_id else {
            return Err(RestError::invalid("processDefinitionId is null"));
        };
        let list = self.modify.instructions.as_deref().unwrap_or_default();
        if list.is_empty() {
            return Err(RestError::invalid("Modification instructions cannot be empty is empty"));
        }
        let mut modification = self.modify.read(api)?;
        modification.definition = Some(targets::definition(api, definition).await?);
        // "All that run now": a token that this very modification has started is not meant.
        let running: BTreeSet<&str> = list
            .iter()
            .zip(&modification.instructions)
            .filter(|(dto, _)| dto.cancels_all())
            .filter_map(|(_, instruction)| match instruction {
                Instruction::CancelActivity(activity) => Some(activity.as_str()),
                _ => None,
            })
            .collect();
        if !running.is_empty() {
            let first = |instruction: &Instruction| !matches!(instruction, Instruction::CancelActivity(activity) if running.contains(activity.as_str()));
            let (rest, cancelled): (Vec<_>, Vec<_>) = modification.instructions.iter().cloned().partition(first);
            // Started tokens come first, so that scopes that both are in stay.
            modification.instructions = if rest.iter().any(|i| matches!(i, Instruction::Start(_))) {
                cancelled.into_iter().chain(rest).collect()
            } else {
                rest.into_iter().chain(cancelled).collect()
            };
        }
        let instances = self.instances.found(api).await?;
        if instances.is_empty() {
            return Err(targets::empty(
                "Process instance ids cannot be empty: Process instance ids",
            ));
        }
        Ok((modification, instances))
    }
}

/// `POST /modification/execute`
async fn execute(api: Api, Body(dto): Body<ExecuteDto>) -> Result<Response> {
    let (modification, instances) = dto.read(&api).await?;
    if instances.len() > SYNCHRONOUS_MAX {
        return Err(RestError::invalid(format!(
            "at most {SYNCHRONOUS_MAX} instances are modified at once: use /modification/executeAsync"
        )));
    }
    let done = do_at_once(&api, BatchWork::Modify(modification), instances).await;
    done.map_err(of_execution)?;
    Ok(no_content())
}

/// As Camunda's resource has them: what is wrong with the request is the REST's own error, and an instance that is not there
/// the engine's.
fn of_execution(error: RestError) -> RestError {
    use http::StatusCode as S;
    match error.status {
        S::BAD_REQUEST if error.code.is_some() => RestError::invalid(error.message),
        S::NOT_FOUND => RestError::of_engine(S::INTERNAL_SERVER_ERROR, "ProcessEngineException", error.message),
        _ => error,
    }
}

/// `POST /modification/executeAsync`
async fn execute_async(api: Api, Body(dto): Body<ExecuteDto>) -> Result<Response> {
    let (modification, instances) = dto.read(&api).await?;
    Ok(ok(start_batch(&api, BatchWork::Modify(modification), instances).await?))
}
