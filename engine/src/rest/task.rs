//! `/task`: user tasks.

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use handoff_machine::Command;
use handoff_machine::row::UserTask;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{Body, count, flag, no_content, ok};
use super::date;
use super::error::{RestError, Result};
use super::path::Path;
use super::query::{Criteria, Params, PostParams, Select, VariableTable, by_variables, variable_table};
use super::reader::Reader;
use super::scope;
use super::variables::{Objects, VariablesDto, inputs, typed_map};

const PROCESS_VARIABLES: VariableTable = variable_table!("variable v WHERE v.scope = task.instance");
const TASK_VARIABLES: VariableTable = variable_table!("variable v WHERE v.scope = task.execution");

const ORDERS: &[(&str, &str)] = &[
    ("id", "id"),
    ("instanceId", "instance"),
    ("executionId", "execution"),
    ("name", "name"),
    ("nameCaseInsensitive", "lower(name)"),
    ("description", "description"),
    ("assignee", "assignee"),
    ("created", "created"),
    ("dueDate", "due"),
    ("followUpDate", "follow_up"),
    ("priority", "priority"),
    ("tenantId", "tenant"),
];

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/task", get(by_get).post(by_post))
        .route("/task/count", get(count_by_get).post(count_by_post))
        .route("/task/{id}", get(one))
        .route("/task/{id}/complete", post(complete))
        .route("/task/{id}/submit-form", post(complete))
        .route("/task/{id}/localVariables", get(local_variables))
        .merge(scope::routes("/task/{id}/variables", scope::Kind::Task))
}

fn dto(reader: &Reader<'_>, task: &UserTask) -> Result<Json> {
    let ids = reader.ids;
    Ok(json!({
        "id": ids.text(task.id),
        "name": task.name,
        "assignee": task.assignee,
        "created": date::format(task.created),
        "due": task.due.map(date::format),
        "followUp": task.follow_up.map(date::format),
        "lastUpdated": null,
        "delegationState": null,
        "description": task.description,
        "executionId": ids.text(task.execution),
        "owner": task.owner,
        "parentTaskId": null,
        "priority": task.priority,
        "processDefinitionId": reader.definition_id(task.definition)?,
        "processInstanceId": ids.text(task.instance),
        "taskDefinitionKey": task.activity,
        "caseExecutionId": null,
        "caseInstanceId": null,
        "caseDefinitionId": null,
        "suspended": task.suspended,
        "formKey": task.form_key,
        "camundaFormRef": null,
        "tenantId": task.tenant,
        "taskState": "Created",
    }))
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
    let tasks = api.read(move |reader| {
        select
            .rows(reader.connection)?
            .iter()
            .map(|task| dto(reader, task))
            .collect::<Result<Vec<_>>>()
    });
    Ok(ok(tasks.await?))
}

async fn count_all(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

async fn one(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let task = api.read(move |reader| match Select::<UserTask>::by_id(reader.connection, key)? {
        Some(task) => dto(reader, &task).map(Some),
        None => Ok(None),
    });
    task.await?
        .map(ok)
        .ok_or_else(|| RestError::unknown(format!("No matching task with id {id}")))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CompleteDto {
    variables: VariablesDto,
    #[serde(deserialize_with = "flag")]
    with_variables_in_return: Option<bool>,
}

/// `POST /task/{id}/complete`: an unknown task is 500, as in Camunda.
async fn complete(api: Api, Path(text): Path<String>, Body(dto): Body<CompleteDto>) -> Result<Response> {
    let cannot = format!("Cannot complete task {text}: ");
    let id = api.ids.read(&text);
    let variables = inputs(&dto.variables).map_err(|error| error.wrapped(&cannot))?;
    let wanted = dto.with_variables_in_return.unwrap_or(false);
    let instance = match wanted {
        true => api
            .read(move |reader| Select::<UserTask>::by_id(reader.connection, id))
            .await?
            .map(|task| task.instance),
        false => None,
    };
    api.run(Command::CompleteTask { id, variables })
        .await
        .map_err(|error| error.wrapped(&cannot))?;
    let Some(instance) = instance else {
        return Ok(no_content());
    };
    let variables = api.read(move |reader| scope::visible(reader, &[instance])).await?;
    Ok(ok(typed_map(&variables, Objects::Serialised)))
}

/// A task's own variables: there are none, for what a task sees hangs on its execution.
async fn local_variables(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let task = api
        .read(move |reader| Select::<UserTask>::by_id(reader.connection, key))
        .await?;
    let missing = || {
        let message = format!("Cannot find task with id {id}: task is null");
        RestError::of_engine(http::StatusCode::INTERNAL_SERVER_ERROR, "NullValueException", message)
    };
    task.map(|_| ok(json!({}))).ok_or_else(missing)
}

fn select(api: &Api, params: &Params) -> Result<Select<UserTask>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.id("taskId"))
        .within("id IN (SELECT value FROM json_each(?))", of.ids("taskIdIn")?)
        .with("instance = ?", of.id("processInstanceId"))
        .within(
            "instance IN (SELECT value FROM json_each(?))",
            of.ids("processInstanceIdIn")?,
        )
        .with(
            "instance IN (SELECT id FROM process_instance WHERE business_key = ?)",
            of.text("processInstanceBusinessKey"),
        )
        .with(
            "instance IN (SELECT id FROM process_instance WHERE business_key GLOB ?)",
            of.pattern("processInstanceBusinessKeyLike"),
        )
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with(
            "definition IN (SELECT id FROM definition WHERE key = ?)",
            of.text("processDefinitionKey"),
        )
        .within(
            "definition IN (SELECT id FROM definition WHERE key IN (SELECT value FROM json_each(?)))",
            of.list("processDefinitionKeyIn")?,
        )
        .with(
            "definition IN (SELECT id FROM definition WHERE name = ?)",
            of.text("processDefinitionName"),
        )
        .with("execution = ?", of.id("executionId"))
        .within(
            "execution IN (SELECT value FROM json_each(?))",
            of.last_ids("activityInstanceIdIn")?,
        )
        .with("activity = ?", of.text("taskDefinitionKey"))
        .within(
            "activity IN (SELECT value FROM json_each(?))",
            of.list("taskDefinitionKeyIn")?,
        )
        .with("activity GLOB ?", of.pattern("taskDefinitionKeyLike"))
        .with("name = ?", of.text("name"))
        .with("name GLOB ?", of.pattern("nameLike"))
        .with("description = ?", of.text("description"))
        .with("assignee = ?", of.text("assignee"))
        .with("assignee GLOB ?", of.pattern("assigneeLike"))
        .within("assignee IN (SELECT value FROM json_each(?))", of.list("assigneeIn")?)
        .with("owner = ?", of.text("owner"))
        .only_if(of.is("assigned"), "assignee IS NOT NULL")
        .only_if(of.is("unassigned"), "assignee IS NULL")
        .with("priority = ?", of.integer("priority")?)
        .with("priority >= ?", of.integer("minPriority")?)
        .with("priority <= ?", of.integer("maxPriority")?)
        .with("created = ?", of.instant("createdOn")?)
        .with("created > ?", of.instant("createdAfter")?)
        .with("created < ?", of.instant("createdBefore")?)
        .with("due = ?", of.instant("dueDate")?)
        .with("due > ?", of.instant("dueAfter")?)
        .with("due < ?", of.instant("dueBefore")?)
        .only_if(of.is("withoutDueDate"), "due IS NULL")
        .with("follow_up > ?", of.instant("followUpAfter")?)
        .with("follow_up < ?", of.instant("followUpBefore")?)
        .only_if(of.is("active"), "suspended = 0")
        .only_if(of.is("suspended"), "suspended <> 0")
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(of.is("withoutTenantId"), "tenant IS NULL");
    by_variables(&mut select, params, "processVariables", PROCESS_VARIABLES)?;
    by_variables(&mut select, params, "taskVariables", TASK_VARIABLES)?;
    Ok(select)
}
