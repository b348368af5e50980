//! Secrets, by the operator's names.

use std::fmt;

use crate::Denial;
use crate::bindings::secrets as host;

/// Why there is no secret.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SecretError {
    /// Not granted.
    Denied(Denial),
    /// Granted, but the operator's source has none.
    Missing(String),
    /// Anything else, in the host's words.
    Other(String),
}

/// A secret's value. Do not log it, nor put it into a variable.
///
/// # Errors
/// Where it is not granted or not there; outside of a component there is none.
pub fn get(name: &str) -> Result<String, SecretError> {
    if !cfg!(target_family = "wasm") {
        return Err(SecretError::Missing(name.to_owned()));
    }
    host::get(name).map_err(|error| match error {
        host::SecretError::Denied(denial) => SecretError::Denied(denial),
        host::SecretError::Missing(name) => SecretError::Missing(name),
        host::SecretError::Other(message) => SecretError::Other(message),
    })
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denial) => denial.fmt(f),
            Self::Missing(name) => write!(f, "the operator has set no secret `{name}`"),
            Self::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for SecretError {}
