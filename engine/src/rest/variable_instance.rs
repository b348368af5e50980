//! `/variable-instance`

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use handoff_machine::Id;
use handoff_machine::row::{Execution, Instance, UserTask, Variable};
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{count, ok};
use super::error::{RestError, Result};
use super::path::Path;
use super::query::{Criteria, Params, PostParams, Select, VariableTable, by_variables, variable_table};
use super::reader::Reader;
use super::variables::{Objects, data, typed};

const VALUES: VariableTable = variable_table!("variable v WHERE v.id = variable.id");

const ORDERS: &[(&str, &str)] = &[
    ("variableName", "name"),
    ("variableType", "value_type"),
    ("activityInstanceId", "scope"),
    (
        "tenantId",
        "(SELECT tenant FROM process_instance WHERE process_instance.id = variable.instance)",
    ),
];

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/variable-instance", get(by_get).post(by_post))
        .route("/variable-instance/count", get(count_by_get).post(count_by_post))
        .route("/variable-instance/{id}", get(one))
        .route("/variable-instance/{id}/data", get(download))
}

/// Where a variable is.
#[derive(Default)]
struct Place {
    execution: Option<Id>,
    activity: Option<String>,
    task: Option<Id>,
}

impl Place {
    fn of(reader: &Reader<'_>, variable: &Variable) -> Result<Self> {
        if let Some(execution) = Select::<Execution>::by_id(reader.connection, variable.scope)? {
            return Ok(Self {
                execution: Some(execution.id),
                activity: Some(execution.entered().to_owned()),
                task: None,
            });
        }
        Ok(match Select::<UserTask>::by_id(reader.connection, variable.scope)? {
            Some(task) => Self {
                task: Some(task.id),
                execution: task.execution(),
                activity: task.place.map(|place| place.entered().to_owned()),
            },
            None => Self {
                execution: Some(variable.scope),
                ..Self::default()
            },
        })
    }
}

fn dto(reader: &Reader<'_>, variable: &Variable, objects: Objects) -> Result<Json> {
    let ids = reader.ids;
    let instance = Select::<Instance>::by_id(reader.connection, variable.instance)?;
    let definition = instance
        .as_ref()
        .map(|instance| reader.definition_id(instance.definition))
        .transpose()?;
    let place = Place::of(reader, variable)?;
    let mut dto = typed(&variable.value, objects);
    let rest = json!({
        "id": ids.text(variable.id),
        "name": variable.name,
        "processDefinitionId": definition,
        "processInstanceId": instance.as_ref().map(|instance| ids.text(instance.id)),
        "executionId": ids.json_opt(place.execution),
        "caseInstanceId": null,
        "caseExecutionId": null,
        "taskId": ids.json_opt(place.task),
        "batchId": null,
        "activityInstanceId": place.execution.map(|id| ids.activity(place.activity.as_deref(), id)),
        "errorMessage": null,
        "tenantId": instance.and_then(|instance| instance.tenant),
    });
    if let Json::Object(rest) = rest {
        dto.extend(rest);
    }
    Ok(Json::Object(dto))
}

async fn by_get(api: Api, params: Params) -> Result<Response> {
    list(api, params).await
}

async fn by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
    list(api, params).await
}

async fn count_by_get(api: Api, params: Params) -> Result<Response> {
    count_all(api, params).await
}

async fn count_by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
    count_all(api, params).await
}

async fn list(api: Api, params: Params) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged(&params, ORDERS)?;
    let objects = Objects::when(params.flag("deserializeValues").unwrap_or(true));
    let variables = api.read(move |reader| {
        select
            .rows(reader.connection)?
            .iter()
            .map(|variable| dto(reader, variable, objects))
            .collect::<Result<Vec<_>>>()
    });
    Ok(ok(variables.await?))
}

async fn count_all(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

fn unknown(id: &str) -> RestError {
    RestError::unknown(format!("Variable instance with Id '{id}' does not exist."))
}

async fn one(api: Api, Path(id): Path<String>, params: Params) -> Result<Response> {
    let key = api.ids.read(&id);
    let objects = Objects::when(params.flag("deserializeValue").unwrap_or(true));
    let variable = api.read(move |reader| match Select::<Variable>::by_id(reader.connection, key)? {
        Some(variable) => dto(reader, &variable, objects).map(Some),
        None => Ok(None),
    });
    variable.await?.map(ok).ok_or_else(|| unknown(&id))
}

async fn download(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let variable = api
        .read(move |reader| Select::<Variable>::by_id(reader.connection, key))
        .await?;
    let variable = variable.ok_or_else(|| unknown(&id))?;
    data(variable.value, &variable.name)
}

fn select(api: &Api, params: &Params) -> Result<Select<Variable>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("name = ?", of.text("variableName"))
        .with("name GLOB ?", of.pattern("variableNameLike"))
        .within("name IN (SELECT value FROM json_each(?))", of.list("variableNameIn")?)
        .within(
            "id IN (SELECT v.id FROM json_each(?) wanted JOIN variable v ON v.scope = wanted.value AND v.instance = v.scope \
             OR v.instance = wanted.value AND v.scope <> v.instance)",
            of.ids("processInstanceIdIn")?,
        )
        .within("scope IN (SELECT value FROM json_each(?))", of.ids("executionIdIn")?)
        .within(
            "scope IN (SELECT value FROM json_each(?))",
            of.last_ids("activityInstanceIdIn")?,
        )
        .within("scope IN (SELECT value FROM json_each(?))", of.ids("taskIdIn")?)
        .within(
            "scope IN (SELECT value FROM json_each(?))",
            of.last_ids("variableScopeIdIn")?,
        )
        .only_if(
            of.json("caseInstanceIdIn").is_some()
                || of.json("caseExecutionIdIn").is_some()
                || of.json("batchIdIn").is_some(),
            "false",
        )
        .within(
            "instance IN (SELECT id FROM process_instance WHERE tenant IN (SELECT value FROM json_each(?)))",
            of.list("tenantIdIn")?,
        );
    by_variables(&mut select, params, "variableValues", VALUES)?;
    Ok(select)
}
