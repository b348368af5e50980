//! Topic subscriptions: a name, or a table with the filters of Camunda's `fetchAndLock`.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::Complaint;

/// A topic whose tasks the worker handles. The filters are those of `POST /external-task/fetchAndLock`, and a filter
/// that is left out does not filter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicSubscription {
    /// The topic's name.
    pub name: String,
    /// The engine, where it is not the manifest's.
    pub engine: Option<String>,
    /// The variables to fetch; none fetches all.
    pub variables: Option<Vec<String>>,
    /// Fetch only variables of the task's own scope.
    pub local_variables: bool,
    /// Only tasks of instances with this business key.
    pub business_key: Option<String>,
    /// Only tasks of this version of a process definition.
    pub process_definition_id: Option<String>,
    /// Only tasks of these versions of process definitions.
    pub process_definition_id_in: Vec<String>,
    /// Only tasks of this process definition.
    pub process_definition_key: Option<String>,
    /// Only tasks of these process definitions.
    pub process_definition_key_in: Vec<String>,
    /// Only tasks of process definitions with this version tag.
    pub process_definition_version_tag: Option<String>,
    /// Only tasks without a tenant.
    pub without_tenant_id: bool,
    /// Only tasks of these tenants.
    pub tenant_ids: Vec<String>,
    /// Only tasks of instances whose variables have these values.
    pub process_variables: BTreeMap<String, serde_json::Value>,
    /// Fetch the `camunda:properties` of the activity too.
    pub include_extension_properties: bool,
    /// How long a fetched task is locked at first, in milliseconds; the host extends it while the task runs.
    pub lock_duration_ms: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    name: String,
    engine: Option<String>,
    variables: Option<Vec<String>>,
    #[serde(default)]
    local_variables: bool,
    business_key: Option<String>,
    process_definition_id: Option<String>,
    #[serde(default)]
    process_definition_id_in: Vec<String>,
    process_definition_key: Option<String>,
    #[serde(default)]
    process_definition_key_in: Vec<String>,
    process_definition_version_tag: Option<String>,
    #[serde(default)]
    without_tenant_id: bool,
    #[serde(default)]
    tenant_ids: Vec<String>,
    #[serde(default)]
    process_variables: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    include_extension_properties: bool,
    lock_duration_ms: Option<u32>,
}

impl From<Table> for TopicSubscription {
    fn from(table: Table) -> Self {
        Self {
            name: table.name,
            engine: table.engine,
            variables: table.variables,
            local_variables: table.local_variables,
            business_key: table.business_key,
            process_definition_id: table.process_definition_id,
            process_definition_id_in: table.process_definition_id_in,
            process_definition_key: table.process_definition_key,
            process_definition_key_in: table.process_definition_key_in,
            process_definition_version_tag: table.process_definition_version_tag,
            without_tenant_id: table.without_tenant_id,
            tenant_ids: table.tenant_ids,
            process_variables: table.process_variables,
            include_extension_properties: table.include_extension_properties,
            lock_duration_ms: table.lock_duration_ms,
        }
    }
}

impl<'de> Deserialize<'de> for TopicSubscription {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrTable;

        // By hand rather than an untagged enum, which would swallow the reason why a table is refused.
        impl<'de> Visitor<'de> for NameOrTable {
            type Value = TopicSubscription;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a topic's name or a table such as { name = \"a-topic\", variables = [\"orderId\"] }")
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(TopicSubscription {
                    name: name.to_owned(),
                    ..TopicSubscription::default()
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map)).map(TopicSubscription::from)
            }
        }

        deserializer.deserialize_any(NameOrTable)
    }
}

impl TopicSubscription {
    pub(super) fn check(&self) -> Result<(), Complaint> {
        if self.name.is_empty() {
            return Err(Complaint::new("topics", "the name of a topic cannot be empty"));
        }
        if self.without_tenant_id && !self.tenant_ids.is_empty() {
            return Err(Complaint::new(
                "without-tenant-id",
                format!(
                    "topic `{}` asks for tasks without a tenant and for tenants; keep one",
                    self.name
                ),
            ));
        }
        if self.lock_duration_ms.is_some_and(|ms| ms < 1_000) {
            return Err(Complaint::new(
                "lock-duration-ms",
                format!(
                    "the lock of topic `{}` has to last 1000 ms at least, so that it can be extended in time",
                    self.name
                ),
            ));
        }
        let scalar = |value: &serde_json::Value| value.is_string() || value.is_number() || value.is_boolean();
        match self.process_variables.iter().find(|(_, value)| !scalar(value)) {
            Some((name, _)) => Err(Complaint::new(
                "process-variables",
                format!(
                    "process variable `{name}` of topic `{}` is compared with a string, a number or a boolean",
                    self.name
                ),
            )),
            None => Ok(()),
        }
    }
}
