//! `POST /external-task/fetchAndLock`, with long polling.
//!
//! A fetch whose client goes away is dropped with its request, and locks nothing (F6 of the design).

use std::collections::HashMap;
use std::time::Duration;

use axum::response::Response;
use handoff_machine::Value;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value as Json;

use super::dto::TaskDto;
use crate::rest::api::Api;
use crate::rest::body::{Body, flag, integer, ok, text, texts};
use crate::rest::error::{RestError, Result};
use crate::rest::variables::{Objects, VariableDto};
use crate::service::{CreateOrder, FetchRequest, FetchTopic};
use http::StatusCode;

/// The longest that a fetch may wait, in milliseconds: Camunda's.
const TIMEOUT_MAX: i64 = 1_800_000;
/// The most topics of one fetch.
const TOPICS_MAX: usize = 1000;

/// `FetchExternalTasksExtendedDto`
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct FetchDto {
    #[serde(deserialize_with = "text")]
    worker_id: Option<String>,
    #[serde(deserialize_with = "integer")]
    max_tasks: Option<i64>,
    #[serde(deserialize_with = "flag")]
    use_priority: Option<bool>,
    #[serde(deserialize_with = "integer")]
    async_response_timeout: Option<i64>,
    sorting: Option<Vec<SortingDto>>,
    topics: Option<Vec<TopicDto>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SortingDto {
    sort_by: Option<String>,
    sort_order: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TopicDto {
    #[serde(deserialize_with = "text")]
    topic_name: Option<String>,
    #[serde(deserialize_with = "integer")]
    lock_duration: Option<i64>,
    #[serde(deserialize_with = "texts")]
    variables: Option<Vec<String>>,
    #[serde(deserialize_with = "flag")]
    local_variables: Option<bool>,
    #[serde(deserialize_with = "text")]
    business_key: Option<String>,
    #[serde(deserialize_with = "text")]
    process_definition_id: Option<String>,
    #[serde(deserialize_with = "texts")]
    process_definition_id_in: Option<Vec<String>>,
    #[serde(deserialize_with = "text")]
    process_definition_key: Option<String>,
    #[serde(deserialize_with = "texts")]
    process_definition_key_in: Option<Vec<String>>,
    #[serde(deserialize_with = "text")]
    process_definition_version_tag: Option<String>,
    process_variables: Option<IndexMap<String, Json>>,
    #[serde(deserialize_with = "flag")]
    deserialize_values: Option<bool>,
    #[serde(deserialize_with = "flag")]
    include_extension_properties: Option<bool>,
    #[serde(deserialize_with = "flag")]
    without_tenant_id: Option<bool>,
    #[serde(deserialize_with = "texts")]
    tenant_id_in: Option<Vec<String>>,
}

/// `POST /external-task/fetchAndLock`
pub(super) async fn fetch_and_lock(api: Api, Body(fetch): Body<FetchDto>) -> Result<Response> {
    let topics = fetch.topics.iter().flatten();
    let objects: HashMap<String, Objects> = topics
        .filter_map(|topic| {
            Some((
                topic.topic_name.clone()?,
                Objects::when(topic.deserialize_values == Some(true)),
            ))
        })
        .collect();
    let request = fetch.into_request(&api)?;
    let tasks = api.engine.fetch_and_lock(request).await?;
    let shown = |topic: &str| objects.get(topic).copied().unwrap_or(Objects::Serialised);
    Ok(ok(tasks
        .iter()
        .map(|task| TaskDto::locked(api.ids, task, shown(&task.task.topic)))
        .collect::<Vec<_>>()))
}

impl FetchDto {
    /// Checks in Camunda's order, so that the first of several mistakes is the one that it would tell.
    fn into_request(self, api: &Api) -> Result<FetchRequest> {
        let timeout = match self.async_response_timeout {
            Some(timeout) if timeout > TIMEOUT_MAX => {
                return Err(RestError::invalid(format!(
                    "The asynchronous response timeout cannot be set to a value greater than {TIMEOUT_MAX} milliseconds"
                )));
            }
            timeout => timeout
                .and_then(|timeout| u64::try_from(timeout).ok())
                .map(Duration::from_millis),
        };
        let order = self.order()?;
        let Some(worker) = self.worker_id else {
            return Err(null("workerId"));
        };
        let max_tasks = usize::try_from(self.max_tasks.unwrap_or(0))
            .map_err(|_| engine_error("maxResults is not greater than or equal to 0"))?;
        let dtos = self.topics.unwrap_or_default();
        if dtos.len() > TOPICS_MAX {
            return Err(RestError::invalid(format!(
                "A fetch may have at most {TOPICS_MAX} topics"
            )));
        }
        // A topic that is named twice: the last instruction wins.
        let mut topics = IndexMap::with_capacity(dtos.len());
        for dto in dtos {
            let topic = dto.into_topic(api)?;
            topics.insert(topic.name.clone(), topic);
        }
        let topics = topics.into_values().collect();
        let use_priority = self.use_priority.unwrap_or(false);
        Ok(FetchRequest {
            worker,
            max_tasks,
            use_priority,
            order,
            timeout,
            topics,
        })
    }

    fn order(&self) -> Result<Option<CreateOrder>> {
        let Some(sorting) = self.sorting.as_ref().and_then(|sorting| sorting.first()) else {
            return Ok(None);
        };
        if sorting.sort_by.as_deref() != Some("createTime") {
            let by = sorting.sort_by.as_deref().unwrap_or("null");
            return Err(RestError::invalid(format!(
                "Cannot set query sortBy parameter to value {by}"
            )));
        }
        match sorting.sort_order.as_deref() {
            Some("asc") => Ok(Some(CreateOrder::OldestFirst)),
            Some("desc") => Ok(Some(CreateOrder::NewestFirst)),
            Some(order) => Err(RestError::invalid(format!(
                "Cannot set query sortOrder parameter to value {order}"
            ))),
            None => Err(RestError::of_engine(
                StatusCode::BAD_REQUEST,
                "NotValidException",
                "Invalid query: call asc() or desc() after using orderByXX(): direction is null",
            )),
        }
    }
}

impl TopicDto {
    fn into_topic(self, api: &Api) -> Result<FetchTopic> {
        let Some(name) = self.topic_name else {
            return Err(null("topicName"));
        };
        let lock_duration = self.lock_duration.unwrap_or(0);
        if lock_duration <= 0 {
            return Err(engine_error("lockTime is not greater than 0"));
        }
        let read = |id: String| api.ids.read_definition(&id);
        let one = self.process_definition_id.map(|id| vec![read(id)]);
        let many = self.process_definition_id_in.filter(|ids| !ids.is_empty());
        let many = many.map(|ids| ids.into_iter().map(read).collect());
        let keys = self.process_definition_key_in.filter(|keys| !keys.is_empty());
        Ok(FetchTopic {
            name,
            lock_duration,
            variables: self.variables,
            local_variables: self.local_variables.unwrap_or(false),
            business_key: self.business_key,
            definitions: both(one, many),
            definition_keys: both(self.process_definition_key.map(|key| vec![key]), keys),
            version_tag: self.process_definition_version_tag,
            without_tenant: self.without_tenant_id.unwrap_or(false),
            tenants: self.tenant_id_in.filter(|tenants| !tenants.is_empty()),
            process_variables: process_variables(self.process_variables)?,
            extension_properties: self.include_extension_properties.unwrap_or(false),
        })
    }
}

/// What is in both lists, where both are given.
fn both<T: PartialEq>(one: Option<Vec<T>>, other: Option<Vec<T>>) -> Option<Vec<T>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.into_iter().filter(|item| other.contains(item)).collect()),
        (one, other) => one.or(other),
    }
}

fn process_variables(variables: Option<IndexMap<String, Json>>) -> Result<Vec<(String, Value)>> {
    let variables = variables.unwrap_or_default().into_iter().map(|(name, value)| {
        let value = VariableDto {
            value,
            ..VariableDto::default()
        }
        .to_value()?;
        match value {
            Value::Object(_) => Err(engine_error("Object values cannot be used to query")),
            value => Ok((name, value)),
        }
    });
    variables.collect()
}

/// 500 `NullValueException`
pub(super) fn null(name: &str) -> RestError {
    RestError::of_engine(
        StatusCode::INTERNAL_SERVER_ERROR,
        "NullValueException",
        format!("{name} is null"),
    )
}

/// 500 `ProcessEngineException`
pub(super) fn engine_error(message: &str) -> RestError {
    RestError::of_engine(StatusCode::INTERNAL_SERVER_ERROR, "ProcessEngineException", message)
}
