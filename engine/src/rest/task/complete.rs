//! Completing a task, by itself or by its form.

use axum::response::Response;
use handoff_machine::error::Entity;
use handoff_machine::{Command, MachineError, Reply};
use serde::Deserialize;

use super::act::{Unknown, no_task};
use crate::rest::api::Api;
use crate::rest::body::{Body, flag, no_content, ok};
use crate::rest::error::Result;
use crate::rest::path::Path;
use crate::rest::variables::{Objects, VariablesDto, inputs, typed_map};
use crate::service::CommandError;

/// `CompleteTaskDto`
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct CompleteDto {
    variables: VariablesDto,
    #[serde(deserialize_with = "flag")]
    with_variables_in_return: Option<bool>,
}

/// `POST /task/{id}/complete`: an unknown task is 500, as in Camunda.
pub(super) async fn complete(api: Api, Path(id): Path<String>, Body(dto): Body<CompleteDto>) -> Result<Response> {
    let cannot = format!("Cannot complete task {id}: ");
    finish(&api, &id, &dto, &cannot, false).await
}

async fn finish(api: &Api, id: &str, dto: &CompleteDto, cannot: &str, form: bool) -> Result<Response> {
    let variables = inputs(&dto.variables).map_err(|error| error.wrapped(cannot))?;
    let (id_key, with_variables) = (api.ids.read(id), dto.with_variables_in_return.unwrap_or(false));
    let command = match form {
        true => Command::SubmitTaskForm {
            id: id_key,
            variables,
            with_variables,
        },
        false => Command::CompleteTask {
            id: id_key,
            variables,
            with_variables,
        },
    };
    let reply = api.submit_raw(command).await.map_err(|error| match error {
        CommandError::Machine(MachineError::NotFound { kind: Entity::Task, .. }) => no_task(id, Unknown::NullValue),
        error => error.into(),
    });
    match reply.map_err(|error| error.wrapped(cannot))? {
        Reply::Variables(variables) => Ok(ok(typed_map(&variables, Objects::Serialised))),
        _ => Ok(no_content()),
    }
}

/// `POST /task/{id}/submit-form`: a task that was delegated goes back to its owner, all others are completed.
pub(super) async fn submit_form(api: Api, Path(id): Path<String>, Body(dto): Body<CompleteDto>) -> Result<Response> {
    let cannot = format!("Cannot submit task form {id}: ");
    finish(&api, &id, &dto, &cannot, true).await
}
