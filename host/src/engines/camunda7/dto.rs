//! The bodies of Camunda 7's REST API, as far as a worker needs them. Every field may be null or absent.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use handoff_runtime::{
    TopicSubscription,
    wit::types::{Task, TaskRef},
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{
    config::FetchOrder,
    engines::{Defect, Fetch, Locked},
    typed_json::{Origin, TypedVariables, parse_date, read_variables},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FetchDto<'a> {
    worker_id: &'a str,
    max_tasks: u32,
    use_priority: bool,
    async_response_timeout: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sorting: Option<[SortingDto; 1]>,
    topics: Vec<TopicDto<'a>>,
}

/// The order among equal priorities; without it, it is arbitrary.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SortingDto {
    sort_by: &'static str,
    sort_order: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TopicDto<'a> {
    topic_name: &'a str,
    lock_duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<&'a [String]>,
    #[serde(skip_serializing_if = "is_false")]
    local_variables: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    business_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_definition_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    process_definition_id_in: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    process_definition_key: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    process_definition_key_in: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    process_definition_version_tag: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    process_variables: &'a BTreeMap<String, Json>,
    #[serde(skip_serializing_if = "is_false")]
    without_tenant_id: bool,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tenant_id_in: &'a [String],
    #[serde(skip_serializing_if = "is_false")]
    include_extension_properties: bool,
    deserialize_values: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// How long a topic's tasks are locked at first.
fn lock_duration(topic: &TopicSubscription, default: Duration) -> Duration {
    topic
        .lock_duration_ms
        .map_or(default, |ms| Duration::from_millis(ms.into()))
}

impl<'a> FetchDto<'a> {
    pub(super) fn new(worker_id: &'a str, fetch: &'a Fetch) -> Self {
        let topics = fetch
            .subscriptions
            .iter()
            .map(|topic| TopicDto {
                topic_name: &topic.name,
                lock_duration: millis(lock_duration(topic, fetch.lock_duration)),
                variables: topic.variables.as_deref(),
                local_variables: topic.local_variables,
                business_key: topic.business_key.as_deref(),
                process_definition_id: topic.process_definition_id.as_deref(),
                process_definition_id_in: &topic.process_definition_id_in,
                process_definition_key: topic.process_definition_key.as_deref(),
                process_definition_key_in: &topic.process_definition_key_in,
                process_definition_version_tag: topic.process_definition_version_tag.as_deref(),
                process_variables: &topic.process_variables,
                without_tenant_id: topic.without_tenant_id,
                tenant_id_in: &topic.tenant_ids,
                include_extension_properties: topic.include_extension_properties,
                deserialize_values: false,
            })
            .collect();
        Self {
            worker_id,
            max_tasks: fetch.max_tasks,
            use_priority: fetch.priority,
            async_response_timeout: millis(fetch.wait),
            sorting: match fetch.order {
                FetchOrder::OldestFirst => Some("asc"),
                FetchOrder::NewestFirst => Some("desc"),
                FetchOrder::Any => None,
            }
            .map(|sort_order| {
                [SortingDto {
                    sort_by: "createTime",
                    sort_order,
                }]
            }),
            topics,
        }
    }
}

/// Whole milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LockedTaskDto {
    pub(super) id: String,
    pub(super) worker_id: Option<String>,
    pub(super) topic_name: Option<String>,
    business_key: Option<String>,
    variables: Option<TypedVariables>,
    pub(super) retries: Option<i64>,
    priority: Option<i64>,
    process_instance_id: Option<String>,
    process_definition_id: Option<String>,
    process_definition_key: Option<String>,
    process_definition_version_tag: Option<String>,
    execution_id: Option<String>,
    activity_id: Option<String>,
    activity_instance_id: Option<String>,
    tenant_id: Option<String>,
    create_time: Option<String>,
    error_message: Option<String>,
    error_details: Option<String>,
    extension_properties: Option<BTreeMap<String, Option<String>>>,
}

impl LockedTaskDto {
    /// The task for a worker. `sent` is when the fetch was sent: the lock counts from there, however long the answer
    /// took and whatever the engine's clock says.
    pub(super) fn into_locked(self, engine: &str, fetch: &Fetch, sent: Instant) -> Locked {
        let topic = self.topic_name.unwrap_or_default();
        let duration = fetch
            .subscriptions
            .iter()
            .find(|subscription| subscription.name == topic)
            .map_or(fetch.lock_duration, |subscription| {
                lock_duration(subscription, fetch.lock_duration)
            });
        let execution_id = self.execution_id.unwrap_or_default();
        let origin = Origin {
            engine,
            execution_id: &execution_id,
        };
        let (variables, defect) = match read_variables(self.variables.unwrap_or_default(), origin) {
            Ok(variables) => (variables, None),
            Err(error) => (Vec::new(), Some(Defect::NotUnderstood(error.to_string()))),
        };
        let task = Task {
            id: TaskRef {
                engine: engine.to_owned(),
                id: self.id,
            },
            topic,
            business_key: self.business_key,
            variables,
            retries: self.retries.map(|retries| u32::try_from(retries).unwrap_or(0)),
            priority: self.priority.unwrap_or(0),
            process_instance_id: self.process_instance_id.unwrap_or_default(),
            process_definition_id: self.process_definition_id.unwrap_or_default(),
            process_definition_key: self.process_definition_key.unwrap_or_default(),
            process_definition_version_tag: self.process_definition_version_tag,
            execution_id,
            activity_id: self.activity_id.unwrap_or_default(),
            activity_instance_id: self.activity_instance_id.unwrap_or_default(),
            tenant_id: self.tenant_id,
            created: self.create_time.as_deref().and_then(parse_date),
            error_message: self.error_message,
            error_details: self.error_details,
            extension_properties: self
                .extension_properties
                .unwrap_or_default()
                .into_iter()
                .map(|(key, value)| (key, value.unwrap_or_default()))
                .collect(),
            attributes: Vec::new(),
        };
        Locked {
            task,
            until: sent + duration,
            duration,
            defect,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CompleteDto<'a> {
    pub(super) worker_id: &'a str,
    pub(super) variables: TypedVariables,
    pub(super) local_variables: TypedVariables,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BpmnErrorDto<'a> {
    pub(super) worker_id: &'a str,
    pub(super) error_code: &'a str,
    pub(super) error_message: Option<&'a str>,
    pub(super) variables: TypedVariables,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FailureDto<'a> {
    pub(super) worker_id: &'a str,
    pub(super) error_message: &'a str,
    pub(super) error_details: Option<&'a str>,
    pub(super) retries: i32,
    pub(super) retry_timeout: u64,
    pub(super) variables: TypedVariables,
    pub(super) local_variables: TypedVariables,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LockDto<'a> {
    pub(super) worker_id: &'a str,
    pub(super) lock_duration: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExtendLockDto<'a> {
    pub(super) worker_id: &'a str,
    pub(super) new_duration: u64,
}

/// An instance as `start`, `message` and the queries answer it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceDto {
    pub(super) id: String,
    pub(super) definition_id: Option<String>,
    pub(super) business_key: Option<String>,
    pub(super) handoff: Option<StartedDto>,
}

/// Our engine's word on a start.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartedDto {
    pub(super) status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoricInstanceDto {
    pub(super) id: String,
    pub(super) process_definition_id: Option<String>,
    pub(super) business_key: Option<String>,
    pub(super) end_time: Option<String>,
}

/// One result of a correlation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CorrelatedDto {
    pub(super) execution: Option<ExecutionDto>,
    pub(super) process_instance: Option<InstanceDto>,
    pub(super) handoff: Option<StartedDto>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExecutionDto {
    pub(super) id: String,
    pub(super) process_instance_id: Option<String>,
}
