//! `/task`: user tasks.
//!
//! As Camunda has it, an unknown task is answered in as many ways as there are calls: where it differs, the call says so.

mod act;
mod attachment;
mod comment;
mod complete;
mod form;
mod link;
mod list;
mod sort;

use axum::Router;
use axum::response::Response;
use axum::routing::{delete, get, post};
use handoff_machine::model::FormName;
use handoff_machine::row::UserTask;
use serde_json::{Map, Value as Json, json};

use super::api::Api;
use super::body::ok;
use super::date;
use super::error::{RestError, Result};
use super::form as rest_form;
use super::path::Path;
use super::query::Select;
use super::reader::Reader;
use super::scope;

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/task", get(list::by_get).post(list::by_post))
        .route("/task/count", get(list::count_by_get).post(list::count_by_post))
        .route("/task/create", post(act::create))
        .route("/task/report/candidate-group-count", get(list::by_candidate_group))
        .route("/task/{id}", get(one).put(act::update).delete(act::delete))
        .route("/task/{id}/claim", post(act::claim))
        .route("/task/{id}/unclaim", post(act::unclaim))
        .route("/task/{id}/assignee", post(act::assign))
        .route("/task/{id}/delegate", post(act::delegate))
        .route("/task/{id}/resolve", post(act::resolve))
        .route("/task/{id}/bpmnError", post(act::bpmn_error))
        .route("/task/{id}/bpmnEscalation", post(act::escalation))
        .route("/task/{id}/complete", post(complete::complete))
        .route("/task/{id}/submit-form", post(complete::submit_form))
        .route("/task/{id}/form", get(form::of_task))
        .route("/task/{id}/form-variables", get(form::variables))
        .route("/task/{id}/rendered-form", get(form::rendered))
        .route("/task/{id}/deployed-form", get(form::deployed))
        .route("/task/{id}/identity-links", get(link::list).post(link::add))
        .route("/task/{id}/identity-links/delete", post(link::remove))
        .route(
            "/task/{id}/comment",
            get(comment::of_task).put(comment::edit).delete(comment::delete_all),
        )
        .route("/task/{id}/comment/create", post(comment::create))
        .route(
            "/task/{id}/comment/{comment}",
            get(comment::one).delete(comment::delete),
        )
        .route("/task/{id}/attachment", get(attachment::list))
        .route("/task/{id}/attachment/create", post(attachment::create))
        .route(
            "/task/{id}/attachment/{attachment}",
            get(attachment::one).delete(attachment::delete),
        )
        .route("/task/{id}/attachment/{attachment}/data", get(attachment::data))
        .route(
            "/process-instance/{id}/comment",
            get(comment::of_instance).delete(comment::delete_of_instance),
        )
        .route(
            "/process-instance/{id}/comment/{comment}",
            delete(comment::delete_one_of_instance),
        )
        .merge(scope::routes("/task/{id}/variables", scope::Kind::Task))
        .merge(scope::routes("/task/{id}/localVariables", scope::Kind::TaskLocal))
}

/// A task in answers, but for what its form is called.
fn dto(reader: &Reader<'_>, task: &UserTask) -> Result<Map<String, Json>> {
    let ids = reader.ids;
    let dto = json!({
        "id": ids.text(task.id),
        "name": task.name,
        "assignee": task.assignee,
        "created": date::format(task.created),
        "due": task.due.map(date::format),
        "followUp": task.follow_up.map(date::format),
        "lastUpdated": task.updated.map(date::format),
        "delegationState": task.delegation.map(act::delegation_name),
        "description": task.description,
        "executionId": ids.json_opt(task.execution()),
        "owner": task.owner,
        "parentTaskId": ids.json_opt(task.parent),
        "priority": task.priority,
        "processDefinitionId": reader.definition_id_opt(task.definition())?,
        "processInstanceId": ids.json_opt(task.instance()),
        "taskDefinitionKey": task.activity(),
        "caseExecutionId": null,
        "caseInstanceId": null,
        "caseDefinitionId": null,
        "suspended": task.suspended,
        "formKey": null,
        "camundaFormRef": null,
        "tenantId": task.tenant,
        "taskState": if task.updated.is_some() { "Updated" } else { "Created" },
    });
    match dto {
        Json::Object(dto) => Ok(dto),
        _ => Ok(Map::new()),
    }
}

/// Says what the form of a task is called.
fn name_form(dto: &mut Map<String, Json>, form: FormName) {
    dto.insert("camundaFormRef".into(), rest_form::reference(&form));
    dto.insert("formKey".into(), form.key.into());
}

/// A task, if there is one.
async fn find(api: &Api, id: &str) -> Result<Option<UserTask>> {
    let key = api.ids.read(id);
    api.read(move |reader| Select::<UserTask>::by_id(reader.connection, key))
        .await
}

fn unknown(id: &str) -> RestError {
    RestError::unknown(format!("No matching task with id {id}"))
}

async fn one(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let found = api.read(move |reader| match Select::<UserTask>::by_id(reader.connection, key)? {
        Some(task) => dto(reader, &task).map(|dto| Some((task, dto))),
        None => Ok(None),
    });
    let (task, mut dto) = found.await?.ok_or_else(|| unknown(&id))?;
    name_form(&mut dto, rest_form::name(&api, &task).await?);
    Ok(ok(dto))
}
