//! What suspension calls have in common: of which definitions, and when.

use handoff_machine::Millis;
use handoff_machine::command::DefinitionTarget;

use super::date;
use super::error::{RestError, Result};
use super::id::Ids;

/// The date at which it is done; none: at once.
///
/// # Errors
/// 400: no date.
pub(crate) fn execution_date(text: Option<&str>) -> Result<Option<Millis>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match date::parse(text) {
        Some(at) => Ok(Some(at)),
        None => Err(RestError::invalid(format!(
            "Invalid format: executionDate \"{text}\" is no date such as 2026-01-31T08:15:30.000+0000"
        ))),
    }
}

/// The definitions, by one's id or by the key of all versions.
///
/// # Errors
/// 400: both or none are named.
pub(crate) fn definitions(
    ids: Ids,
    id: Option<&str>,
    key: Option<&str>,
    tenant: Option<&str>,
    without_tenant: bool,
) -> Result<DefinitionTarget> {
    match (id, key) {
        (Some(id), None) => Ok(DefinitionTarget::Id(ids.read_definition(id))),
        (None, Some(key)) => Ok(DefinitionTarget::Key {
            key: key.to_owned(),
            tenant: match (tenant, without_tenant) {
                (Some(tenant), _) => Some(Some(tenant.to_owned())),
                (None, true) => Some(None),
                (None, false) => None,
            },
        }),
        _ => Err(RestError::invalid(
            "Either processDefinitionId or processDefinitionKey should be set to update the suspension state.",
        )),
    }
}
