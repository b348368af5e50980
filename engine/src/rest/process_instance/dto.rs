//! A process instance in answers.

use handoff_machine::row::Instance;
use serde::Serialize;
use serde_json::Value as Json;

use crate::rest::id::Ids;
use crate::rest::once::StatusDto;
use crate::rest::variables::TypedMap;

/// `ProcessInstanceDto`; with what follows `definitionKey` `ProcessInstanceWithVariablesDto`, and the field of F2.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstanceDto<'i> {
    /// Only the answer to a start has one.
    pub(crate) links: Vec<LinkDto>,
    pub(crate) id: String,
    definition_id: Json,
    business_key: Option<&'i str>,
    case_instance_id: (),
    ended: bool,
    suspended: bool,
    tenant_id: Option<&'i str>,
    definition_key: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) variables: Option<TypedMap<'i>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) handoff: Option<StatusDto>,
}

/// `AtomLink`
#[derive(Debug, Serialize)]
pub(crate) struct LinkDto {
    method: &'static str,
    href: String,
    rel: &'static str,
}

impl LinkDto {
    /// Where what was answered can be read.
    pub(crate) fn to_self(href: String) -> Self {
        Self {
            method: "GET",
            href,
            rel: "self",
        }
    }
}

impl<'i> InstanceDto<'i> {
    /// `definition`, `key`: the ids of its definition, as they are shown.
    pub(crate) fn new(ids: Ids, instance: &'i Instance, definition: Json, key: Json, ended: bool) -> Self {
        Self {
            links: Vec::new(),
            id: ids.text(instance.id),
            definition_id: definition,
            business_key: instance.business_key.as_deref(),
            case_instance_id: (),
            ended,
            suspended: instance.suspended,
            tenant_id: instance.tenant.as_deref(),
            definition_key: key,
            variables: None,
            handoff: None,
        }
    }
}
