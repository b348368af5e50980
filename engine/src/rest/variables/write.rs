//! From a value to the wire, as Camunda's `VariableValueDto.fromTypedValue` does it.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_machine::value::Value;
use http::{HeaderValue, header};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use crate::rest::date;
use crate::rest::error::{RestError, Result};

/// How objects are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Objects {
    /// As the text that they are stored as.
    Serialised,
    /// As JSON, where they are stored as that (`deserializeValues`).
    Deserialised,
}

impl Objects {
    /// By the parameter `deserializeValues`.
    pub(crate) fn when(deserialise: bool) -> Self {
        if deserialise {
            Self::Deserialised
        } else {
            Self::Serialised
        }
    }
}

/// `type`, `value` and `valueInfo` of a value.
#[derive(Debug)]
struct Typed<'v>(&'v Value, Objects);

/// The value alone.
struct Plain<'v>(&'v Value, Objects);

/// Variables by name.
#[derive(Debug)]
pub(crate) struct TypedMap<'v>(pub(crate) &'v [(String, Value)], pub(crate) Objects);

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(value, objects) = *self;
        let mut dto = to.serialize_struct("VariableValueDto", 3)?;
        dto.serialize_field("type", value.type_name())?;
        dto.serialize_field("value", &Plain(value, objects))?;
        dto.serialize_field("valueInfo", &info(value))?;
        dto.end()
    }
}

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) | Value::Json(text) | Value::Xml(text) => to.serialize_str(text),
            value => plain(value, self.1).serialize(to),
        }
    }
}

impl Serialize for TypedMap<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, Typed(value, self.1))))
    }
}

/// `type`, `value` and `valueInfo` of a value, to be added to.
pub(crate) fn typed(value: &Value, objects: Objects) -> Map<String, Json> {
    match serde_json::to_value(Typed(value, objects)) {
        Ok(Json::Object(dto)) => dto,
        _ => Map::new(),
    }
}

/// The value alone. A file has none: its content is fetched apart.
pub(crate) fn plain(value: &Value, objects: Objects) -> Json {
    match value {
        Value::Null | Value::NullOf(_) | Value::File(_) => Json::Null,
        Value::Boolean(value) => (*value).into(),
        Value::Short(value) => (*value).into(),
        Value::Integer(value) => (*value).into(),
        Value::Long(value) => (*value).into(),
        Value::Double(value) => double(*value),
        Value::String(text) | Value::Json(text) | Value::Xml(text) => text.as_str().into(),
        Value::Date(instant) => date::format(*instant).into(),
        Value::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Value::Object(object) => match (&object.data, objects) {
            (None, _) => Json::Null,
            (Some(data), Objects::Deserialised) if object.format.as_deref() == Some("application/json") => {
                serde_json::from_str(data).unwrap_or_else(|_| data.as_str().into())
            }
            (Some(data), _) => data.as_str().into(),
        },
    }
}

/// JSON has no infinity; Java writes it as a text.
fn double(value: f64) -> Json {
    match serde_json::Number::from_f64(value) {
        Some(number) => Json::Number(number),
        None if value.is_nan() => "NaN".into(),
        None => if value > 0.0 { "Infinity" } else { "-Infinity" }.into(),
    }
}

fn info(value: &Value) -> Map<String, Json> {
    let mut info = Map::new();
    match value {
        Value::Object(object) => {
            info.insert("objectTypeName".into(), object.type_name.clone().into());
            info.insert("serializationDataFormat".into(), object.format.clone().into());
        }
        Value::File(file) => {
            info.insert("filename".into(), file.name.clone().into());
            if let Some(mimetype) = &file.mimetype {
                info.insert("mimeType".into(), mimetype.clone().into());
            }
            if let Some(encoding) = &file.encoding {
                info.insert("encoding".into(), encoding.clone().into());
            }
        }
        _ => {}
    }
    info
}

/// The content of a binary variable, to be downloaded.
///
/// # Errors
/// 400 where the value is not binary.
pub(crate) fn data(value: Value, name: &str) -> Result<Response> {
    let (content_type, filename, data) = match value {
        Value::Bytes(bytes) => ("application/octet-stream".to_owned(), None, bytes),
        Value::File(file) => {
            let charset = file
                .encoding
                .as_ref()
                .map(|encoding| format!("; charset={encoding}"))
                .unwrap_or_default();
            let mimetype = file.mimetype.map(|mimetype| format!("{mimetype}{charset}"));
            (
                mimetype.unwrap_or_else(|| "application/octet-stream".into()),
                Some(file.name),
                file.data,
            )
        }
        Value::Null | Value::NullOf(_) => {
            return Err(RestError::unknown(format!("Variable with name {name} has no content")));
        }
        _ => {
            return Err(RestError::invalid(format!(
                "Value of variable with name {name} is not a binary value."
            )));
        }
    };
    Ok(download(&content_type, filename.as_deref(), data))
}

/// An answer that a browser saves and never shows: what is stored here may have been sent by anyone.
pub(crate) fn download(content_type: &str, filename: Option<&str>, data: Vec<u8>) -> Response {
    let fallback = HeaderValue::from_static("application/octet-stream");
    let content_type = HeaderValue::from_str(content_type).unwrap_or(fallback);
    let mut response = Body::from(data).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(filename) = filename {
        let ascii: String = filename
            .chars()
            .map(|c| {
                if c == ' ' || c.is_ascii_graphic() && c != '"' && c != '\\' {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        let encoded = percent_encoding::utf8_percent_encode(filename, percent_encoding::NON_ALPHANUMERIC);
        let disposition = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
        if let Ok(disposition) = HeaderValue::from_str(&disposition) {
            headers.insert(header::CONTENT_DISPOSITION, disposition);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::variables::VariableDto;
    use handoff_machine::value::{File, NullType, Serialized};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn objects_are_opaque_unless_asked_for() {
        let object = Value::Object(Serialized {
            type_name: Some("com.example.A".into()),
            format: Some("application/json".into()),
            data: Some("{\"a\":1}".into()),
        });
        assert_eq!(plain(&object, Objects::Serialised), json!("{\"a\":1}"));
        assert_eq!(plain(&object, Objects::Deserialised), json!({"a": 1}));
    }

    #[test]
    fn a_file_shows_what_it_is_but_not_its_content() {
        let file = File {
            name: "é \"x\".txt".into(),
            mimetype: Some("text/plain".into()),
            encoding: Some("UTF-8".into()),
            data: b"hi".to_vec(),
        };
        let dto = typed(&Value::File(file.clone()), Objects::Deserialised);
        assert_eq!(
            Json::Object(dto),
            json!({"type": "File", "value": null,
            "valueInfo": {"filename": "é \"x\".txt", "mimeType": "text/plain", "encoding": "UTF-8"}})
        );
        let response = data(Value::File(file), "f").unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; charset=UTF-8");
        assert!(
            response.headers()[header::CONTENT_DISPOSITION]
                .to_str()
                .unwrap()
                .starts_with("attachment; filename=\"_ _x_.txt\"")
        );
    }

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            Just(Value::NullOf(NullType::Integer)),
            Just(Value::NullOf(NullType::Xml)),
            any::<bool>().prop_map(Value::Boolean),
            any::<i16>().prop_map(Value::Short),
            any::<i32>().prop_map(Value::Integer),
            any::<i64>().prop_map(Value::Long),
            any::<f32>()
                .prop_filter("finite", |f| f.is_finite())
                .prop_map(|f| Value::Double(f.into())),
            any::<String>().prop_map(Value::String),
            (0..253_402_300_799_999_i64).prop_map(Value::Date),
            any::<Vec<u8>>().prop_map(Value::Bytes),
            any::<String>().prop_map(Value::Json),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in values()) {
            let sent = Json::Object(typed(&value, Objects::Serialised)).to_string();
            let read = serde_json::from_str::<VariableDto>(&sent).unwrap().to_value().unwrap();
            prop_assert_eq!(read, value);
        }
    }
}
