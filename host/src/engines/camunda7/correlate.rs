//! Correlating a message.
//!
//! Camunda's `POST /message` starts an instance if no execution matches and a message start event has that name, even
//! where the caller named the instance or its variables. Somebody who names them means a running execution, so in
//! that case this host looks for one first: a stray answer becomes a mismatch and never a new instance.

use handoff_runtime::wit::processes::{Message, Receiver};
use serde_json::{Map, Value as Json, json};

use super::{
    Camunda7,
    dto::{CorrelatedDto, ExecutionDto},
    transport::Call,
};
use crate::{
    engines::Fault,
    typed_json::{write_variable, write_variables},
};

pub(super) async fn correlate(engine: &Camunda7, message: &Message) -> Result<Vec<Receiver>, Fault> {
    let means_an_execution = message.process_instance_id.is_some()
        || !message.correlation_keys.is_empty()
        || !message.local_correlation_keys.is_empty();
    if means_an_execution && !is_awaited(engine, message).await? {
        if message.all {
            return Ok(Vec::new());
        }
        return Err(Fault::Mismatch(format!(
            "no execution waits for message {:?} with these keys",
            message.name
        )));
    }
    let mut body = Map::new();
    body.insert("messageName".into(), json!(message.name));
    body.insert("resultEnabled".into(), json!(true));
    body.insert("all".into(), json!(message.all));
    if let Some(key) = &message.business_key {
        body.insert("businessKey".into(), json!(key));
    }
    if let Some(id) = &message.process_instance_id {
        body.insert("processInstanceId".into(), json!(id));
    }
    if let Some(tenant) = &message.tenant_id {
        body.insert("tenantId".into(), json!(tenant));
    }
    for (field, variables) in [
        ("correlationKeys", &message.correlation_keys),
        ("localCorrelationKeys", &message.local_correlation_keys),
        ("processVariables", &message.variables),
        ("processVariablesLocal", &message.local_variables),
    ] {
        if !variables.is_empty() {
            body.insert(field.into(), json!(write_variables(variables)?));
        }
    }
    let results: Vec<CorrelatedDto> = engine.transport.exchange(Call::post(&["message"]), &body).await?;
    Ok(results.into_iter().filter_map(receiver).collect())
}

fn receiver(result: CorrelatedDto) -> Option<Receiver> {
    match (result.execution, result.process_instance) {
        (Some(execution), _) => Some(Receiver {
            process_instance_id: execution.process_instance_id.unwrap_or_default(),
            execution_id: Some(execution.id),
        }),
        (None, Some(instance)) => Some(Receiver {
            process_instance_id: instance.id,
            execution_id: None,
        }),
        (None, None) => None,
    }
}

/// Whether an execution waits for the message under these keys.
async fn is_awaited(engine: &Camunda7, message: &Message) -> Result<bool, Fault> {
    let equals = |variables: &[handoff_runtime::wit::types::Variable]| {
        variables
            .iter()
            .map(|variable| {
                Ok(json!({ "name": variable.name, "operator": "eq", "value": write_variable(variable)?.value }))
            })
            .collect::<Result<Vec<_>, Fault>>()
    };
    let mut query = Map::new();
    query.insert("messageEventSubscriptionName".into(), json!(message.name));
    query.insert("active".into(), json!(true));
    if let Some(id) = &message.process_instance_id {
        query.insert("processInstanceId".into(), json!(id));
    }
    if let Some(key) = &message.business_key {
        query.insert("businessKey".into(), json!(key));
    }
    if !message.correlation_keys.is_empty() {
        query.insert(
            "processVariables".into(),
            Json::Array(equals(&message.correlation_keys)?),
        );
    }
    if !message.local_correlation_keys.is_empty() {
        query.insert(
            "variables".into(),
            Json::Array(equals(&message.local_correlation_keys)?),
        );
    }
    let call = Call::post(&["execution"]).query(&[("maxResults", "1")]);
    let executions: Vec<ExecutionDto> = engine.transport.exchange(call, &query).await?;
    Ok(!executions.is_empty())
}
