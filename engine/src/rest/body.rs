//! JSON bodies: read as Jackson reads them for Camunda, and written under exactly `application/json`.
//!
//! Nesting is limited by serde_json (128 levels), length by the body limit of the router. Unknown fields are ignored,
//! null is as good as absent, and scalars are taken for each other where that is possible (`"5"` for 5), because the
//! clients of Camunda rely on all three.

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::error::{RestError, Result};

/// A JSON body. An empty one, or `null`, gives the default.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for Body<T> {
    type Rejection = RestError;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let json = is_json(request.headers());
        let bytes = read(request, state).await?;
        let bare = bytes.trim_ascii();
        if bare.is_empty() || json && bare == b"null" {
            return Ok(Self(T::default()));
        }
        if !json {
            return Err(unsupported());
        }
        if bare.first() == Some(&b'[') {
            return Err(RestError::invalid(
                "The body is a list, where an object is expected: line 1 column 1",
            ));
        }
        parse(bare).map(Self)
    }
}

/// Reads the whole body.
///
/// # Errors
/// 413 where it is longer than the router allows, 400 where it was cut off.
pub(crate) async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        let message = rejection.body_text();
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large("The body of the request is too large"),
            _ => RestError::invalid(message),
        }
    })
}

/// 413
pub(crate) fn too_large(message: impl Into<String>) -> RestError {
    RestError::new(StatusCode::PAYLOAD_TOO_LARGE, "RestException", message)
}

/// 415
pub(crate) fn unsupported() -> RestError {
    RestError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "NotSupportedException",
        "HTTP 415 Unsupported Media Type",
    )
}

/// Parses JSON, telling where it is wrong.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| RestError::invalid(format!("The body is not the JSON that is expected here: {error}")))
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json")
}

/// 200 with a JSON body.
pub(crate) fn ok(body: impl Serialize) -> Response {
    // `axum::Json` writes into a buffer that looks for room at each of the many small writes.
    let mut json = Vec::with_capacity(1024);
    match serde_json::to_writer(&mut json, &body) {
        Ok(()) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "an answer could not be written"
            );
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// 204
pub(crate) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// `{"count": n}`
pub(crate) fn count(count: i64) -> Response {
    ok(serde_json::json!({ "count": count }))
}

/// Deserialises a text; numbers and booleans are taken for their text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Json::deserialize(deserializer)? {
        Json::Null => Ok(None),
        Json::String(text) => Ok(Some(text)),
        other @ (Json::Bool(_) | Json::Number(_)) => Ok(Some(other.to_string())),
        _ => Err(D::Error::custom("expected a string")),
    }
}

/// Deserialises texts.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    struct Text(#[serde(deserialize_with = "text")] Option<String>);
    let texts = Option::<Vec<Text>>::deserialize(deserializer)?;
    Ok(texts.map(|texts| texts.into_iter().filter_map(|text| text.0).collect()))
}

/// Deserialises an integer; its text is taken for it.
pub(crate) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    match Json::deserialize(deserializer)? {
        Json::Null => Ok(None),
        Json::String(text) if text.trim().is_empty() => Ok(None),
        Json::String(text) => text
            .trim()
            .parse()
            .map(Some)
            .map_err(|_| D::Error::custom("expected an integer")),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Ok(Some(number)),
            #[allow(
                clippy::cast_possible_truncation,
                reason = "as Java does; out of range ends at the range's end"
            )]
            (None, Some(number)) => Ok(Some(number as i64)),
            (None, None) => Err(D::Error::custom("expected an integer")),
        },
        _ => Err(D::Error::custom("expected an integer")),
    }
}

/// Deserialises a boolean; its text is taken for it.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    match Json::deserialize(deserializer)? {
        Json::Null => Ok(None),
        Json::Bool(flag) => Ok(Some(flag)),
        Json::Number(number) if number.is_i64() => Ok(Some(number.as_i64() != Some(0))),
        Json::String(text) if text.is_empty() => Ok(None),
        Json::String(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Json::String(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        _ => Err(D::Error::custom("expected a boolean")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Dto {
        #[serde(deserialize_with = "text")]
        name: Option<String>,
        #[serde(deserialize_with = "integer")]
        number: Option<i64>,
        #[serde(deserialize_with = "flag")]
        flag: Option<bool>,
        #[serde(deserialize_with = "texts")]
        list: Option<Vec<String>>,
    }

    #[test]
    fn scalars_are_taken_for_each_other() {
        let dto: Dto =
            parse(br#"{"name": 42, "number": "7", "flag": "true", "list": ["a", 1, null], "more": {}}"#).unwrap();
        let list = Some(vec!["a".to_owned(), "1".to_owned()]);
        assert_eq!(
            dto,
            Dto {
                name: Some("42".into()),
                number: Some(7),
                flag: Some(true),
                list
            }
        );
        assert_eq!(
            parse::<Dto>(br#"{"name": null, "number": null, "flag": null, "list": null}"#).unwrap(),
            Dto::default()
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let error = parse::<Dto>(b"{\"name\": \"x\",\n \"number\": [}").unwrap_err();
        assert_eq!(
            (error.status, error.kind, error.code),
            (StatusCode::BAD_REQUEST, "InvalidRequestException", None)
        );
        assert!(error.message.contains("line 2 column"), "{}", error.message);
    }

    #[test]
    fn deep_nesting_is_refused() {
        let body = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let error = parse::<Json>(body.as_bytes()).unwrap_err();
        assert!(error.message.contains("recursion limit"), "{}", error.message);
    }
}
