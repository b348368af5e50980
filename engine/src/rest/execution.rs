//! `/execution`: open activity instances and tokens, and the instances themselves.

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use handoff_machine::Command;
use handoff_machine::row::{EventSubscription, Execution, Instance};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{Body, count, no_content, ok, text};
use super::error::{RestError, Result};
use super::event_subscription;
use super::id::NOBODY;
use super::incident;
use super::path::Path;
use super::query::{Criteria, Params, PostParams, Select, VariableTable, by_variables, variable_table};
use super::scope;
use super::variables::{VariablesDto, inputs};
use crate::service::CommandError;

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
        .route("/execution/{id}/signal", post(signal))
        .route("/execution/{id}/messageSubscriptions/{name}", get(subscription))
        .route("/execution/{id}/messageSubscriptions/{name}/trigger", post(trigger))
        .route("/execution/{id}/create-incident", post(create_incident))
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

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TriggerDto {
    variables: VariablesDto,
}

/// The execution as it is named, in place of the id that no row has.
fn named(error: CommandError, api: &Api, id: &str) -> RestError {
    let mut error = RestError::from(error);
    error.message = error.message.replace(&api.ids.text(NOBODY), id);
    error
}

/// `POST /execution/{id}/signal`
async fn signal(api: Api, Path(id): Path<String>, Body(dto): Body<TriggerDto>) -> Result<Response> {
    let cannot = format!("Cannot signal execution {id}: ");
    let command = Command::SignalExecution {
        id: api.ids.read(&id),
        variables: inputs(&dto.variables).map_err(|error| error.wrapped(&cannot))?,
    };
    let done = api.submit_raw(command).await.map(|_| no_content());
    done.map_err(|error| named(error, &api, &id).wrapped(&cannot))
}

/// `POST /execution/{id}/messageSubscriptions/{name}/trigger`
async fn trigger(api: Api, Path((id, name)): Path<(String, String)>, Body(dto): Body<TriggerDto>) -> Result<Response> {
    let cannot = format!("Cannot trigger message {name} for execution {id}: ");
    let command = Command::TriggerMessage {
        execution: api.ids.read(&id),
        name,
        variables: inputs(&dto.variables).map_err(|error| error.wrapped(&cannot))?,
    };
    let done = api.submit_raw(command).await.map(|_| no_content());
    done.map_err(|error| named(error, &api, &id).wrapped(&cannot))
}

/// `GET /execution/{id}/messageSubscriptions/{name}`
async fn subscription(api: Api, Path((id, name)): Path<(String, String)>) -> Result<Response> {
    let key = api.ids.read(&id);
    let message = format!("Message event subscription for execution {id} named {name} does not exist");
    let found = api.read(move |reader| {
        let mut select = Select::<EventSubscription>::new();
        select
            .only("kind = 0")
            .with("execution = ?", Some(key.0))
            .with("name = ?", Some(name));
        Ok(select.rows(reader.connection)?.pop())
    });
    let found = found.await?.ok_or_else(|| RestError::unknown(message))?;
    Ok(ok(event_subscription::dto(api.ids, &found)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct IncidentDto {
    #[serde(deserialize_with = "text")]
    incident_type: Option<String>,
    #[serde(deserialize_with = "text")]
    configuration: Option<String>,
    #[serde(deserialize_with = "text")]
    message: Option<String>,
}

/// `POST /execution/{id}/create-incident`: answers the incident.
async fn create_incident(api: Api, Path(text): Path<String>, Body(dto): Body<IncidentDto>) -> Result<Response> {
    let Some(kind) = dto.incident_type else {
        return Err(RestError::of_engine(
            StatusCode::BAD_REQUEST,
            "BadUserRequestException",
            "incidentType is null",
        ));
    };
    let execution = api.ids.read(&text);
    api.run(Command::CreateIncident {
        execution,
        kind,
        configuration: dto.configuration,
        message: dto.message,
    })
    .await?;
    incident::latest_of(&api, execution).await
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
