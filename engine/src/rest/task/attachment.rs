//! What people attach to a task: a file, or the address of one.

use axum::extract::{FromRequest, Multipart, Request};
use axum::response::{IntoResponse, Response};
use handoff_machine::command::NewAttachment;
use handoff_machine::row::Attachment;
use handoff_machine::{Command, Id, Reply};
use http::{StatusCode, header};
use rusqlite::OptionalExtension;
use serde_json::{Value as Json, json};

use super::comment::{is_known, no_task};
use crate::rest::api::Api;
use crate::rest::body::{no_content, ok, unsupported};
use crate::rest::date;
use crate::rest::error::{RestError, Result};
use crate::rest::path::Path;
use crate::rest::query::Select;
use crate::rest::reader::Reader;

/// The longest part that is not the file, in bytes (the width of Camunda's columns).
const TEXT_MAX: usize = 4000;

fn dto(reader: &Reader<'_>, row: &Attachment) -> Result<Json> {
    let ids = reader.ids;
    let removal = reader.removal_time(None, row.root)?;
    Ok(json!({
        "links": [],
        "id": ids.text(row.id),
        "name": row.name,
        "description": row.description,
        "taskId": ids.text(row.task),
        "type": row.kind,
        "url": row.url,
        "createTime": date::format(row.time),
        "removalTime": removal.map(date::format),
        "rootProcessInstanceId": ids.json_opt(row.root),
    }))
}

/// `GET /task/{id}/attachment`
pub(super) async fn list(api: Api, Path(id): Path<String>) -> Result<Response> {
    let key = api.ids.read(&id);
    let found = api.read(move |reader| {
        if !is_known(reader, key)? {
            return Ok(None);
        }
        let mut select = Select::<Attachment>::new();
        select.with("task = ?", Some(key.0)).ordered("id", false);
        let rows = select.rows(reader.connection)?;
        rows.iter()
            .map(|row| dto(reader, row))
            .collect::<Result<Vec<_>>>()
            .map(Some)
    });
    found.await?.map(ok).ok_or_else(|| no_task(&id, StatusCode::NOT_FOUND))
}

/// An attachment of this very task.
fn of_task(reader: &Reader<'_>, task: Id, attachment: Id) -> Result<Option<Attachment>> {
    let row = Select::<Attachment>::by_id(reader.connection, attachment)?;
    Ok(row.filter(|row| row.task == task))
}

/// `GET /task/{id}/attachment/{attachment}`
pub(super) async fn one(api: Api, Path((task, id)): Path<(String, String)>) -> Result<Response> {
    let (task_key, key) = (api.ids.read(&task), api.ids.read(&id));
    let found = api.read(move |reader| match of_task(reader, task_key, key)? {
        Some(row) => dto(reader, &row).map(Some),
        None => Ok(None),
    });
    found.await?.map(ok).ok_or_else(|| {
        RestError::unknown(format!(
            "Task attachment with id {id} does not exist for task id '{task}'."
        ))
    })
}

/// `GET /task/{id}/attachment/{attachment}/data`
pub(super) async fn data(api: Api, Path((task, id)): Path<(String, String)>) -> Result<Response> {
    let (task_key, key) = (api.ids.read(&task), api.ids.read(&id));
    let found = api.read(move |reader| {
        if of_task(reader, task_key, key)?.is_none() {
            return Ok(None);
        }
        let sql = "SELECT bytes FROM attachment_content WHERE id = ?";
        let mut statement = reader.connection.prepare_cached(sql)?;
        Ok(statement
            .query_row([key.0], |row| row.get::<_, Vec<u8>>(0))
            .optional()?)
    });
    match found.await? {
        Some(bytes) => Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response()),
        None => Err(RestError::unknown(format!(
            "Attachment content for attachment with id '{id}' does not exist for task id '{task}'."
        ))),
    }
}

/// What is sent: `attachment-name`, `attachment-description`, `attachment-type`, and `content` or `url`.
#[derive(Debug, Default)]
pub(super) struct Form {
    name: Option<String>,
    description: Option<String>,
    kind: Option<String>,
    url: Option<String>,
    content: Option<Vec<u8>>,
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = RestError;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
            return Err(unsupported());
        }
        let multipart = Multipart::from_request(request, state).await;
        let mut multipart = multipart.map_err(|rejection| RestError::invalid(rejection.body_text()))?;
        let broken = |error: axum::extract::multipart::MultipartError| RestError::invalid(error.body_text());
        let mut form = Self::default();
        while let Some(field) = multipart.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            let bytes = field.bytes().await.map_err(broken)?;
            match name.as_str() {
                "attachment-name" => form.name = Some(text(&bytes)?),
                "attachment-description" => form.description = Some(text(&bytes)?),
                "attachment-type" => form.kind = Some(text(&bytes)?),
                "url" => form.url = Some(text(&bytes)?),
                "content" => form.content = Some(bytes.to_vec()),
                _ => {}
            }
        }
        Ok(form)
    }
}

fn text(bytes: &[u8]) -> Result<String> {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.len() <= TEXT_MAX => Ok(text.to_owned()),
        _ => Err(RestError::invalid(format!(
            "A part that is not 'content' must be UTF-8 of at most {TEXT_MAX} bytes"
        ))),
    }
}

/// `POST /task/{id}/attachment/create`: where a file and an address are sent, the file is kept.
pub(super) async fn create(api: Api, Path(id): Path<String>, form: Form) -> Result<Response> {
    let task = api.ids.read(&id);
    if !api.read(move |reader| is_known(reader, task)).await? {
        return Err(no_task(&id, StatusCode::BAD_REQUEST));
    }
    if form.content.is_none() && form.url.is_none() {
        return Err(RestError::invalid(
            "No content or url to remote content exists to create the task attachment.",
        ));
    }
    let command = Command::AddAttachment(Box::new(NewAttachment {
        task,
        name: form.name,
        description: form.description,
        kind: form.kind,
        url: form.url.filter(|_| form.content.is_none()),
        content: form.content,
    }));
    let row = match api.submit(command).await? {
        Reply::Attached(row) => row,
        other => return Err(RestError::unexpected(&other)),
    };
    let href = format!("{}/task/{id}/attachment/{}", api.base, api.ids.text(row.id));
    let mut shown = api.read(move |reader| dto(reader, &row)).await?;
    shown["links"] = json!([{ "method": "GET", "href": href, "rel": "self" }]);
    Ok(ok(shown))
}

/// `DELETE /task/{id}/attachment/{attachment}`
pub(super) async fn delete(api: Api, Path((task, id)): Path<(String, String)>) -> Result<Response> {
    let (task_key, key) = (api.ids.read(&task), api.ids.read(&id));
    if api.read(move |reader| of_task(reader, task_key, key)).await?.is_none() {
        return Err(RestError::unknown(format!(
            "Deletion is not possible. No attachment exists for task id '{task}' and attachment id '{id}'."
        )));
    }
    api.run(Command::DeleteAttachment(key)).await?;
    Ok(no_content())
}
