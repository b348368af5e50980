//! `POST /decision-definition/…/evaluate`

use axum::response::Response;
use handoff_machine::decision::{Cell, DecisionResult};
use handoff_machine::value::Value;
use handoff_machine::{Command, Reply};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::Named;
use crate::rest::api::Api;
use crate::rest::body::{Body, ok};
use crate::rest::error::{RestError, Result};
use crate::rest::variables::{Objects, VariablesDto, inputs, typed};
use crate::service::CommandError;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EvaluateDto {
    variables: VariablesDto,
}

pub(super) async fn evaluate(api: Api, named: Named, Body(dto): Body<EvaluateDto>) -> Result<Response> {
    let variables = inputs(&dto.variables)?;
    let by_id = match &named {
        Named::Id(id) => Some(id.clone()),
        Named::Key(..) => None,
    };
    let found = api.read(move |reader| {
        let row = super::find(reader, &named)?;
        Ok((row.id, reader.ids.definition(&row.key, row.version, row.id)))
    });
    let (decision, id) = match (found.await, by_id) {
        (Err(error), Some(id)) if error.code.is_some() => {
            return Err(error.context(&format!("Cannot evaluate decision {id}: ")));
        }
        (found, _) => found?,
    };
    let command = Command::EvaluateDecision { decision, variables };
    let reply = api
        .submit_raw(command)
        .await
        .map_err(|error: CommandError| RestError::from(error).wrapped(&format!("Cannot evaluate decision {id}: ")));
    match reply? {
        Reply::Decided(result) => Ok(ok(rules(&result)?)),
        other => Err(RestError::unexpected(&other)),
    }
}

/// Each rule's values, by the names of its outputs.
fn rules(result: &DecisionResult) -> Result<Json> {
    let mut rules = Vec::new();
    for rule in &result.rules {
        let mut entries = Map::new();
        for (name, cell) in rule {
            // Camunda cannot write such an answer either, and says as little as that.
            let name = name.as_ref().ok_or_else(|| {
                RestError::invalid(
                    "An output of the decision has no name: give the outputs of the table names, or let a rule match",
                )
            })?;
            entries.insert(name.clone(), value(cell));
        }
        rules.push(Json::Object(entries));
    }
    Ok(Json::Array(rules))
}

/// What has no type is shown bare.
fn value(cell: &Cell) -> Json {
    match &cell.value {
        value if cell.typed => Json::Object(typed(value, Objects::Deserialised)),
        value @ (Value::Null | Value::NullOf(_)) => Json::Object(typed(value, Objects::Deserialised)),
        _ => json!({ "type": null, "value": cell.to_json(), "valueInfo": null }),
    }
}
