//! An external task in answers.

use handoff_machine::row::{DefinitionRow, ExternalTask};
use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use crate::rest::date;
use crate::rest::id::Ids;
use crate::rest::variables::{Objects, TypedMap};
use crate::service::LockedTask;

/// `ExternalTaskDto`, and with `fetched` `LockedExternalTaskDto`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskDto<'t> {
    activity_id: &'t str,
    activity_instance_id: String,
    error_message: Option<&'t str>,
    execution_id: String,
    id: String,
    lock_expiration_time: Option<String>,
    create_time: String,
    process_definition_id: String,
    process_definition_key: &'t str,
    process_definition_version_tag: Option<&'t str>,
    process_instance_id: String,
    retries: Option<i32>,
    suspended: bool,
    worker_id: Option<&'t str>,
    topic_name: &'t str,
    tenant_id: Option<&'t str>,
    priority: i64,
    business_key: Option<&'t str>,
    #[serde(flatten)]
    fetched: Option<FetchedDto<'t>>,
}

/// What a worker is told beside the task.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FetchedDto<'t> {
    error_details: Option<&'t str>,
    variables: TypedMap<'t>,
    #[serde(serialize_with = "properties")]
    extension_properties: &'t [(String, String)],
}

/// A model may name one twice: the last wins.
fn properties<S: Serializer>(properties: &[(String, String)], to: S) -> Result<S::Ok, S::Error> {
    let properties: IndexMap<_, _> = properties.iter().map(|(name, value)| (name, value)).collect();
    properties.serialize(to)
}

impl<'t> TaskDto<'t> {
    fn new(ids: Ids, task: &'t ExternalTask, definition: Option<&'t DefinitionRow>) -> Self {
        Self {
            activity_id: &task.activity,
            activity_instance_id: ids.activity(Some(task.entered()), task.execution),
            error_message: task.error_message.as_deref(),
            execution_id: ids.text(task.execution),
            id: ids.text(task.id),
            lock_expiration_time: task.lock_expiration.map(date::format),
            create_time: date::format(task.created),
            process_definition_id: definition.map_or_else(
                || ids.text(task.definition),
                |definition| ids.definition(&definition.key, definition.version, definition.id),
            ),
            process_definition_key: &task.definition_key,
            process_definition_version_tag: definition.and_then(|definition| definition.version_tag.as_deref()),
            process_instance_id: ids.text(task.instance),
            retries: task.retries,
            suspended: task.suspended,
            worker_id: task.worker.as_deref(),
            topic_name: &task.topic,
            tenant_id: task.tenant.as_deref(),
            priority: task.priority,
            business_key: task.business_key.as_deref(),
            fetched: None,
        }
    }

    /// A task as the worker that fetched it gets it.
    pub(super) fn locked(ids: Ids, locked: &'t LockedTask, objects: Objects) -> Self {
        Self {
            suspended: false,
            fetched: Some(FetchedDto {
                error_details: locked.task.error_details.as_deref(),
                variables: TypedMap(&locked.variables, objects),
                extension_properties: &locked.extension_properties,
            }),
            ..Self::new(ids, &locked.task, Some(&locked.definition.row))
        }
    }
}

/// A task as `GET /external-task` shows it.
pub(super) fn listed(ids: Ids, task: &ExternalTask, definition: Option<&DefinitionRow>) -> Json {
    json!(TaskDto::new(ids, task, definition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_that_is_named_twice_is_written_once() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let given = [pair("a", "1"), pair("b", "2"), pair("a", "3")];
        let mut json = Vec::new();
        properties(&given, &mut serde_json::Serializer::new(&mut json)).unwrap();
        assert_eq!(json, br#"{"a":"3","b":"2"}"#);
    }
}
