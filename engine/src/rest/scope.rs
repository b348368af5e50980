//! The variables that a thing has: `/process-instance/{id}/variables`, `/execution/{id}/localVariables`,
//! `/task/{id}/variables`.
//!
//! An execution is named by its own id or, the outermost one, by that of its process instance: clients use both with
//! either resource.

use std::collections::HashSet;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use handoff_machine::command::{VariableInput, VariablesCall};
use handoff_machine::row::{Execution, Instance, UserTask, Variable};
use handoff_machine::value::Value;
use handoff_machine::{Command, Id};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value as Json;

use super::api::Api;
use super::body::{Body, no_content, ok, texts};
use super::error::{RestError, Result};
use super::path::Path;
use super::query::{Params, Select};
use super::reader::Reader;
use super::variables::{Objects, Upload, VariableDto, VariablesDto, data, inputs, typed, typed_map};

/// What has the variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// All that are visible from an instance (or from an execution).
    ProcessInstance,
    /// Those of one execution alone.
    Execution,
    /// All that are visible from a user task.
    Task,
    /// Those of one user task alone.
    TaskLocal,
}

impl Kind {
    /// In messages.
    fn name(self) -> &'static str {
        match self {
            Self::ProcessInstance => "process instance",
            Self::Execution => "execution",
            Self::Task | Self::TaskLocal => "task",
        }
    }

    fn is_local(self) -> bool {
        matches!(self, Self::Execution | Self::TaskLocal)
    }
}

/// The routes of one kind at `path`, which has one parameter.
pub(crate) fn routes(path: &str, kind: Kind) -> Router<Api> {
    let all =
        get(move |api, id, params| list(kind, api, id, params)).post(move |api, id, body| modify(kind, api, id, body));
    let one = get(move |api, names, params| show(kind, api, names, params))
        .put(move |api, names, body| put(kind, api, names, body))
        .delete(move |api, names| delete(kind, api, names));
    let content = get(move |api, names| download(kind, api, names));
    Router::new()
        .route(path, all)
        .route(&format!("{path}/{{name}}"), one)
        .route(
            &format!("{path}/{{name}}/data"),
            content.post(move |api, names, form| upload(kind, api, names, form)),
        )
}

/// Where to look, from inside out.
///
/// # Errors
/// 500 `NullValueException`, as in Camunda: nothing has this id.
pub(crate) fn scopes(reader: &Reader<'_>, kind: Kind, text: &str) -> Result<Vec<Id>> {
    let id = reader.ids.read(text);
    match kind {
        Kind::Task | Kind::TaskLocal => {
            let task = Select::<UserTask>::by_id(reader.connection, id)?.ok_or_else(|| missing(kind, text))?;
            scopes_of_task(reader, kind, &task)
        }
        Kind::ProcessInstance | Kind::Execution => {
            let mut scopes = Vec::new();
            match outwards(reader, id, kind.is_local(), &mut scopes)? {
                true => Ok(scopes),
                false => Err(missing(kind, text)),
            }
        }
    }
}

/// Where to look from a user task.
///
/// # Errors
/// 500 where the store fails.
pub(crate) fn scopes_of_task(reader: &Reader<'_>, kind: Kind, task: &UserTask) -> Result<Vec<Id>> {
    let mut scopes = vec![task.id];
    if let (Kind::Task, Some(execution)) = (kind, task.execution()) {
        outwards(reader, execution, false, &mut scopes)?;
    }
    Ok(scopes)
}

/// The scopes from an execution or instance outwards, or only itself; whether it is there.
fn outwards(reader: &Reader<'_>, from: Id, only_itself: bool, scopes: &mut Vec<Id>) -> Result<bool> {
    let mut id = from;
    scopes.push(id);
    while let Some(execution) = Select::<Execution>::by_id(reader.connection, id)? {
        if only_itself {
            return Ok(true);
        }
        id = execution.parent;
        scopes.push(id);
    }
    Ok(Select::<Instance>::by_id(reader.connection, id)?.is_some())
}

fn missing(kind: Kind, id: &str) -> RestError {
    let what = match kind {
        Kind::Task | Kind::TaskLocal => "task",
        Kind::ProcessInstance | Kind::Execution => "execution",
    };
    let message = format!("{what} {id} doesn't exist: {what} is null");
    RestError::of_engine(StatusCode::INTERNAL_SERVER_ERROR, "NullValueException", message)
}

/// All that can be seen from these scopes; those of the first ones win.
///
/// # Errors
/// 500 where the store fails.
pub(crate) fn visible(reader: &Reader<'_>, scopes: &[Id]) -> Result<Vec<(String, Value)>> {
    let mut names = HashSet::new();
    let mut variables = Vec::new();
    for scope in scopes {
        let mut select = Select::<Variable>::new();
        select.with("scope = ?", Some(scope.0));
        for variable in select.rows(reader.connection)? {
            if names.insert(variable.name.clone()) {
                variables.push((variable.name, variable.value));
            }
        }
    }
    Ok(variables)
}

fn find(reader: &Reader<'_>, kind: Kind, text: &str, name: &str) -> Result<Value> {
    let before = format!("Cannot get {} variable {name}: ", kind.name());
    for scope in scopes(reader, kind, text).map_err(|error| error.wrapped(&before))? {
        let mut select = Select::<Variable>::new();
        select
            .with("scope = ?", Some(scope.0))
            .with("name = ?", Some(name.to_owned()));
        if let Some(variable) = select.rows(reader.connection)?.pop() {
            return Ok(variable.value);
        }
    }
    Err(RestError::unknown(format!(
        "{} variable with name {name} does not exist",
        kind.name()
    )))
}

async fn list(kind: Kind, api: Api, Path(id): Path<String>, params: Params) -> Result<Response> {
    let objects = Objects::when(params.flag("deserializeValues").unwrap_or(true));
    let variables = api
        .read(move |reader| visible(reader, &scopes(reader, kind, &id)?))
        .await?;
    Ok(ok(typed_map(&variables, objects)))
}

async fn show(kind: Kind, api: Api, Path((id, name)): Path<(String, String)>, params: Params) -> Result<Response> {
    let objects = Objects::when(params.flag("deserializeValue").unwrap_or(true));
    let value = api.read(move |reader| find(reader, kind, &id, &name)).await?;
    Ok(ok(Json::Object(typed(&value, objects))))
}

async fn download(kind: Kind, api: Api, Path((id, name)): Path<(String, String)>) -> Result<Response> {
    let asked = name.clone();
    let value = api.read(move |reader| find(reader, kind, &id, &asked)).await?;
    data(value, &name)
}

async fn upload(
    kind: Kind,
    api: Api,
    Path((id, name)): Path<(String, String)>,
    Upload { value }: Upload,
) -> Result<Response> {
    let before = format!("Cannot put {} variable {name}: ", kind.name());
    let variable = VariableInput {
        name,
        value,
        transient: false,
    };
    set(kind, &api, id, vec![variable], Vec::new(), VariablesCall::Set)
        .await
        .map_err(|error| error.wrapped(&before))
}

async fn put(
    kind: Kind,
    api: Api,
    Path((id, name)): Path<(String, String)>,
    Body(dto): Body<VariableDto>,
) -> Result<Response> {
    let before = format!("Cannot put {} variable {name}: ", kind.name());
    let wrap = |error: RestError| match error.code {
        Some(_) => error.wrapped(&before),
        None => error.into_kind("RestException").context(&before),
    };
    let variable = dto.to_input(name.clone()).map_err(wrap)?;
    set(kind, &api, id, vec![variable], Vec::new(), VariablesCall::Set)
        .await
        .map_err(wrap)
}

async fn delete(kind: Kind, api: Api, Path((id, name)): Path<(String, String)>) -> Result<Response> {
    let before = format!("Cannot delete {} variable {name}: ", kind.name());
    set(kind, &api, id, Vec::new(), vec![name], VariablesCall::Remove)
        .await
        .map_err(|error| error.wrapped(&before))
}

/// `PatchVariablesDto`; a `workerId`, as the Java client sends it, means nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ModifyDto {
    modifications: VariablesDto,
    #[serde(deserialize_with = "texts")]
    deletions: Option<Vec<String>>,
}

async fn modify(kind: Kind, api: Api, Path(id): Path<String>, Body(dto): Body<ModifyDto>) -> Result<Response> {
    let before = format!("Cannot modify variables for {} {id}: ", kind.name());
    let variables = inputs(&dto.modifications).map_err(|error| error.wrapped(&before))?;
    let deletions = dto.deletions.unwrap_or_default();
    set(kind, &api, id, variables, deletions, VariablesCall::Modify)
        .await
        .map_err(|error| error.wrapped(&before))
}

async fn set(
    kind: Kind,
    api: &Api,
    id: String,
    variables: Vec<VariableInput>,
    deletions: Vec<String>,
    call: VariablesCall,
) -> Result<Response> {
    let scope = api
        .read(move |reader| Ok(scopes(reader, kind, &id)?.first().copied()))
        .await?;
    if let Some(scope) = scope {
        api.run(Command::SetVariables {
            scope,
            local: kind.is_local(),
            variables,
            deletions,
            call,
        })
        .await?;
    }
    Ok(no_content())
}
