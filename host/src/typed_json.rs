//! Process variables in Camunda 7's JSON form, `{"type", "value", "valueInfo"}`, both ways.
//!
//! The same form travels in the external task API and in the delegate protocol. Types that this module does not know
//! pass through as opaque objects; nothing is dropped. Dates are written with a numeric zone without a colon
//! (`+0000`), the only form that Camunda accepts.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use handoff_runtime::wit::types::{File, FileContent, FileReference, Instant, Serialized, Value, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value as Json, json};

/// How instants are written: milliseconds and a zone without a colon.
const DATE_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.3f%z";

/// A variable without its name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq)]
pub struct TypedValue {
    /// Camunda's name of the type; guessed from the value where it is absent.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// The value.
    #[serde(default)]
    pub value: Json,
    /// What the type needs beside the value, such as a file's name.
    #[serde(rename = "valueInfo", default, skip_serializing_if = "Option::is_none")]
    pub value_info: Option<Map<String, Json>>,
}

/// Variables by name. A `BTreeMap`, so that the same variables always make the same request.
pub type TypedVariables = BTreeMap<String, TypedValue>;

/// A value that is not what its type says.
#[derive(Debug, thiserror::Error)]
#[error("variable `{name}`: {reason}")]
pub struct TypedValueError {
    /// The variable.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Where a file variable can be read, as far as it is the same for all variables of a task.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The engine's configured name.
    pub engine: &'a str,
    /// The execution from which the variables are visible.
    pub execution_id: &'a str,
}

/// Reads variables as an engine sent them.
pub fn read_variables(variables: TypedVariables, origin: Origin<'_>) -> Result<Vec<Variable>, TypedValueError> {
    variables
        .into_iter()
        .map(|(name, typed)| {
            let transient = typed.value_info.as_ref().and_then(|info| info.get("transient")) == Some(&Json::Bool(true));
            match read_value(&name, typed, origin) {
                Ok(value) => Ok(Variable { name, value, transient }),
                Err(reason) => Err(TypedValueError { name, reason }),
            }
        })
        .collect()
}

/// Writes variables for an engine. Fails with the one that Camunda's form has no place for.
pub fn write_variables(variables: &[Variable]) -> Result<TypedVariables, TypedValueError> {
    variables
        .iter()
        .map(|variable| Ok((variable.name.clone(), write_variable(variable)?)))
        .collect()
}

fn read_value(name: &str, typed: TypedValue, origin: Origin<'_>) -> Result<Value, String> {
    let TypedValue {
        type_name,
        value,
        value_info,
    } = typed;
    let info = |key: &str| {
        value_info
            .as_ref()
            .and_then(|info| info.get(key))
            .and_then(Json::as_str)
            .map(str::to_owned)
    };
    let type_name = type_name.unwrap_or_else(|| guess_type(&value).to_owned());
    // Clients may write a type's first letter in either case.
    let known = type_name.to_ascii_lowercase();
    if known == "file" {
        return Ok(Value::File(File {
            name: info("filename").unwrap_or_else(|| name.to_owned()),
            mimetype: info("mimeType").or_else(|| info("mimetype")),
            encoding: info("encoding"),
            content: match value {
                Json::String(content) => FileContent::Bytes(decode_base64(&content)?),
                _ => FileContent::Reference(FileReference {
                    engine: origin.engine.to_owned(),
                    execution_id: origin.execution_id.to_owned(),
                    variable_name: name.to_owned(),
                }),
            },
        }));
    }
    if value.is_null() && known != "object" {
        return Ok(Value::Null);
    }
    let wrong = |value: &Json| format!("{value} is no {type_name}");
    Ok(match known.as_str() {
        "boolean" => Value::Boolean(value.as_bool().ok_or_else(|| wrong(&value))?),
        "short" => Value::Short(integer(&value).ok_or_else(|| wrong(&value))?),
        "integer" => Value::Integer(integer(&value).ok_or_else(|| wrong(&value))?),
        "long" => Value::Long(integer(&value).ok_or_else(|| wrong(&value))?),
        "double" | "number" => Value::Double(double(&value).ok_or_else(|| wrong(&value))?),
        "string" => Value::Text(text(value)?),
        "date" => Value::Date(value.as_str().and_then(parse_date).ok_or_else(|| wrong(&value))?),
        "bytes" => Value::Bytes(decode_base64(value.as_str().ok_or_else(|| wrong(&value))?)?),
        "json" => Value::Json(text_or_document(value)),
        "xml" => Value::Xml(text(value)?),
        "null" => Value::Null,
        "object" => Value::Object(Serialized {
            object_type_name: info("objectTypeName"),
            serialization_data_format: info("serializationDataFormat"),
            data: (!value.is_null()).then(|| text_or_document(value)),
        }),
        _ => Value::Object(Serialized {
            object_type_name: Some(type_name),
            serialization_data_format: info("serializationDataFormat"),
            data: Some(text_or_document(value)),
        }),
    })
}

/// Writes one variable.
pub fn write_variable(variable: &Variable) -> Result<TypedValue, TypedValueError> {
    let cannot = |reason: String| TypedValueError {
        name: variable.name.clone(),
        reason,
    };
    let mut info = Map::new();
    let (type_name, value) = match &variable.value {
        Value::Null => ("Null", Json::Null),
        Value::Boolean(value) => ("Boolean", json!(value)),
        Value::Short(value) => ("Short", json!(value)),
        Value::Integer(value) => ("Integer", json!(value)),
        Value::Long(value) => ("Long", json!(value)),
        // JSON has no NaN and no infinities; Camunda's mapper reads them from their names.
        Value::Double(value) => (
            "Double",
            Number::from_f64(*value).map_or_else(|| Json::String(named(*value).to_owned()), Json::Number),
        ),
        Value::Text(value) => ("String", json!(value)),
        Value::Date(instant) => {
            let date = format_date(*instant).ok_or_else(|| {
                cannot(format!(
                    "{} ms since 1970 is no date of the years 1 to 9999",
                    instant.milliseconds
                ))
            })?;
            ("Date", Json::String(date))
        }
        Value::Bytes(value) => ("Bytes", Json::String(BASE64.encode(value))),
        Value::Json(value) => ("Json", json!(value)),
        Value::Xml(value) => ("Xml", json!(value)),
        Value::Object(object) => {
            if let Some(name) = &object.object_type_name {
                info.insert("objectTypeName".into(), json!(name));
            }
            if let Some(format) = &object.serialization_data_format {
                info.insert("serializationDataFormat".into(), json!(format));
            }
            ("Object", json!(object.data))
        }
        Value::File(file) => {
            info.insert("filename".into(), json!(file.name));
            if let Some(mimetype) = &file.mimetype {
                info.insert("mimeType".into(), json!(mimetype));
            }
            if let Some(encoding) = &file.encoding {
                info.insert("encoding".into(), json!(encoding));
            }
            match &file.content {
                FileContent::Bytes(content) => ("File", Json::String(BASE64.encode(content))),
                FileContent::Reference(_) => {
                    return Err(cannot(
                        "is a reference to a file; read it and write its bytes".to_owned(),
                    ));
                }
            }
        }
    };
    if variable.transient {
        info.insert("transient".into(), json!(true));
    }
    Ok(TypedValue {
        type_name: Some(type_name.to_owned()),
        value,
        value_info: (!info.is_empty()).then_some(info),
    })
}

/// What JSON has no number for, by the names that Java gives it.
const fn named(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Reads an instant as engines write it, with or without a colon in its zone.
pub fn parse_date(text: &str) -> Option<Instant> {
    let timestamp = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text)
        .and_then(|parsed| parsed.to_timestamp())
        .or_else(|_| text.parse::<jiff::Timestamp>())
        .ok()?;
    Some(Instant {
        milliseconds: timestamp.as_millisecond(),
    })
}

/// Writes an instant as engines read it; none where it lies outside the years 1 to 9999, for which Camunda's form has
/// four digits and no sign.
pub fn format_date(instant: Instant) -> Option<String> {
    let timestamp = jiff::Timestamp::from_millisecond(instant.milliseconds).ok()?;
    let date = timestamp.to_zoned(jiff::tz::TimeZone::UTC);
    (date.year() >= 1).then(|| date.strftime(DATE_FORMAT).to_string())
}

fn guess_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "Null",
        Json::Bool(_) => "Boolean",
        Json::Number(number) if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => "Integer",
        Json::Number(number) if number.is_i64() => "Long",
        Json::Number(_) => "Double",
        Json::String(_) => "String",
        Json::Array(_) | Json::Object(_) => "Json",
    }
}

fn integer<T: TryFrom<i64>>(value: &Json) -> Option<T> {
    let number = match value {
        Json::String(text) => text.parse().ok()?,
        _ => value.as_i64()?,
    };
    T::try_from(number).ok()
}

fn double(value: &Json) -> Option<f64> {
    match value {
        Json::String(text) => text.parse().ok(),
        _ => value.as_f64(),
    }
}

fn text(value: Json) -> Result<String, String> {
    match value {
        Json::String(text) => Ok(text),
        other => Err(format!("{other} is no text")),
    }
}

/// Serialised values are text; an engine that was asked to deserialise them sends the document itself.
fn text_or_document(value: Json) -> String {
    match value {
        Json::String(text) => text,
        document => document.to_string(),
    }
}

fn decode_base64(text: &str) -> Result<Vec<u8>, String> {
    BASE64.decode(text).map_err(|error| format!("not base64: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin<'_> = Origin {
        engine: "order",
        execution_id: "e1",
    };

    fn read(json: Json) -> Result<Vec<Variable>, TypedValueError> {
        read_variables(serde_json::from_value(json).unwrap(), ORIGIN)
    }

    fn variable(value: Value) -> Variable {
        Variable {
            name: "v".into(),
            value,
            transient: false,
        }
    }

    #[test]
    fn every_type_survives_the_way_there_and_back() {
        let object = Serialized {
            object_type_name: Some("java.util.ArrayList".into()),
            serialization_data_format: Some("application/json".into()),
            data: Some("[1]".into()),
        };
        for value in [
            Value::Null,
            Value::Boolean(true),
            Value::Short(-3),
            Value::Integer(i32::MIN),
            Value::Long(i64::MAX),
            Value::Double(0.5),
            Value::Double(f64::INFINITY),
            Value::Text("ü".into()),
            Value::Date(Instant {
                milliseconds: 1_444_142_082_123,
            }),
            Value::Date(Instant { milliseconds: -1 }),
            Value::Bytes(vec![0, 255]),
            Value::Json("{\"a\":1}".into()),
            Value::Xml("<a/>".into()),
            Value::Object(object),
        ] {
            let written = write_variables(&[variable(value.clone())]).unwrap();
            let wire = serde_json::to_value(written).unwrap();
            assert_eq!(read(wire.clone()).unwrap(), vec![variable(value)], "{wire}");
        }
    }

    #[test]
    fn dates_have_milliseconds_and_a_zone_without_a_colon() {
        assert_eq!(
            format_date(Instant {
                milliseconds: 1_444_142_082_000
            })
            .unwrap(),
            "2015-10-06T14:34:42.000+0000"
        );
        for text in [
            "2015-10-06T16:34:42.000+0200",
            "2015-10-06T16:34:42.000+02:00",
            "2015-10-06T14:34:42Z",
        ] {
            assert_eq!(
                parse_date(text).map(|i| i.milliseconds),
                Some(1_444_142_082_000),
                "{text}"
            );
        }
        assert_eq!(parse_date("yesterday"), None);
    }

    #[test]
    fn what_has_no_form_is_refused_and_never_written_as_null() {
        let reference = File {
            name: "a.txt".into(),
            mimetype: None,
            encoding: None,
            content: FileContent::Reference(FileReference {
                engine: "order".into(),
                execution_id: "e1".into(),
                variable_name: "v".into(),
            }),
        };
        let no_dates = [i64::MAX, -99_999_999_999_999].map(|milliseconds| Value::Date(Instant { milliseconds }));
        for value in no_dates.into_iter().chain([Value::File(reference)]) {
            let error = write_variables(&[variable(value)]).unwrap_err().to_string();
            assert!(error.starts_with("variable `v`: "), "{error}");
        }
        for (value, name) in [
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (-f64::INFINITY, "-Infinity"),
        ] {
            assert_eq!(
                write_variable(&variable(Value::Double(value))).unwrap().value,
                json!(name)
            );
        }
    }

    #[test]
    fn a_file_without_content_is_a_reference_to_its_execution() {
        let variables = read(json!({"f": {"type": "File", "value": null,
            "valueInfo": {"filename": "a.txt", "mimetype": "text/plain"}}}))
        .unwrap();
        let Value::File(file) = &variables[0].value else {
            unreachable!("{variables:?}")
        };
        assert_eq!(
            (file.name.as_str(), file.mimetype.as_deref()),
            ("a.txt", Some("text/plain"))
        );
        let FileContent::Reference(reference) = &file.content else {
            unreachable!("{file:?}")
        };
        assert_eq!(
            (reference.execution_id.as_str(), reference.variable_name.as_str()),
            ("e1", "f")
        );
    }

    #[test]
    fn what_is_unknown_passes_through_and_what_is_wrong_is_named() {
        let variables = read(json!({"x": {"type": "Spin", "value": "abc"}})).unwrap();
        assert!(matches!(&variables[0].value, Value::Object(o) if o.object_type_name.as_deref() == Some("Spin")));
        let error = read(json!({"count": {"type": "Integer", "value": "many"}}))
            .unwrap_err()
            .to_string();
        assert!(error.contains("count") && error.contains("Integer"), "{error}");
    }

    #[test]
    fn transient_variables_say_so() {
        let variables = read(json!({"t": {"type": "String", "value": "x", "valueInfo": {"transient": true}}})).unwrap();
        assert!(variables[0].transient);
        let wire = serde_json::to_value(write_variables(&variables).unwrap()).unwrap();
        assert_eq!(wire["t"]["valueInfo"]["transient"], json!(true));
    }
}
