//! Completing a task, by itself or by its form.

use axum::response::Response;
use handoff_machine::error::Entity;
use handoff_machine::{Command, MachineError, Reply};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::act::{Unknown, no_task};
use crate::rest::api::Api;
use crate::rest::body::{Body, flag, no_content, ok};
use crate::rest::error::{RestError, Result};
use crate::rest::path::Path;
use crate::rest::process_definition::form;
use crate::rest::query::Params;
use crate::rest::scope;
use crate::rest::variables::{Objects, VariablesDto, inputs, typed, typed_map};
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

/// `GET /task/{id}/form`
pub(super) async fn form(api: Api, Path(id): Path<String>) -> Result<Response> {
    let unknown = || {
        let message = format!("Cannot get form for task {id}");
        RestError::of_engine(StatusCode::BAD_REQUEST, "RestException", message)
    };
    let task = super::find(&api, &id).await?.ok_or_else(unknown)?;
    Ok(ok(
        json!({ "key": task.form_key, "camundaFormRef": null, "contextPath": null }),
    ))
}

/// `GET /task/{id}/form-variables`: the fields of its form, and what the task sees.
pub(super) async fn form_variables(api: Api, Path(id): Path<String>, params: Params) -> Result<Response> {
    let names = params.list("variableNames")?;
    let objects = Objects::when(params.flag("deserializeValues").unwrap_or(true));
    if super::find(&api, &id).await?.is_none() {
        let message = format!("Cannot find task with id '{id}'.: task is null");
        return Err(RestError::of_engine(
            StatusCode::BAD_REQUEST,
            "BadUserRequestException",
            message,
        ));
    }
    let fields = form::fields(&api, Command::TaskFormFields(api.ids.read(&id))).await?;
    let variables = api
        .read(move |reader| scope::visible(reader, &scope::scopes(reader, scope::Kind::Task, &id)?))
        .await?;
    let mut shown = Map::new();
    for (name, value) in variables {
        shown.insert(name, Json::Object(typed(&value, objects)));
    }
    // A field shows a variable in its own way.
    shown.extend(fields);
    if let Some(names) = names {
        shown.retain(|name, _| names.contains(name));
    }
    Ok(ok(Json::Object(shown)))
}

/// `GET /task/{id}/rendered-form`: none is rendered.
pub(super) async fn rendered_form(Path(id): Path<String>) -> RestError {
    RestError::unknown(format!("No matching rendered form for task with the id {id} found."))
}

/// `GET /task/{id}/deployed-form`
pub(super) async fn deployed_form(api: Api, Path(id): Path<String>) -> Result<Response> {
    let missing = || {
        let message = format!("Cannot get the form of task {id}: there is no such task");
        RestError::of_engine(StatusCode::BAD_REQUEST, "InvalidRequestException", message)
    };
    let task = super::find(&api, &id).await?.ok_or_else(missing)?;
    api.read(move |reader| form::deployed(reader, task.form_key.as_deref(), task.definition()))
        .await
}
