//! Who has a part in a task: `/task/{id}/identity-links`.

use axum::response::Response;
use handoff_machine::command::{TaskAction, TaskLink};
use handoff_machine::row::IdentityLink;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::act::{Unknown, act, no_task};
use crate::rest::api::Api;
use crate::rest::body::{Body, ok, text};
use crate::rest::error::{RestError, Result};
use crate::rest::path::Path;
use crate::rest::query::{Params, Select};

fn dto(user: Option<&str>, group: Option<&str>, kind: &str) -> Json {
    json!({ "userId": user, "groupId": group, "type": kind })
}

/// `GET /task/{id}/identity-links`; the assignee and the owner come last.
pub(super) async fn list(api: Api, Path(id): Path<String>, params: Params) -> Result<Response> {
    let task = super::find(&api, &id).await?;
    let task = task.ok_or_else(|| no_task(&id, Unknown::NullValue))?;
    let key = task.id;
    let rows = api.read(move |reader| {
        let mut select = Select::<IdentityLink>::new();
        select.with("task = ?", Some(key.0));
        select.rows(reader.connection)
    });
    let mut links: Vec<Json> = rows
        .await?
        .iter()
        .map(|row| dto(row.user.as_deref(), row.group.as_deref(), &row.kind))
        .collect();
    for (user, kind) in [(&task.assignee, "assignee"), (&task.owner, "owner")] {
        links.extend(user.as_deref().map(|user| dto(Some(user), None, kind)));
    }
    if let Some(kind) = params.text("type") {
        links.retain(|link| link["type"] == kind.as_str());
    }
    Ok(ok(links))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LinkDto {
    #[serde(deserialize_with = "text")]
    user_id: Option<String>,
    #[serde(deserialize_with = "text")]
    group_id: Option<String>,
    #[serde(rename = "type", deserialize_with = "text")]
    kind: Option<String>,
}

impl LinkDto {
    fn checked(self) -> Result<TaskLink> {
        match (&self.user_id, &self.group_id) {
            (Some(_), Some(_)) => Err(RestError::invalid(
                "Identity Link requires userId or groupId, but not both.",
            )),
            (None, None) => Err(RestError::invalid("Identity Link requires userId or groupId.")),
            _ => Ok(TaskLink {
                user: self.user_id,
                group: self.group_id,
                kind: self.kind.unwrap_or_else(|| "candidate".to_owned()),
            }),
        }
    }
}

/// `POST /task/{id}/identity-links`
pub(super) async fn add(api: Api, Path(id): Path<String>, Body(dto): Body<LinkDto>) -> Result<Response> {
    act(&api, &id, TaskAction::Link(dto.checked()?), Unknown::NotFound).await
}

/// `POST /task/{id}/identity-links/delete`
pub(super) async fn remove(api: Api, Path(id): Path<String>, Body(dto): Body<LinkDto>) -> Result<Response> {
    act(&api, &id, TaskAction::Unlink(dto.checked()?), Unknown::NotFound).await
}
