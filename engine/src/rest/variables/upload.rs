//! `POST …/variables/{name}/data`: a variable from a multipart form, as Camunda takes files and bytes.

use axum::extract::{FromRequest, Multipart, Request};
use handoff_machine::value::{File, Serialized, Value};
use http::header;

use crate::rest::body::unsupported;
use crate::rest::error::{RestError, Result};

/// The longest part that is not the data, in bytes.
const TEXT_MAX: usize = 4096;

/// What was sent.
#[derive(Debug)]
pub(crate) struct Upload {
    /// The variable's value.
    pub(crate) value: Value,
}

/// The part `data`.
struct Data {
    filename: Option<String>,
    content_type: Option<String>,
    bytes: Vec<u8>,
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = RestError;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
            return Err(unsupported());
        }
        let multipart = Multipart::from_request(request, state).await;
        let mut multipart = multipart.map_err(|rejection| RestError::invalid(rejection.body_text()))?;
        let broken = |error: axum::extract::multipart::MultipartError| RestError::invalid(error.body_text());
        let (mut data, mut kind, mut class) = (None, None, None);
        while let Some(field) = multipart.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            let filename = field.file_name().map(str::to_owned);
            let content_type = field.content_type().map(str::to_owned);
            let bytes = field.bytes().await.map_err(broken)?.to_vec();
            match name.as_str() {
                "data" => {
                    data = Some(Data {
                        filename,
                        content_type,
                        bytes,
                    });
                }
                "valueType" => kind = Some(text(&bytes)?),
                "type" => class = Some(text(&bytes)?),
                _ => {}
            }
        }
        let data = data.ok_or_else(|| RestError::invalid("The form has no part 'data' with the content"))?;
        Ok(Self {
            value: value(data, kind.as_deref(), class)?,
        })
    }
}

fn text(bytes: &[u8]) -> Result<String> {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.len() <= TEXT_MAX => Ok(text.trim().to_owned()),
        _ => Err(RestError::invalid(format!(
            "A part that is not 'data' must be UTF-8 of at most {TEXT_MAX} bytes"
        ))),
    }
}

fn value(data: Data, kind: Option<&str>, class: Option<String>) -> Result<Value> {
    let utf8 =
        |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| RestError::invalid("The part 'data' must be UTF-8"));
    if let Some(class) = class {
        // The class of an object whose JSON is sent.
        let json = data
            .content_type
            .as_deref()
            .is_some_and(|kind| kind.starts_with("application/json"));
        if !json {
            return Err(RestError::invalid(format!(
                "Unrecognized content type for serialized java type: {}",
                data.content_type.as_deref().unwrap_or("none")
            )));
        }
        return Ok(Value::Object(Serialized {
            type_name: Some(class),
            format: Some("application/json".into()),
            data: Some(utf8(data.bytes)?),
        }));
    }
    match kind.unwrap_or("Bytes") {
        "Bytes" | "bytes" => Ok(Value::Bytes(data.bytes)),
        "File" | "file" => {
            let mut parts = data.content_type.as_deref().unwrap_or_default().split(';');
            let mimetype = parts
                .next()
                .map(str::trim)
                .filter(|kind| !kind.is_empty())
                .map(str::to_owned);
            let encoding = parts
                .filter_map(|part| part.trim().split_once('='))
                .find(|(name, _)| name.eq_ignore_ascii_case("encoding"))
                .map(|(_, encoding)| encoding.trim().to_owned());
            Ok(Value::File(File {
                name: data
                    .filename
                    .ok_or_else(|| RestError::invalid("The part 'data' has no file name"))?,
                mimetype,
                encoding,
                data: data.bytes,
            }))
        }
        other => Err(RestError::invalid(format!(
            "A variable of type '{other}' cannot be uploaded: set it by PUT of its JSON"
        ))),
    }
}
