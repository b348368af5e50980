//! Queries for definitions.

use axum::response::Response;
use handoff_machine::row::DefinitionRow;

use crate::rest::api::Api;
use crate::rest::body::{count, ok};
use crate::rest::definition;
use crate::rest::error::Result;
use crate::rest::query::{Criteria, Params, Select};

const ORDERS: &[(&str, &str)] = &[
    ("category", "category"),
    ("key", "key"),
    ("id", "id"),
    ("name", "name"),
    ("version", "version"),
    ("deploymentId", "deployment"),
    ("deployTime", "deployment"),
    ("tenantId", "tenant"),
    ("versionTag", "version_tag"),
];

const NAMES: definition::Names = definition::Names {
    id: "processDefinitionId",
    ids: "processDefinitionIdIn",
    or_without_tenant: "includeProcessDefinitionsWithoutTenantId",
};

/// `GET /process-definition`
pub(super) async fn by_get(api: Api, params: Params) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged(&params, ORDERS)?;
    let definitions = api.read(move |reader| {
        Ok(select
            .rows(reader.connection)?
            .iter()
            .map(|row| super::dto(reader.ids, row))
            .collect::<Vec<_>>())
    });
    Ok(ok(definitions.await?))
}

/// `GET /process-definition/count`
pub(super) async fn count_by_get(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

fn select(api: &Api, params: &Params) -> Result<Select<DefinitionRow>> {
    let of = Criteria::new(params, api.ids);
    let mut select = definition::select::<DefinitionRow>(&of, &NAMES)?;
    select
        .with(
            "deployment IN (SELECT id FROM deployment WHERE time > ?)",
            of.instant("deployedAfter")?,
        )
        .with(
            "deployment IN (SELECT id FROM deployment WHERE time = ?)",
            of.instant("deployedAt")?,
        )
        .within("key IN (SELECT value FROM json_each(?))", of.list("keysIn")?)
        .with("version_tag = ?", of.text("versionTag"))
        .with("version_tag GLOB ?", of.pattern("versionTagLike"))
        .only_if(of.is("withoutVersionTag"), "version_tag IS NULL")
        .only_if(of.is("active"), "suspended = 0")
        .only_if(of.is("suspended"), "suspended <> 0")
        .only_if(of.is("startableInTasklist"), "startable_in_tasklist <> 0")
        .only_if(of.is("notStartableInTasklist"), "startable_in_tasklist = 0")
        .only_if(
            of.is("latestVersion"),
            "version = (SELECT max(latest.version) FROM definition AS latest \
             WHERE latest.key = definition.key AND latest.tenant IS definition.tenant)",
        )
        .with(
            "id IN (SELECT definition FROM incident WHERE id = ?)",
            of.id("incidentId"),
        )
        .with(
            "id IN (SELECT definition FROM incident WHERE kind = ?)",
            of.text("incidentType"),
        );
    Ok(select)
}
