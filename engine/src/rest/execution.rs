//! `/execution`: open activity instances and tokens, and the instances themselves.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use handoff_machine::row::{Execution, Instance};
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{count, ok};
use super::error::{RestError, Result};
use super::path::Path;
use super::query::{Criteria, Params, PostParams, Select, VariableTable, by_variables, variable_table};
use super::scope;

const VARIABLES: VariableTable = variable_table!("variable v WHERE v.scope = execution.id");
const PROCESS_VARIABLES: VariableTable = variable_table!("variable v WHERE v.scope = execution.instance");

const ORDERS: &[(&str, &str)] = &[
    ("instanceId", "instance"),
    (
        "definitionKey",
        "(SELECT key FROM definition WHERE definition.id = execution.definition)",
    ),
    ("definitionId", "definition"),
    (
        "tenantId",
        "(SELECT tenant FROM process_instance WHERE process_instance.id = execution.instance)",
    ),
];

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/execution", get(by_get).post(by_post))
        .route("/execution/count", get(count_by_get).post(count_by_post))
        .route("/execution/{id}", get(one))
        .merge(scope::routes("/execution/{id}/localVariables", scope::Kind::Execution))
}

async fn one(api: Api, Path(text): Path<String>) -> Result<Response> {
    let id = api.ids.read(&text);
    let execution = api.read(move |reader| {
        let instance = match Select::<Execution>::by_id(reader.connection, id)? {
            Some(execution) => execution.instance,
            None => id,
        };
        let instance = Select::<Instance>::by_id(reader.connection, instance)?;
        Ok(instance.map(|instance| {
            json!({
                "id": reader.ids.text(id),
                "processInstanceId": reader.ids.text(instance.id),
                "ended": false,
                "tenantId": instance.tenant,
            })
        }))
    });
    let unknown = || RestError::unknown(format!("Execution with id {text} does not exist"));
    execution.await?.map(ok).ok_or_else(unknown)
}

async fn by_get(api: Api, params: Params) -> Result<Response> {
    list(api, params).await
}

async fn by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
    list(api, params).await
}

async fn count_by_get(api: Api, params: Params) -> Result<Response> {
    count_all(api, params).await
}

async fn count_by_post(api: Api, PostParams(params): PostParams) -> Result<Response> {
    count_all(api, params).await
}

async fn list(api: Api, params: Params) -> Result<Response> {
    let mut select = select(&api, &params)?;
    select.arranged(&params, ORDERS)?;
    let executions = api.read(move |reader| {
        let dto = |execution: &Execution| {
            let instance = Select::<Instance>::by_id(reader.connection, execution.instance)?;
            Ok(json!({
                "id": reader.ids.text(execution.id),
                "processInstanceId": reader.ids.text(execution.instance),
                "ended": false,
                "tenantId": instance.and_then(|instance| instance.tenant),
            }))
        };
        select
            .rows(reader.connection)?
            .iter()
            .map(dto)
            .collect::<Result<Vec<Json>>>()
    });
    Ok(ok(executions.await?))
}

async fn count_all(api: Api, params: Params) -> Result<Response> {
    let select = select(&api, &params)?;
    Ok(count(api.read(move |reader| select.count(reader.connection)).await?))
}

fn select(api: &Api, params: &Params) -> Result<Select<Execution>> {
    let of = Criteria::new(params, api.ids);
    let mut select = Select::new();
    select
        .only("state <> 4")
        .with("definition = ?", of.last_id("processDefinitionId"))
        .with(
            "definition IN (SELECT id FROM definition WHERE key = ?)",
            of.text("processDefinitionKey"),
        )
        .with("instance = ?", of.id("processInstanceId"))
        .with(
            "instance IN (SELECT id FROM process_instance WHERE business_key = ?)",
            of.text("businessKey"),
        )
        .with("activity = ?", of.text("activityId"))
        .with(
            "id IN (SELECT execution FROM event_subscription WHERE kind = 0 AND name = ?)",
            of.text("messageEventSubscriptionName"),
        )
        .with(
            "id IN (SELECT execution FROM event_subscription WHERE kind = 1 AND name = ?)",
            of.text("signalEventSubscriptionName"),
        )
        .only_if(of.is("active"), "suspended = 0")
        .only_if(of.is("suspended"), "suspended <> 0")
        .with(
            "id IN (SELECT execution FROM incident WHERE id = ?)",
            of.id("incidentId"),
        )
        .with(
            "id IN (SELECT execution FROM incident WHERE kind = ?)",
            of.text("incidentType"),
        )
        .within(
            "instance IN (SELECT id FROM process_instance WHERE tenant IN (SELECT value FROM json_each(?)))",
            of.list("tenantIdIn")?,
        );
    by_variables(&mut select, params, "variables", VARIABLES)?;
    by_variables(&mut select, params, "processVariables", PROCESS_VARIABLES)?;
    Ok(select)
}
