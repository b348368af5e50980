//! JSON in expressions: `S(x).prop("a").numberValue()`, as Camunda Spin has it.

use std::sync::Arc;

use serde_json::Value as Json;

use super::datum::Datum;
use super::eval::EvalError;
use super::operator;

fn node(json: &Json) -> Datum {
    Datum::Json(Arc::new(json.clone()))
}

/// `S(x)`: a text is parsed, everything else becomes what it is in JSON.
pub(super) fn parse(value: &Datum) -> Result<Datum, EvalError> {
    match value {
        Datum::Json(_) => Ok(value.clone()),
        Datum::Text(text) => serde_json::from_str(text)
            .map(|json| Datum::Json(Arc::new(json)))
            .map_err(|error| EvalError::failed(format!("Unable to read JSON: {error}"))),
        Datum::Null => Err(EvalError::failed("Unable to read JSON: the input is null")),
        other => other
            .to_json()
            .map(|json| Datum::Json(Arc::new(json)))
            .ok_or_else(|| EvalError::failed(format!("{} has no JSON form", other.type_name()))),
    }
}

pub(super) fn property(json: &Json, name: &str) -> Option<Datum> {
    match name {
        "boolean" => Some(Datum::Boolean(json.is_boolean())),
        "number" => Some(Datum::Boolean(json.is_number())),
        "string" => Some(Datum::Boolean(json.is_string())),
        "null" => Some(Datum::Boolean(json.is_null())),
        "array" => Some(Datum::Boolean(json.is_array())),
        "object" => Some(Datum::Boolean(json.is_object())),
        _ => None,
    }
}

pub(super) fn call(json: &Json, name: &str, arguments: &[Datum]) -> Result<Option<Datum>, EvalError> {
    let no = |what: &str| EvalError::failed(format!("the JSON is not {what}: {json}"));
    Ok(Some(match (name, arguments) {
        ("prop", [key]) => match json.get(key.display()) {
            Some(field) => node(field),
            None => {
                return Err(EvalError::failed(format!(
                    "the JSON has no property '{}'",
                    key.display()
                )));
            }
        },
        ("hasProp", [key]) => Datum::Boolean(json.get(key.display()).is_some()),
        ("elements", []) => match json.as_array() {
            Some(items) => Datum::list(items.iter().map(node).collect()),
            None => return Err(no("an array")),
        },
        ("fieldNames", []) => match json.as_object() {
            Some(fields) => Datum::list(fields.keys().map(Datum::text).collect()),
            None => return Err(no("an object")),
        },
        ("numberValue", []) if json.is_number() => Datum::from_json(json, 0),
        ("numberValue", []) => return Err(no("a number")),
        ("stringValue", []) => Datum::text(json.as_str().ok_or_else(|| no("a string"))?),
        ("boolValue", []) => Datum::Boolean(json.as_bool().ok_or_else(|| no("a boolean"))?),
        ("value", []) => match json {
            Json::Array(_) | Json::Object(_) => return Err(no("a plain value")),
            plain => Datum::from_json(plain, 0),
        },
        ("size", []) => match json {
            Json::Array(items) => Datum::Integer(i32::try_from(items.len()).unwrap_or(i32::MAX)),
            Json::Object(fields) => Datum::Integer(i32::try_from(fields.len()).unwrap_or(i32::MAX)),
            _ => return Err(no("an array or an object")),
        },
        ("get", [index]) => match operator::index(index)?.and_then(|index| json.get(index)) {
            Some(item) => node(item),
            None => return Err(EvalError::failed(format!("index {} is out of range", index.display()))),
        },
        ("isBoolean", []) => Datum::Boolean(json.is_boolean()),
        ("isNumber", []) => Datum::Boolean(json.is_number()),
        ("isString", []) => Datum::Boolean(json.is_string()),
        ("isNull", []) => Datum::Boolean(json.is_null()),
        ("isArray", []) => Datum::Boolean(json.is_array()),
        ("isObject", []) => Datum::Boolean(json.is_object()),
        ("toString", []) => Datum::text(json.to_string()),
        ("equals", [Datum::Json(other)]) => Datum::Boolean(json == other.as_ref()),
        _ => return Ok(None),
    }))
}
