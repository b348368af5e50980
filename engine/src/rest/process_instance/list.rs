//! Queries for running instances.

use axum::response::Response;
use handoff_machine::row::Instance;

use super::shown;
use crate::rest::api::Api;
use crate::rest::body::{count, ok};
use crate::rest::error::Result;
use crate::rest::query::{Criteria, Params, PostParams, Select, VariableTable, by_variables, variable_table};

const VARIABLES: VariableTable = variable_table!("variable v WHERE v.scope = process_instance.id");

const ORDERS: &[(&str, &str)] = &[
    ("instanceId", "id"),
    (
        "definitionKey",
        "(SELECT key FROM definition WHERE definition.id = process_instance.definition)",
    ),
    ("definitionId", "definition"),
    ("tenantId", "tenant"),
    ("businessKey", "business_key"),
];

pub(super) async fn by_get(api: Api, params: Params) -> Result<Response> {
    list(api, params).await
}

pub(super) async fn by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
    list(api, params).await
}

pub(super) async fn count_by_get(api: Api, params: Params) -> Result<Response> {
    count_all(api, params).await
}

pub(super) async fn count_by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
    count_all(api, params).await
}

async fn list(api: Api, params: Params) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged(&params, ORDERS)?;
    let instances = api.read(move |reader| {
        select
            .rows(reader.connection)?
            .iter()
            .map(|instance| shown(reader, instance))
            .collect::<Result<Vec<_>>>()
    });
    Ok(ok(instances.await?))
}

async fn count_all(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

/// The query for running instances.
///
/// # Errors
/// 400: a criterion that is none.
pub(crate) fn select(api: &Api, params: &Params) -> Result<Select<Instance>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .within("id IN (SELECT value FROM json_each(?))", of.ids("processInstanceIds")?)
        .with("business_key = ?", of.text("businessKey"))
        .with("business_key GLOB ?", of.pattern("businessKeyLike"))
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with(
            "definition IN (SELECT id FROM definition WHERE key = ?)",
            of.text("processDefinitionKey"),
        )
        .within(
            "definition IN (SELECT id FROM definition WHERE key IN (SELECT value FROM json_each(?)))",
            of.list("processDefinitionKeyIn")?,
        )
        .within(
            "definition NOT IN (SELECT id FROM definition WHERE key IN (SELECT value FROM json_each(?)))",
            of.list("processDefinitionKeyNotIn")?,
        )
        .with(
            "definition IN (SELECT id FROM definition WHERE deployment = ?)",
            of.id("deploymentId"),
        )
        .with("super_instance = ?", of.id("superProcessInstance"))
        .with(
            "id = (SELECT super_instance FROM process_instance WHERE id = ?)",
            of.id("subProcessInstance"),
        )
        .with("root = ?", of.id("rootProcessInstanceId"))
        .only_if(of.is("rootProcessInstances"), "super_instance IS NULL")
        .only_if(
            of.is("leafProcessInstances"),
            "NOT EXISTS (SELECT 1 FROM process_instance AS called WHERE called.super_instance = process_instance.id)",
        )
        .only_if(of.is("active"), "suspended = 0")
        .only_if(of.is("suspended"), "suspended <> 0")
        .only_if(of.is("withIncident"), "id IN (SELECT instance FROM incident)")
        .with(
            "id IN (SELECT instance FROM incident WHERE id = ?)",
            of.id("incidentId"),
        )
        .with(
            "id IN (SELECT instance FROM incident WHERE kind = ?)",
            of.text("incidentType"),
        )
        .with(
            "id IN (SELECT instance FROM incident WHERE message = ?)",
            of.text("incidentMessage"),
        )
        .with(
            "id IN (SELECT instance FROM incident WHERE message GLOB ?)",
            of.pattern("incidentMessageLike"),
        )
        .within(
            "id IN (SELECT instance FROM execution WHERE activity IN (SELECT value FROM json_each(?)))",
            of.list("activityIdIn")?,
        )
        .within("tenant IN (SELECT value FROM json_each(?))", of.list("tenantIdIn")?)
        .only_if(
            of.is("withoutTenantId") || of.is("processDefinitionWithoutTenantId"),
            "tenant IS NULL",
        );
    by_variables(&mut select, params, "variables", VARIABLES)?;
    Ok(select)
}
