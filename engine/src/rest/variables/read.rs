//! From the wire to a value, as Camunda's `VariableValueDto.toTypedValue` does it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_machine::value::{File, NullType, Serialized, Value};
use serde_json::{Map, Value as Json};

use super::VariableDto;
use crate::rest::date;
use crate::rest::error::{RestError, Result};

/// See [`VariableDto::to_value`].
pub(super) fn value(variable: &VariableDto) -> Result<Value> {
    let Some(kind) = variable.kind.as_deref().filter(|kind| !kind.is_empty()) else {
        return Ok(inferred(&variable.value));
    };
    let value = &variable.value;
    let canonical = capitalised(kind);
    match canonical.as_str() {
        "Null" => Ok(Value::Null),
        "Boolean" => primitive(
            kind,
            NullType::Boolean,
            value,
            |v| v.as_bool(),
            parse_boolean,
            Value::Boolean,
        ),
        "Short" => primitive(
            kind,
            NullType::Short,
            value,
            |v| v.as_i64()?.try_into().ok(),
            |t| t.parse().ok(),
            Value::Short,
        ),
        "Integer" => primitive(
            kind,
            NullType::Integer,
            value,
            |v| v.as_i64()?.try_into().ok(),
            |t| t.parse().ok(),
            Value::Integer,
        ),
        "Long" => primitive(
            kind,
            NullType::Long,
            value,
            Json::as_i64,
            |t| t.parse().ok(),
            Value::Long,
        ),
        "Double" => primitive(
            kind,
            NullType::Double,
            value,
            Json::as_f64,
            |t| t.parse().ok(),
            Value::Double,
        ),
        "String" => Ok(match value {
            Json::Null => Value::NullOf(NullType::String),
            Json::String(text) => Value::String(text.clone()),
            other => Value::String(other.to_string()),
        }),
        "Date" => match value {
            Json::Null => Ok(Value::NullOf(NullType::Date)),
            Json::String(text) => date::parse(text)
                .map(Value::Date)
                .ok_or_else(|| unconvertible(value, kind, "java.util.Date")),
            _ => Err(unconvertible(value, kind, "java.util.Date")),
        },
        "Bytes" => match value {
            Json::Null => Ok(Value::NullOf(NullType::Bytes)),
            Json::String(text) => bytes(text)
                .map(Value::Bytes)
                .ok_or_else(|| unconvertible(value, kind, "[B")),
            _ => Err(unconvertible(value, kind, "[B")),
        },
        "Json" => Ok(serialised(kind, value)?.map_or(Value::NullOf(NullType::Json), Value::Json)),
        "Xml" => Ok(serialised(kind, value)?.map_or(Value::NullOf(NullType::Xml), Value::Xml)),
        "Object" => object(kind, variable),
        "File" => file(variable),
        _ => Err(RestError::new(
            http::StatusCode::BAD_REQUEST,
            "RestException",
            format!("Unsupported value type '{kind}'"),
        )),
    }
}

/// A type that was left out: what Java makes of the JSON value.
fn inferred(value: &Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(*value),
        Json::String(text) => Value::String(text.clone()),
        Json::Number(number) => match number.as_i64() {
            Some(value) => i32::try_from(value).map_or(Value::Long(value), Value::Integer),
            None => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::Array(_) => collection("java.util.ArrayList", value),
        Json::Object(_) => collection("java.util.LinkedHashMap", value),
    }
}

fn collection(type_name: &str, value: &Json) -> Value {
    Value::Object(Serialized {
        type_name: Some(type_name.into()),
        format: Some("application/json".into()),
        data: Some(value.to_string()),
    })
}

/// A number or boolean; its text is taken for it too, as Jackson does.
fn primitive<T>(
    kind: &str,
    of: NullType,
    value: &Json,
    direct: impl Fn(&Json) -> Option<T>,
    parse: impl Fn(&str) -> Option<T>,
    make: impl Fn(T) -> Value,
) -> Result<Value> {
    let read = match value {
        Json::Null => return Ok(Value::NullOf(of)),
        Json::String(text) if text.trim().is_empty() => return Ok(Value::NullOf(of)),
        Json::String(text) => parse(text.trim()),
        other => direct(other),
    };
    read.map(make)
        .ok_or_else(|| unconvertible(value, kind, &format!("java.lang.{}", of.name())))
}

fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Base64, with line breaks and without padding too.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let unpadded = packed.trim_end_matches('=');
    base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(unpadded)
        .or_else(|_| STANDARD.decode(&packed))
        .ok()
}

fn serialised(kind: &str, value: &Json) -> Result<Option<String>> {
    match value {
        Json::Null => Ok(None),
        Json::String(text) => Ok(Some(text.clone())),
        _ => Err(RestError::invalid(format!(
            "Must provide 'null' or String value for value of SerializableValue type '{kind}'."
        ))),
    }
}

fn object(kind: &str, variable: &VariableDto) -> Result<Value> {
    let data = serialised(kind, &variable.value)?;
    let info = variable.value_info.as_ref();
    Ok(Value::Object(Serialized {
        type_name: text(info, "objectTypeName")?,
        format: text(info, "serializationDataFormat")?,
        data,
    }))
}

/// A file. The JavaScript client sends `mimetype`, which Camunda does not know: then the file has no type.
fn file(variable: &VariableDto) -> Result<Value> {
    let info = variable.value_info.as_ref();
    let Some(name) = text(info, "filename")? else {
        return Err(RestError::invalid(
            "Cannot create file value: filename must not be null",
        ));
    };
    let data = match &variable.value {
        Json::Null => Vec::new(),
        Json::String(text) => bytes(text).ok_or_else(|| RestError::invalid("The value of a file must be Base64"))?,
        _ => {
            return Err(RestError::invalid(
                "Provided value is not of File, byte[], or InputStream type.",
            ));
        }
    };
    Ok(Value::File(File {
        name,
        mimetype: text(info, "mimeType")?,
        encoding: text(info, "encoding")?,
        data,
    }))
}

fn text(info: Option<&Map<String, Json>>, key: &str) -> Result<Option<String>> {
    match info.and_then(|info| info.get(key)) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(RestError::invalid(format!(
            "The property '{key}' in the value info must be a String."
        ))),
    }
}

fn unconvertible(value: &Json, kind: &str, java: &str) -> RestError {
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let shown: String = shown.chars().take(200).collect();
    RestError::invalid(format!(
        "Cannot convert value '{shown}' of type '{kind}' to java type {java}"
    ))
}

fn capitalised(kind: &str) -> String {
    let mut chars = kind.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(variable: Json) -> Result<Value> {
        serde_json::from_value::<VariableDto>(variable).unwrap().to_value()
    }

    #[test]
    fn every_type_is_read_with_either_first_letter() {
        for (variable, value) in [
            (json!({"value": null, "type": "Null"}), Value::Null),
            (json!({"value": true, "type": "boolean"}), Value::Boolean(true)),
            (json!({"value": 7, "type": "short"}), Value::Short(7)),
            (json!({"value": "42", "type": "Integer"}), Value::Integer(42)),
            (
                json!({"value": 9_007_199_254_740_993_i64, "type": "long"}),
                Value::Long(9_007_199_254_740_993),
            ),
            (json!({"value": 3, "type": "Double"}), Value::Double(3.0)),
            (json!({"value": "é漢", "type": "string"}), Value::String("é漢".into())),
            (
                json!({"value": "1970-01-01T00:00:01.005+0000", "type": "date"}),
                Value::Date(1005),
            ),
            (
                json!({"value": "aGVsbG8=", "type": "bytes"}),
                Value::Bytes(b"hello".to_vec()),
            ),
            (json!({"value": "{}", "type": "json"}), Value::Json("{}".into())),
            (json!({"value": "<a/>", "type": "xml"}), Value::Xml("<a/>".into())),
            (
                json!({"value": null, "type": "Integer"}),
                Value::NullOf(NullType::Integer),
            ),
        ] {
            assert_eq!(read(variable.clone()).unwrap(), value, "{variable}");
        }
    }

    #[test]
    fn a_type_left_out_is_inferred() {
        assert_eq!(read(json!({"value": 5})).unwrap(), Value::Integer(5));
        assert_eq!(
            read(json!({"value": 5_000_000_000_i64})).unwrap(),
            Value::Long(5_000_000_000)
        );
        assert_eq!(read(json!({"value": 0.5, "type": null})).unwrap(), Value::Double(0.5));
        assert_eq!(read(json!({})).unwrap(), Value::Null);
        let Value::Object(map) = read(json!({"value": {"a": 1}})).unwrap() else {
            panic!("an object")
        };
        assert_eq!(map.type_name.as_deref(), Some("java.util.LinkedHashMap"));
    }

    #[test]
    fn refusals_are_worded_as_camundas() {
        let message = |variable| read(variable).unwrap_err();
        let unknown = message(json!({"value": 1, "type": "wombat"}));
        assert_eq!(
            (unknown.kind, unknown.message.as_str()),
            ("RestException", "Unsupported value type 'wombat'")
        );
        assert_eq!(
            message(json!({"value": "abc", "type": "Integer"})).message,
            "Cannot convert value 'abc' of type 'Integer' to java type java.lang.Integer"
        );
        assert_eq!(
            message(json!({"value": {"a": 1}, "type": "Json"})).message,
            "Must provide 'null' or String value for value of SerializableValue type 'Json'."
        );
        for variable in [
            json!({"value": 3_000_000_000_i64, "type": "Integer"}),
            json!({"value": 1.5, "type": "Long"}),
            json!({"value": "2026-01-31", "type": "Date"}),
            json!({"value": "*", "type": "Bytes"}),
            json!({"value": "x", "type": "File"}),
            json!({"value": [1], "type": "Boolean"}),
        ] {
            assert_eq!(read(variable.clone()).unwrap_err().status, 400, "{variable}");
        }
    }

    #[test]
    fn a_files_type_is_only_known_by_camundas_spelling() {
        let file = |info: Json| match read(json!({"value": "aGk=", "type": "file", "valueInfo": info})).unwrap() {
            Value::File(file) => file,
            other => panic!("{other:?}"),
        };
        let known = file(json!({"filename": "a.txt", "mimeType": "text/plain", "encoding": "UTF-8"}));
        assert_eq!(
            (known.mimetype.as_deref(), known.data.as_slice()),
            (Some("text/plain"), b"hi".as_slice())
        );
        assert_eq!(
            file(json!({"filename": "a.txt", "mimetype": "text/plain"})).mimetype,
            None
        );
    }
}
