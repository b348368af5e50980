//! An external task in answers.

use handoff_machine::row::{DefinitionRow, ExternalTask};
use serde_json::{Map, Value as Json, json};

use crate::rest::date;
use crate::rest::id::Ids;
use crate::rest::variables::{Objects, typed_map};
use crate::service::LockedTask;

/// A task as `GET /external-task` shows it.
pub(super) fn listed(ids: Ids, task: &ExternalTask, definition: Option<&DefinitionRow>) -> Map<String, Json> {
    let definition_id = definition.map_or_else(
        || ids.text(task.definition),
        |definition| ids.definition(&definition.key, definition.version, definition.id),
    );
    let dto = json!({
        "activityId": task.activity,
        "activityInstanceId": ids.activity(Some(task.entered()), task.execution),
        "errorMessage": task.error_message,
        "executionId": ids.text(task.execution),
        "id": ids.text(task.id),
        "lockExpirationTime": task.lock_expiration.map(date::format),
        "createTime": date::format(task.created),
        "processDefinitionId": definition_id,
        "processDefinitionKey": task.definition_key,
        "processDefinitionVersionTag": definition.and_then(|definition| definition.version_tag.as_deref()),
        "processInstanceId": ids.text(task.instance),
        "retries": task.retries,
        "suspended": task.suspended,
        "workerId": task.worker,
        "topicName": task.topic,
        "tenantId": task.tenant,
        "priority": task.priority,
        "businessKey": task.business_key,
    });
    match dto {
        Json::Object(dto) => dto,
        _ => Map::new(),
    }
}

/// A task as the worker that fetched it gets it.
pub(super) fn locked(ids: Ids, locked: &LockedTask, objects: Objects) -> Json {
    let mut dto = listed(ids, &locked.task, Some(&locked.definition.row));
    dto.insert("suspended".into(), false.into());
    dto.insert("errorDetails".into(), locked.task.error_details.clone().into());
    dto.insert("variables".into(), typed_map(&locked.variables, objects));
    let properties = locked.extension_properties.iter();
    let properties = properties.map(|(name, value)| (name.clone(), Json::from(value.as_str())));
    dto.insert("extensionProperties".into(), Json::Object(properties.collect()));
    Json::Object(dto)
}
