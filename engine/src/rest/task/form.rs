//! The forms of tasks.

use axum::response::Response;
use handoff_machine::Question;
use http::StatusCode;
use serde_json::{Map, Value as Json};

use super::find;
use crate::rest::api::Api;
use crate::rest::body::ok;
use crate::rest::error::{RestError, Result};
use crate::rest::form;
use crate::rest::path::Path;
use crate::rest::query::Params;
use crate::rest::scope;
use crate::rest::variables::{Objects, typed};

/// `GET /task/{id}/form`
pub(super) async fn of_task(api: Api, Path(id): Path<String>) -> Result<Response> {
    let unknown = || {
        let message = format!("Cannot get form for task {id}");
        RestError::of_engine(StatusCode::BAD_REQUEST, "RestException", message)
    };
    let task = find(&api, &id).await?.ok_or_else(unknown)?;
    Ok(ok(form::dto(&form::name(&api, &task).await?)))
}

/// `GET /task/{id}/form-variables`: the fields of its form, and what the task sees.
pub(super) async fn variables(api: Api, Path(id): Path<String>, params: Params) -> Result<Response> {
    let names = params.list("variableNames")?;
    let objects = Objects::when(params.flag("deserializeValues").unwrap_or(true));
    if find(&api, &id).await?.is_none() {
        let message = format!("Cannot find task with id '{id}'.: task is null");
        return Err(RestError::of_engine(
            StatusCode::BAD_REQUEST,
            "BadUserRequestException",
            message,
        ));
    }
    let fields = form::fields(&api, Question::TaskFields(api.ids.read(&id))).await?;
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
pub(super) async fn rendered(Path(id): Path<String>) -> RestError {
    RestError::unknown(format!("No matching rendered form for task with the id {id} found."))
}

/// `GET /task/{id}/deployed-form`
pub(super) async fn deployed(api: Api, Path(id): Path<String>) -> Result<Response> {
    let missing = || {
        let message = format!("Cannot get the form of task {id}: there is no such task");
        RestError::of_engine(StatusCode::BAD_REQUEST, "InvalidRequestException", message)
    };
    let task = find(&api, &id).await?.ok_or_else(missing)?;
    let name = form::name(&api, &task).await?;
    api.read(move |reader| form::deployed(reader, &name, task.definition()))
        .await
}
