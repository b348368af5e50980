//! Queries for decision definitions.

use axum::response::Response;
use handoff_machine::row::DecisionRow;

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
    ("decisionRequirementsDefinitionKey", "requirements_key"),
];

const NAMES: definition::Names = definition::Names {
    id: "decisionDefinitionId",
    ids: "decisionDefinitionIdIn",
    or_without_tenant: "includeDecisionDefinitionsWithoutTenantId",
};

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
    let mut select = definition::select::<DecisionRow>(&of, &NAMES)?;
    select
        .with(
            "deployment IN (SELECT id FROM deployment WHERE time > ?)",
            of.instant("deployedAfter")?,
        )
        .with(
            "deployment IN (SELECT id FROM deployment WHERE time = ?)",
            of.instant("deployedAt")?,
        )
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
    Ok(select)
}
