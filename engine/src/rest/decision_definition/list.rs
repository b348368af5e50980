//! Queries for decision definitions.

use axum::response::Response;
use handoff_machine::row::DecisionRow;

use crate::rest::api::Api;
use crate::rest::body::{count, ok};
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
    ("decisionRequirementsDefinitionKey", "requirements_key"),
];

/// `GET /decision-definition`
pub(super) async fn by_get(api: Api, params: Params) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged(&params, ORDERS)?;
    let definitions = api.read(move |reader| {
        let rows = select.rows(reader.connection)?;
        rows.iter()
            .map(|row| super::dto(reader, row))
            .collect::<Result<Vec<_>>>()
    });
    Ok(ok(definitions.await?))
}

/// `GET /decision-definition/count`
pub(super) async fn count_by_get(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

fn select(api: &Api, params: &Params) -> Result<Select<DecisionRow>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .with("id = ?", of.last_id("decisionDefinitionId"))
        .within(
            "id IN (SELECT value FROM json_each(?))",
            of.last_ids("decisionDefinitionIdIn")?,
        )
        .with("name = ?", of.text("name"))
        .with("name GLOB ?", of.pattern("nameLike"))
        .with("deployment = ?", of.id("deploymentId"))
        .with(
            "deployment IN (SELECT id FROM deployment WHERE time > ?)",
            of.instant("deployedAfter")?,
        )
        .with(
            "deployment IN (SELECT id FROM deployment WHERE time = ?)",
            of.instant("deployedAt")?,
        )
        .with("key = ?", of.text("key"))
        .with("key GLOB ?", of.pattern("keyLike"))
        .with("category = ?", of.text("category"))
        .with("category GLOB ?", of.pattern("categoryLike"))
        .with("version = ?", of.integer("version")?)
        .with("resource = ?", of.text("resourceName"))
        .with("resource GLOB ?", of.pattern("resourceNameLike"))
        .with("version_tag = ?", of.text("versionTag"))
        .with("version_tag GLOB ?", of.pattern("versionTagLike"))
        .with("requirements = ?", of.last_id("decisionRequirementsDefinitionId"))
        .with("requirements_key = ?", of.text("decisionRequirementsDefinitionKey"))
        .only_if(
            of.is("withoutDecisionRequirementsDefinition"),
            "requirements_key IS NULL",
        )
        .only_if(
            of.is("latestVersion"),
            "version = (SELECT max(latest.version) FROM decision AS latest \
             WHERE latest.key = decision.key AND latest.tenant IS decision.tenant)",
        );
    match (
        of.list("tenantIdIn")?,
        of.is("includeDecisionDefinitionsWithoutTenantId"),
    ) {
        (Some(tenants), true) => select.within(
            "(tenant IS NULL OR tenant IN (SELECT value FROM json_each(?)))",
            Some(tenants),
        ),
        (tenants, _) => select.within("tenant IN (SELECT value FROM json_each(?))", tenants),
    };
    select.only_if(of.is("withoutTenantId"), "tenant IS NULL");
    Ok(select)
}
