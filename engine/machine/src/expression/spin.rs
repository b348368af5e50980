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

/// The part of JSON that a path of names and positions leads to: `$.lines[0].name`. Wildcards and filters are refused.
fn select<'j>(json: &'j Json, path: &str) -> Result<&'j Json, EvalError> {
    let unread = || {
        EvalError::failed(format!(
            "the path '{path}' is not read here: use names and positions, as in $.a[0].b"
        ))
    };
    let mut rest = path.trim().strip_prefix('$').ok_or_else(unread)?;
    let mut at = json;
    while !rest.is_empty() {
        let step;
        if let Some(inside) = rest.strip_prefix('[') {
            let (index, after) = inside.split_once(']').ok_or_else(unread)?;
            let name = index.strip_prefix('\'').and_then(|name| name.strip_suffix('\''));
            step = match (name, index.parse::<usize>()) {
                (Some(name), _) => at.get(name),
                (None, Ok(index)) => at.get(index),
                _ => return Err(unread()),
            };
            rest = after;
        } else {
            let inside = rest.strip_prefix('.').ok_or_else(unread)?;
            let end = inside.find(['.', '[']).unwrap_or(inside.len());
            let (name, after) = inside.split_at(end);
            if name.is_empty() || name.contains(['*', '?', '(']) {
                return Err(unread());
            }
            step = at.get(name);
            rest = after;
        }
        at = step.ok_or_else(|| EvalError::failed(format!("the JSON has nothing at '{path}'")))?;
    }
    Ok(at)
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
        ("prop", [key, value]) => match (json, value.to_json()) {
            (Json::Object(fields), Some(value)) => {
                let mut fields = fields.clone();
                fields.insert(key.display(), value);
                Datum::Json(Arc::new(Json::Object(fields)))
            }
            (_, Some(_)) => return Err(no("an object")),
            (_, None) => return Err(EvalError::failed(format!("{} has no JSON form", value.type_name()))),
        },
        ("jsonPath", [path]) => node(select(json, &path.display())?),
        ("element", []) => node(json),
        ("hasProp", [key]) => Datum::Boolean(json.get(key.display()).is_some()),
        ("elements" | "elementList", []) => match json.as_array() {
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
