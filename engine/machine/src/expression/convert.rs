//! Between process variables and what expressions compute with.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::datum::{Datum, HostObject};
use crate::value::{Serialized, Value};

/// The format of lists and maps that an expression leaves in a variable.
const JSON_FORMAT: &str = "application/json";

/// Deeper JSON stays opaque: `serde_json` itself refuses more than 128 levels.
const DEPTH_MAX: usize = 100;

impl From<&Value> for Datum {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null | Value::NullOf(_) => Self::Null,
            Value::Boolean(truth) => Self::Boolean(*truth),
            Value::Short(number) => Self::Short(*number),
            Value::Integer(number) => Self::Integer(*number),
            Value::Long(number) => Self::Long(*number),
            Value::Double(number) => Self::Double(*number),
            Value::String(text) => Self::Text(text.as_str().into()),
            Value::Date(instant) => Self::Date(*instant),
            Value::Json(text) => match serde_json::from_str(text) {
                Ok(json) => Self::Json(Arc::new(json)),
                Err(_) => Self::Opaque(Arc::new(value.clone())),
            },
            Value::Object(Serialized { data: None, .. }) => Self::Null,
            Value::Object(Serialized {
                format: Some(format),
                data: Some(data),
                ..
            }) if format == JSON_FORMAT => match serde_json::from_str(data) {
                Ok(json) => Self::from_json(&json, 0),
                Err(_) => Self::Opaque(Arc::new(value.clone())),
            },
            Value::Bytes(_) | Value::Xml(_) | Value::Object(_) | Value::File(_) => {
                Self::Opaque(Arc::new(value.clone()))
            }
        }
    }
}

impl Datum {
    /// What a Java object mapper would make of JSON: numbers as narrow as they fit.
    pub(super) fn from_json(json: &Json, depth: usize) -> Self {
        match json {
            _ if depth > DEPTH_MAX => Self::Json(Arc::new(json.clone())),
            Json::Null => Self::Null,
            Json::Bool(truth) => Self::Boolean(*truth),
            Json::Number(number) => match number.as_i64() {
                Some(number) => i32::try_from(number).map_or(Self::Long(number), Self::Integer),
                None => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::Text(text.as_str().into()),
            Json::Array(items) => Self::list(items.iter().map(|item| Self::from_json(item, depth + 1)).collect()),
            Json::Object(fields) => Self::Map(Arc::new(
                fields
                    .iter()
                    .map(|(name, field)| (name.clone(), Self::from_json(field, depth + 1)))
                    .collect(),
            )),
        }
    }

    /// The value as JSON; none where it has no such form.
    pub(super) fn to_json(&self) -> Option<Json> {
        Some(match self {
            Self::Null => Json::Null,
            Self::Boolean(truth) => Json::Bool(*truth),
            Self::Short(number) => Json::from(*number),
            Self::Integer(number) => Json::from(*number),
            Self::Long(number) | Self::Date(number) => Json::from(*number),
            Self::Double(number) => serde_json::Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Self::Text(text) => Json::String(text.to_string()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect::<Option<_>>()?),
            Self::Map(fields) => Json::Object(
                fields
                    .iter()
                    .map(|(name, field)| Some((name.clone(), field.to_json()?)))
                    .collect::<Option<serde_json::Map<_, _>>>()?,
            ),
            Self::Json(json) => Json::clone(json),
            Self::Opaque(_) | Self::Host(_) => return None,
        })
    }

    /// As a process variable holds it. Lists and maps become objects in JSON.
    #[must_use]
    pub fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(truth) => Value::Boolean(truth),
            Self::Short(number) => Value::Short(number),
            Self::Integer(number) => Value::Integer(number),
            Self::Long(number) => Value::Long(number),
            Self::Double(number) => Value::Double(number),
            Self::Text(text) => Value::String(text.to_string()),
            Self::Date(instant) => Value::Date(instant),
            Self::Json(json) => Value::Json(json.to_string()),
            Self::Opaque(value) => Arc::unwrap_or_clone(value),
            Self::Host(HostObject::Execution(id) | HostObject::Task(id) | HostObject::ExternalTask(id)) => {
                Value::String(id.to_string())
            }
            Self::List(_) | Self::Map(_) => {
                let type_name = if matches!(self, Self::List(_)) {
                    "java.util.ArrayList"
                } else {
                    "java.util.LinkedHashMap"
                };
                Value::Object(Serialized {
                    type_name: Some(type_name.to_owned()),
                    format: Some(JSON_FORMAT.to_owned()),
                    data: self.to_json().map(|json| json.to_string()),
                })
            }
        }
    }

    /// As text; null is none.
    #[must_use]
    pub fn into_text(self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text.to_string()),
            other => Some(other.display()),
        }
    }

    /// What Java's `toString` gives.
    pub(super) fn display(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Boolean(truth) => truth.to_string(),
            Self::Short(number) => number.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Long(number) => number.to_string(),
            Self::Double(number) => double_text(*number),
            Self::Text(text) => text.to_string(),
            Self::Date(instant) => match jiff::Timestamp::from_millisecond(*instant) {
                Ok(instant) => instant.to_string(),
                Err(_) => instant.to_string(),
            },
            Self::List(items) => {
                format!(
                    "[{}]",
                    items.iter().map(Self::inner_text).collect::<Vec<_>>().join(", ")
                )
            }
            Self::Map(fields) => format!(
                "{{{}}}",
                fields
                    .iter()
                    .map(|(name, field)| format!("{name}={}", field.inner_text()))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            Self::Json(json) => json.to_string(),
            Self::Opaque(value) => match value.as_ref() {
                Value::Xml(text) | Value::Json(text) => text.clone(),
                Value::Object(Serialized { data: Some(data), .. }) => data.clone(),
                other => other.type_name().to_owned(),
            },
            Self::Host(object) => format!("{object:?}"),
        }
    }

    /// Inside a list or map, where Java writes null as a word.
    fn inner_text(&self) -> String {
        if matches!(self, Self::Null) {
            "null".to_owned()
        } else {
            self.display()
        }
    }
}

/// A double as Java writes it: with a fraction, and in scientific notation where large or small.
fn double_text(number: f64) -> String {
    let magnitude = number.abs();
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 {
            "Infinity".to_owned()
        } else {
            "-Infinity".to_owned()
        }
    } else if number != 0.0 && !(1e-3..1e7).contains(&magnitude) {
        let text = format!("{number:E}");
        match text.split_once('E') {
            Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
            _ => text,
        }
    } else {
        format!("{number:?}")
    }
}

impl From<IndexMap<String, Datum>> for Datum {
    fn from(map: IndexMap<String, Datum>) -> Self {
        Self::Map(Arc::new(map))
    }
}
