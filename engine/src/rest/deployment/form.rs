//! The multipart form of a deployment.

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use http::{StatusCode, header};

use crate::rest::body::{too_large, unsupported};
use crate::rest::error::{RestError, Result};

/// The longest form, in bytes.
pub(super) const FORM_MAX: usize = 64 << 20;
/// The most parts of a form.
const PARTS_MAX: usize = 1000;
/// The longest part that is not a file, in bytes.
const TEXT_MAX: usize = 4096;

/// A form, read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Form {
    pub(super) name: Option<String>,
    pub(super) source: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) duplicate_filtering: bool,
    pub(super) changed_only: bool,
    /// `handoff-strict`: refuse also what Camunda accepts and ignores.
    pub(super) strict: bool,
    /// By the names of the files.
    pub(super) resources: Vec<(String, Vec<u8>)>,
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = RestError;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|value| value.to_ascii_lowercase().starts_with("multipart/form-data")) {
            return Err(unsupported());
        }
        let multipart = Multipart::from_request(request, state).await;
        let mut multipart = multipart.map_err(|rejection| RestError::invalid(rejection.body_text()))?;
        let mut form = Self::default();
        let mut parts = 0;
        while let Some(field) = multipart.next_field().await.map_err(broken)? {
            parts += 1;
            if parts > PARTS_MAX {
                return Err(too_large(format!("A form may have at most {PARTS_MAX} parts")));
            }
            form.take(field).await?;
        }
        Ok(form)
    }
}

impl Form {
    async fn take(&mut self, field: Field<'_>) -> Result<()> {
        match field.name().unwrap_or_default() {
            "deployment-name" => self.name = text(field).await?,
            "deployment-source" => self.source = text(field).await?,
            "tenant-id" => self.tenant = text(field).await?,
            "enable-duplicate-filtering" => self.duplicate_filtering = is_true(text(field).await?),
            "deploy-changed-only" => self.changed_only = is_true(text(field).await?),
            "handoff-strict" => self.strict = is_true(text(field).await?),
            "deployment-activation-time" => {
                if text(field).await?.is_some() {
                    return Err(RestError::invalid(
                        "deployment-activation-time is not supported: deploy when it is due",
                    ));
                }
            }
            name => {
                let Some(file) = field.file_name().filter(|file| !file.is_empty()).map(str::to_owned) else {
                    return Err(RestError::invalid(format!(
                        "No file name found in the deployment resource described by form parameter '{name}'."
                    )));
                };
                let bytes = field.bytes().await.map_err(broken)?;
                self.resources.push((file, bytes.to_vec()));
            }
        }
        Ok(())
    }
}

/// A part that is a text; an empty one is as good as none.
async fn text(mut field: Field<'_>) -> Result<Option<String>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        if bytes.len() + chunk.len() > TEXT_MAX {
            return Err(too_large(format!(
                "A part that is not a file may have at most {TEXT_MAX} bytes"
            )));
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(bytes).map_err(|_| RestError::invalid("A part that is not a file must be UTF-8"))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn is_true(text: Option<String>) -> bool {
    text.is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

fn broken(error: MultipartError) -> RestError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(format!("A deployment may have at most {FORM_MAX} bytes")),
        _ => RestError::invalid(format!(
            "multipart/form-data cannot be processed: {}",
            error.body_text()
        )),
    }
}
