//! Between a script's call and answer, and the JSON that the prelude reads and writes.

use handoff_machine::Millis;
use handoff_machine::command::VariableInput;
use handoff_machine::request::{Answer, ScriptCall};
use handoff_machine::value::{Serialized, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};

const JSON_FORMAT: &str = "application/json";

/// What the prelude takes.
pub(super) fn input(call: &ScriptCall) -> String {
    let list = |values: &[(String, Value)], opaque: usize| -> Json {
        values
            .iter()
            .enumerate()
            .map(|(at, (name, value))| json!([name, encode(value, opaque + at)]))
            .collect()
    };
    json!({
        "variables": list(&call.variables, 0),
        "local": list(&call.local_variables, call.variables.len()),
        "execution": list(&call.execution, 0),
        "task": call.task.as_ref().map(|task| list(task, 0)),
    })
    .to_string()
}

fn encode(value: &Value, at: usize) -> Json {
    match value {
        Value::Null | Value::NullOf(_) => json!(["null"]),
        Value::Boolean(truth) => json!(["boolean", truth]),
        Value::Short(number) => json!(["integer", number]),
        Value::Integer(number) => json!(["integer", number]),
        Value::Long(number) => json!(["integer", number]),
        Value::Double(number) => json!(["double", number]),
        Value::String(text) => json!(["text", text]),
        Value::Date(instant) => json!(["date", instant]),
        Value::Json(text) if serde_json::from_str::<Json>(text).is_ok() => json!(["json", text]),
        Value::Object(Serialized { data: None, .. }) => json!(["null"]),
        Value::Object(Serialized {
            format: Some(format),
            data: Some(data),
            ..
        }) if format == JSON_FORMAT && serde_json::from_str::<Json>(data).is_ok() => json!(["object", data]),
        other => json!(["opaque", [at, other.type_name()]]),
    }
}

#[derive(Deserialize)]
struct Report {
    variables: Vec<(String, Json)>,
    local: Vec<(String, Json)>,
    removed: Vec<String>,
    task: Vec<(String, Json)>,
    log: Vec<String>,
    result: Option<Json>,
    bpmn: Option<(String, Option<String>)>,
    error: Option<String>,
}

/// The answer that a report makes.
pub(super) fn answer(call: &ScriptCall, report: &str) -> Result<Answer, String> {
    let report: Report =
        serde_json::from_str(report).map_err(|error| format!("the script's report cannot be read: {error}"))?;
    for line in &report.log {
        tracing::debug!(activity = call.activity_id, line, "a script printed");
    }
    if let Some(message) = report.error {
        return Err(message);
    }
    let variables = inputs(call, &report.variables)?;
    if let Some((code, message)) = report.bpmn {
        return Ok(Answer::BpmnError {
            code,
            message,
            variables,
        });
    }
    let task = report
        .task
        .iter()
        .map(|(name, value)| Ok((name.clone(), decode(call, value)?)))
        .collect::<Result<_, String>>()?;
    Ok(Answer::Evaluated {
        result: report.result.map_or(Ok(Value::Null), |result| decode(call, &result))?,
        variables,
        local_variables: inputs(call, &report.local)?,
        removed: report.removed,
        task,
    })
}

fn inputs(call: &ScriptCall, values: &[(String, Json)]) -> Result<Vec<VariableInput>, String> {
    values
        .iter()
        .map(|(name, value)| {
            Ok(VariableInput {
                name: name.clone(),
                value: decode(call, value)?,
                transient: false,
            })
        })
        .collect()
}

fn decode(call: &ScriptCall, value: &Json) -> Result<Value, String> {
    let unreadable = || format!("the script's report has a value that cannot be read: {value}");
    let payload = value.get(1);
    let text = || payload.and_then(Json::as_str).map(str::to_owned).ok_or_else(unreadable);
    Ok(match value.get(0).and_then(Json::as_str).unwrap_or_default() {
        "null" => Value::Null,
        "boolean" => Value::Boolean(payload.and_then(Json::as_bool).ok_or_else(unreadable)?),
        "text" => Value::String(text()?),
        "integer" => Value::Integer(
            payload
                .and_then(Json::as_i64)
                .and_then(|number| i32::try_from(number).ok())
                .ok_or_else(unreadable)?,
        ),
        "long" => Value::Long(text()?.parse().map_err(|_| unreadable())?),
        "double" => Value::Double(match payload {
            Some(Json::String(text)) => text.parse().map_err(|_| unreadable())?,
            other => other.and_then(Json::as_f64).ok_or_else(unreadable)?,
        }),
        // An invalid date is none.
        "date" => payload
            .and_then(Json::as_f64)
            .map_or(Value::Null, |millis| Value::Date(millis as Millis)),
        "json" => Value::Json(text()?),
        "object" => Value::Object(Serialized {
            type_name: value.get(2).and_then(Json::as_str).map(str::to_owned),
            format: Some(JSON_FORMAT.to_owned()),
            data: Some(text()?),
        }),
        "opaque" => {
            let at = payload.and_then(Json::as_u64).and_then(|at| usize::try_from(at).ok());
            let all = call.variables.iter().chain(&call.local_variables);
            all.map(|(_, value)| value)
                .nth(at.ok_or_else(unreadable)?)
                .cloned()
                .ok_or_else(unreadable)?
        }
        _ => return Err(unreadable()),
    })
}
