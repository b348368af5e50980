//! Version 1 of the delegate protocol, in JSON. Variables look as they do in REST.

use std::time::Duration;

use handoff_machine::command::VariableInput;
use handoff_machine::request::{DelegateCall, DelegateEvent};
use handoff_machine::{Answer, Node};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::rest::variables::{Objects, VariablesDto, inputs, typed_map};

/// The version that is spoken.
const VERSION: u32 = 1;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerDto {
    version: u32,
    #[serde(default)]
    variables: VariablesDto,
    #[serde(default)]
    local_variables: VariablesDto,
    #[serde(default)]
    bpmn_error: Option<BpmnErrorDto>,
}

#[derive(Deserialize)]
struct BpmnErrorDto {
    code: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    variables: VariablesDto,
}

/// The body of a call, with the time that is left for it.
pub(super) fn request(engine: &str, node: Node, call: &DelegateCall, left: Duration) -> Json {
    let properties: serde_json::Map<_, _> = call
        .properties
        .iter()
        .map(|(name, value)| (name.clone(), Json::from(value.as_str())))
        .collect();
    json!({
        "version": VERSION,
        "engine": engine,
        "invocationId": call.invocation,
        "attempt": call.attempt,
        "deadlineMs": u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
        "event": event(call.event),
        "activityId": call.activity_id,
        "activityName": call.activity_name,
        "transitionId": call.transition_id,
        "processInstanceId": call.process_instance.text(node),
        "processDefinitionId": call.process_definition_id,
        "processDefinitionKey": call.process_definition_key,
        "executionId": call.execution.text(node),
        "businessKey": call.business_key,
        "tenantId": call.tenant,
        "variables": typed_map(&call.variables, Objects::Serialised),
        "extensionProperties": properties,
    })
}

fn event(event: DelegateEvent) -> &'static str {
    match event {
        DelegateEvent::Start => "start",
        DelegateEvent::End => "end",
        DelegateEvent::Take => "take",
        DelegateEvent::Execute => "execute",
    }
}

/// Reads an answer of 200.
pub(super) fn answer(bytes: &[u8]) -> Result<Answer, String> {
    let answer: AnswerDto = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if answer.version != VERSION {
        return Err(format!(
            "it is of version {}, and version {VERSION} is understood",
            answer.version
        ));
    }
    Ok(match answer.bpmn_error {
        Some(error) => Answer::BpmnError {
            code: error.code,
            message: error.message,
            variables: variables(&error.variables)?,
        },
        None => Answer::Delegated {
            variables: variables(&answer.variables)?,
            local_variables: variables(&answer.local_variables)?,
        },
    })
}

fn variables(variables: &VariablesDto) -> Result<Vec<VariableInput>, String> {
    inputs(variables).map_err(|error| error.message)
}

/// What a failed answer says: its `message`, or the beginning of whatever it is.
pub(super) fn message(bytes: &[u8], chars_max: usize) -> String {
    let parsed: Option<String> = serde_json::from_slice::<Json>(bytes)
        .ok()
        .and_then(|body| body.get("message").and_then(Json::as_str).map(str::to_owned));
    let text = parsed.unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned());
    text.chars().take(chars_max).collect()
}
