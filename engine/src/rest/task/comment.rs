//! What people say of a task or an instance, newest first.

use axum::response::Response;
use handoff_machine::row::{Comment, HistoricTask};
use handoff_machine::{Command, Id, Reply};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::rest::api::Api;
use crate::rest::body::{Body, no_content, ok, text};
use crate::rest::date;
use crate::rest::error::{RestError, Result};
use crate::rest::path::Path;
use crate::rest::query::Select;
use crate::rest::reader::Reader;

/// The longest message, in characters (the width of Camunda's column).
const MESSAGE_MAX: usize = 4000;

fn dto(reader: &Reader<'_>, row: &Comment) -> Result<Json> {
    let ids = reader.ids;
    let removal = reader.removal_time(None, row.root)?;
    Ok(json!({
        "links": [],
        "id": ids.text(row.id),
        "userId": row.user,
        "time": date::format(row.time),
        "taskId": ids.json_opt(row.task),
        "message": row.message,
        "removalTime": removal.map(date::format),
        "rootProcessInstanceId": ids.json_opt(row.root),
        "processInstanceId": ids.json_opt(row.instance),
    }))
}

/// Whether there is, or was, a task.
pub(super) fn is_known(reader: &Reader<'_>, task: Id) -> Result<bool> {
    Ok(
        Select::<handoff_machine::row::UserTask>::by_id(reader.connection, task)?.is_some()
            || Select::<HistoricTask>::by_id(reader.connection, task)?.is_some(),
    )
}

pub(super) fn no_task(id: &str, status: StatusCode) -> RestError {
    RestError::new(
        status,
        "InvalidRequestException",
        format!("No task found for task id {id}"),
    )
}

async fn list(api: &Api, condition: &'static str, owner: Id) -> Result<Response> {
    let comments = api.read(move |reader| {
        let mut select = Select::<Comment>::new();
        select.with(condition, Some(owner.0)).ordered("id", true);
        select
            .rows(reader.connection)?
            .iter()
            .map(|row| dto(reader, row))
            .collect::<Result<Vec<_>>>()
    });
    Ok(ok(comments.await?))
}

/// `GET /task/{id}/comment`
pub(super) async fn of_task(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    if !api.read(move |reader| is_known(reader, key)).await? {
        return Err(no_task(&id, StatusCode::NOT_FOUND));
    }
    list(&api, "task = ?", key).await
}

/// `GET /process-instance/{id}/comment`
pub(super) async fn of_instance(api: Api, Path(id): Path<String>) -> Result<Response> {
    list(&api, "instance = ?", api.ids.read(&id)).await
}

async fn find(api: &Api, task: &str, comment: &str) -> Result<(Comment, Json)> {
    let (task_key, comment_key) = (api.ids.read(task), api.ids.read(comment));
    let found = api.read(move |reader| {
        let row = Select::<Comment>::by_id(reader.connection, comment_key)?;
        match row.filter(|row| row.task == Some(task_key)) {
            Some(row) => Ok(Some((row.clone(), dto(reader, &row)?))),
            None => Ok(None),
        }
    });
    found.await?.ok_or_else(|| {
        RestError::unknown(format!(
            "Task comment with id {comment} does not exist for task id '{task}'."
        ))
    })
}

/// `GET /task/{id}/comment/{comment}`
pub(super) async fn one(api: Api, Path((task, comment)): Path<(String, String)>) -> Result<Response> {
    Ok(ok(find(&api, &task, &comment).await?.1))
}

/// `CommentDto`, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct CommentDto {
    #[serde(deserialize_with = "text")]
    id: Option<String>,
    #[serde(deserialize_with = "text")]
    message: Option<String>,
    #[serde(deserialize_with = "text")]
    process_instance_id: Option<String>,
}

impl CommentDto {
    fn message(&self) -> Result<String> {
        let message = self.message.clone().unwrap_or_default();
        match message.chars().count() {
            0 => Err(RestError::of_engine(
                StatusCode::BAD_REQUEST,
                "InvalidRequestException",
                "Not enough parameters submitted",
            )),
            length if length > MESSAGE_MAX => Err(RestError::invalid(format!(
                "A comment may have at most {MESSAGE_MAX} characters"
            ))),
            _ => Ok(message),
        }
    }
}

/// `POST /task/{id}/comment/create`
pub(super) async fn create(api: Api, Path(id): Path<String>, Body(dto): Body<CommentDto>) -> Result<Response> {
    let task = api.ids.read(&id);
    if !api.read(move |reader| is_known(reader, task)).await? {
        return Err(no_task(&id, StatusCode::BAD_REQUEST));
    }
    let command = Command::AddComment {
        task,
        instance: dto.process_instance_id.as_deref().map(|id| api.ids.read(id)),
        message: dto.message()?,
        user: api.user.as_deref().map(str::to_owned),
    };
    let comment = match api.submit(command).await? {
        Reply::Commented(comment) => comment,
        other => return Err(RestError::unexpected(&other)),
    };
    let href = format!("{}/task/{id}/comment/{}", api.base, api.ids.text(comment.id));
    let mut shown = api.read(move |reader| self::dto(reader, &comment)).await?;
    shown["links"] = json!([{ "method": "GET", "href": href, "rel": "self" }]);
    Ok(ok(shown))
}

/// `PUT /task/{id}/comment`
pub(super) async fn edit(api: Api, Path(id): Path<String>, Body(dto): Body<CommentDto>) -> Result<Response> {
    let comment = dto.id.clone().unwrap_or_default();
    let (found, _) = find(&api, &id, &comment).await?;
    api.run(Command::EditComment {
        id: found.id,
        message: dto.message()?,
    })
    .await?;
    Ok(no_content())
}

/// `DELETE /task/{id}/comment/{comment}`: one that there is not is gone already.
pub(super) async fn delete(api: Api, Path((task, comment)): Path<(String, String)>) -> Result<Response> {
    match find(&api, &task, &comment).await {
        Ok((found, _)) => api.run(Command::DeleteComment(found.id)).await?,
        Err(error) if error.status == StatusCode::NOT_FOUND => {}
        Err(error) => return Err(error),
    }
    Ok(no_content())
}

/// `DELETE /task/{id}/comment`
pub(super) async fn delete_all(api: Api, Path(id): Path<String>) -> Result<Response> {
    let task = api.ids.read(&id);
    if !api.read(move |reader| is_known(reader, task)).await? {
        return Err(no_task(&id, StatusCode::NOT_FOUND));
    }
    api.run(Command::DeleteComments {
        task: Some(task),
        instance: None,
    })
    .await?;
    Ok(no_content())
}

/// `DELETE /process-instance/{id}/comment`
pub(super) async fn delete_of_instance(api: Api, Path(id): Path<String>) -> Result<Response> {
    api.run(Command::DeleteComments {
        task: None,
        instance: Some(api.ids.read(&id)),
    })
    .await?;
    Ok(no_content())
}

/// `DELETE /process-instance/{id}/comment/{comment}`
pub(super) async fn delete_one_of_instance(
    api: Api,
    Path((instance, comment)): Path<(String, String)>,
) -> Result<Response> {
    let (instance_key, key) = (api.ids.read(&instance), api.ids.read(&comment));
    let row = api.read(move |reader| Select::<Comment>::by_id(reader.connection, key));
    if row.await?.is_none_or(|row| row.instance != Some(instance_key)) {
        return Err(RestError::unknown(format!(
            "Comment with id {comment} does not exist for process instance id '{instance}'."
        )));
    }
    api.run(Command::DeleteComment(key)).await?;
    Ok(no_content())
}
