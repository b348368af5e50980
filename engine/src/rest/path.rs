//! Parameters in the path; what cannot be read is 404, as in JAX-RS.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use http::StatusCode;
use serde::de::DeserializeOwned;

use super::error::{RestError, Result};

/// One parameter, or a tuple of them.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(RestError::new(
                StatusCode::NOT_FOUND,
                "NotFoundException",
                rejection.body_text(),
            )),
        }
    }
}
