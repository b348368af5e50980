//! What is done with a task, but for completing it.

use axum::response::Response;
use handoff_machine::command::{TaskAction, TaskFields};
use handoff_machine::error::Entity;
use handoff_machine::row::Delegation;
use handoff_machine::{Command, MachineError};
use http::StatusCode;
use serde::Deserialize;

use super::unknown;
use crate::rest::api::Api;
use crate::rest::body::{Body, integer, no_content, text};
use crate::rest::date;
use crate::rest::error::{RestError, Result};
use crate::rest::id::{Ids, NOBODY};
use crate::rest::path::Path;
use crate::rest::variables::{VariablesDto, inputs};
use crate::service::CommandError;

/// How a call tells that there is no such task.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unknown {
    /// 400 `NotFoundException`
    NotFound,
    /// 500 `NullValueException`
    NullValue,
    /// 404 `RestException`
    Rest,
}

/// Acts on a task.
pub(super) async fn act(api: &Api, id: &str, action: TaskAction, unknown: Unknown) -> Result<Response> {
    let command = Command::Task {
        id: api.ids.read(id),
        action,
    };
    api.submit_raw(command)
        .await
        .map(|_| no_content())
        .map_err(|error| match error {
            CommandError::Machine(MachineError::NotFound { kind: Entity::Task, .. }) => no_task(id, unknown),
            error => error.into(),
        })
}

/// There is no such task.
pub(super) fn no_task(id: &str, unknown: Unknown) -> RestError {
    let (status, kind) = match unknown {
        Unknown::NotFound => (StatusCode::BAD_REQUEST, "NotFoundException"),
        Unknown::NullValue => (StatusCode::INTERNAL_SERVER_ERROR, "NullValueException"),
        Unknown::Rest => (StatusCode::NOT_FOUND, "RestException"),
    };
    RestError::of_engine(status, kind, format!("Cannot find task with id {id}: task is null"))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct UserDto {
    #[serde(deserialize_with = "text")]
    user_id: Option<String>,
}

/// `POST /task/{id}/claim`
pub(super) async fn claim(api: Api, Path(id): Path<String>, Body(dto): Body<UserDto>) -> Result<Response> {
    act(&api, &id, TaskAction::Claim(dto.user_id), Unknown::NullValue).await
}

/// `POST /task/{id}/unclaim`
pub(super) async fn unclaim(api: Api, Path(id): Path<String>) -> Result<Response> {
    act(&api, &id, TaskAction::Assign(None), Unknown::NotFound).await
}

/// `POST /task/{id}/assignee`
pub(super) async fn assign(api: Api, Path(id): Path<String>, Body(dto): Body<UserDto>) -> Result<Response> {
    act(&api, &id, TaskAction::Assign(dto.user_id), Unknown::NotFound).await
}

/// `POST /task/{id}/delegate`
pub(super) async fn delegate(api: Api, Path(id): Path<String>, Body(dto): Body<UserDto>) -> Result<Response> {
    act(&api, &id, TaskAction::Delegate(dto.user_id), Unknown::NullValue).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct VariablesOnlyDto {
    variables: VariablesDto,
}

/// `POST /task/{id}/resolve`
pub(super) async fn resolve(api: Api, Path(id): Path<String>, Body(dto): Body<VariablesOnlyDto>) -> Result<Response> {
    let cannot = format!("Cannot resolve task {id}: ");
    let variables = inputs(&dto.variables).map_err(|error| error.wrapped(&cannot))?;
    act(&api, &id, TaskAction::Resolve(variables), Unknown::NullValue).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct BpmnErrorDto {
    #[serde(deserialize_with = "text")]
    error_code: Option<String>,
    #[serde(deserialize_with = "text")]
    error_message: Option<String>,
    variables: VariablesDto,
}

/// `POST /task/{id}/bpmnError`
pub(super) async fn bpmn_error(api: Api, Path(id): Path<String>, Body(dto): Body<BpmnErrorDto>) -> Result<Response> {
    let code = dto.error_code.unwrap_or_default();
    if code.is_empty() {
        return Err(RestError::of_engine(
            StatusCode::BAD_REQUEST,
            "RestException",
            "errorCode is empty",
        ));
    }
    let action = TaskAction::BpmnError {
        code,
        message: dto.error_message,
        variables: inputs(&dto.variables)?,
    };
    act(&api, &id, action, Unknown::Rest).await
}

/// `TaskEscalationDto`
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct EscalationDto {
    #[serde(deserialize_with = "text")]
    escalation_code: Option<String>,
    variables: VariablesDto,
}

/// `POST /task/{id}/bpmnEscalation`
pub(super) async fn escalation(api: Api, Path(id): Path<String>, Body(dto): Body<EscalationDto>) -> Result<Response> {
    let code = dto.escalation_code.unwrap_or_default();
    if code.is_empty() {
        return Err(RestError::of_engine(
            StatusCode::BAD_REQUEST,
            "RestException",
            "escalationCode is empty",
        ));
    }
    let variables = inputs(&dto.variables)?;
    act(&api, &id, TaskAction::Escalation { code, variables }, Unknown::Rest).await
}

/// `TaskDto`, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct TaskDto {
    #[serde(deserialize_with = "text")]
    id: Option<String>,
    #[serde(deserialize_with = "text")]
    name: Option<String>,
    #[serde(deserialize_with = "text")]
    description: Option<String>,
    #[serde(deserialize_with = "text")]
    assignee: Option<String>,
    #[serde(deserialize_with = "text")]
    owner: Option<String>,
    #[serde(deserialize_with = "text")]
    delegation_state: Option<String>,
    #[serde(deserialize_with = "text")]
    parent_task_id: Option<String>,
    #[serde(deserialize_with = "integer")]
    priority: Option<i64>,
    #[serde(deserialize_with = "text")]
    due: Option<String>,
    #[serde(deserialize_with = "text")]
    follow_up: Option<String>,
    #[serde(deserialize_with = "text")]
    tenant_id: Option<String>,
}

impl TaskDto {
    fn into_fields(self, ids: Ids) -> Result<TaskFields> {
        let instant = |name: &str, text: Option<String>| match text {
            None => Ok(None),
            Some(text) => date::parse(&text)
                .map(Some)
                .ok_or_else(|| RestError::invalid(format!("{name} is no date like 2026-01-31T08:15:30.123+0000"))),
        };
        Ok(TaskFields {
            name: self.name,
            description: self.description,
            assignee: self.assignee,
            owner: self.owner,
            delegation: self.delegation_state.as_deref().map(delegation).transpose()?,
            parent: self.parent_task_id.map(|id| ids.read(&id)),
            priority: self
                .priority
                .unwrap_or(0)
                .try_into()
                .map_err(|_| RestError::invalid("priority must be between -2147483648 and 2147483647"))?,
            due: instant("due", self.due)?,
            follow_up: instant("followUp", self.follow_up)?,
            tenant: self.tenant_id,
        })
    }
}

/// `delegationState`
pub(super) fn delegation_name(delegation: Delegation) -> &'static str {
    match delegation {
        Delegation::Pending => "PENDING",
        Delegation::Resolved => "RESOLVED",
    }
}

/// A `delegationState`.
///
/// # Errors
/// 400: it is none.
pub(super) fn delegation(text: &str) -> Result<Delegation> {
    match text {
        "PENDING" => Ok(Delegation::Pending),
        "RESOLVED" => Ok(Delegation::Resolved),
        _ => Err(RestError::invalid(format!(
            "Valid values for property 'delegationState' are 'PENDING' or 'RESOLVED', but was '{text}'"
        ))),
    }
}

/// `POST /task/create`. Ids are the engine's to give: a caller's own one is refused, never dropped.
pub(super) async fn create(api: Api, Body(dto): Body<TaskDto>) -> Result<Response> {
    if dto.id.is_some() {
        let message = "A task's id is given by the engine: leave 'id' out, and find the task by its name";
        return Err(RestError::invalid(message));
    }
    let parent = dto.parent_task_id.clone();
    let fields = dto.into_fields(api.ids)?;
    let result = api.submit_raw(Command::CreateTask(Box::new(fields))).await;
    result.map(|_| no_content()).map_err(|error| match (error, parent) {
        (CommandError::Machine(MachineError::NotValid(_)), Some(parent)) => {
            let message =
                format!("Could not save task: Parent task with id '{parent}' does not exist: parentTask is null");
            RestError::of_engine(StatusCode::BAD_REQUEST, "InvalidRequestException", message)
        }
        (error, _) => error.into(),
    })
}

/// `PUT /task/{id}`: everything that is left out is taken away.
pub(super) async fn update(api: Api, Path(id): Path<String>, Body(dto): Body<TaskDto>) -> Result<Response> {
    let fields = dto.into_fields(api.ids)?;
    let key = api.ids.read(&id);
    if key == NOBODY {
        return Err(unknown(&id));
    }
    let command = Command::Task {
        id: key,
        action: TaskAction::Update(Box::new(fields)),
    };
    api.submit_raw(command)
        .await
        .map(|_| no_content())
        .map_err(|error| match error {
            CommandError::Machine(MachineError::NotFound { kind: Entity::Task, .. }) => unknown(&id),
            error => error.into(),
        })
}

/// `DELETE /task/{id}`: an unknown one is gone already.
pub(super) async fn delete(api: Api, Path(id): Path<String>) -> Result<Response> {
    api.run(Command::DeleteTask(api.ids.read(&id))).await?;
    Ok(no_content())
}
