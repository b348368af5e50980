//! What definitions of processes, of decisions and of their requirements have in common: how a path names them, how they are
//! searched for, and the file that they come from.

use axum::extract::{FromRequestParts, RawPathParams};
use handoff_machine::Id;
use http::StatusCode;
use http::request::Parts;
use rusqlite::OptionalExtension as _;

use super::error::{RestError, Result};
use super::query::{Criteria, Select, Stored};
use super::reader::Reader;

/// How a path names a definition.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    /// By its id.
    Id(String),
    /// The latest version of a key, of a tenant or of none.
    Key(String, Option<String>),
}

impl Named {
    /// The id or the key.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Id(text) | Self::Key(text, _) => text,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let not_found = |text: String| RestError::new(StatusCode::NOT_FOUND, "NotFoundException", text);
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        let parameters = parameters.map_err(|rejection| not_found(rejection.body_text()))?;
        let find = |name: &str| {
            let mut parameters = parameters.iter();
            parameters
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.to_owned())
        };
        match (find("id"), find("key")) {
            (Some(id), _) => Ok(Self::Id(id)),
            (None, Some(key)) => Ok(Self::Key(key, find("tenant"))),
            (None, None) => Err(not_found("The path names no definition".to_owned())),
        }
    }
}

/// The latest version of a key, of a tenant or of none. `what` it is, in words.
///
/// # Errors
/// 404: there is none.
pub(crate) fn latest<T: Stored>(reader: &Reader<'_>, what: &str, key: &str, tenant: Option<&str>) -> Result<T> {
    let mut select = Select::<T>::new();
    select
        .with("key = ?", Some(key.to_owned()))
        .ordered("version", true)
        .limited(1);
    match tenant {
        Some(tenant) => select.with("tenant = ?", Some(tenant.to_owned())),
        None => select.only("tenant IS NULL"),
    };
    let row = select.rows(reader.connection)?.pop();
    row.ok_or_else(|| unknown_key(what, key, tenant))
}

/// 404: no version of a key.
pub(crate) fn unknown_key(what: &str, key: &str, tenant: Option<&str>) -> RestError {
    let tenant = tenant.map_or_else(|| "no tenant-id".to_owned(), |tenant| format!("tenant-id: {tenant}"));
    let message = format!("No matching {what} with key: {key} and {tenant}");
    RestError::new(StatusCode::NOT_FOUND, "RestException", message)
}

/// What a query calls the criteria whose names tell what is searched for.
pub(crate) struct Names {
    /// One id.
    pub(crate) id: &'static str,
    /// Several.
    pub(crate) ids: &'static str,
    /// Beside those of tenants, those of none.
    pub(crate) or_without_tenant: &'static str,
}

/// The criteria that all definitions have.
///
/// # Errors
/// 400: a value is of another type than its criterion.
pub(crate) fn select<T: Stored>(of: &Criteria<'_>, names: &Names) -> Result<Select<T>> {
    let mut select = Select::new();
    select
        .with("id = ?", of.last_id(names.id))
        .within("id IN (SELECT value FROM json_each(?))", of.last_ids(names.ids)?)
        .with("name = ?", of.text("name"))
        .with("name GLOB ?", of.pattern("nameLike"))
        .with("deployment = ?", of.id("deploymentId"))
        .with("key = ?", of.text("key"))
        .with("key GLOB ?", of.pattern("keyLike"))
        .with("category = ?", of.text("category"))
        .with("category GLOB ?", of.pattern("categoryLike"))
        .with("version = ?", of.integer("version")?)
        .with("resource = ?", of.text("resourceName"))
        .with("resource GLOB ?", of.pattern("resourceNameLike"))
        .of_tenants(of, names.or_without_tenant)?;
    Ok(select)
}

/// A file of a deployment.
///
/// # Errors
/// 500 where the store fails.
pub(crate) fn resource(reader: &Reader<'_>, deployment: Id, name: &str) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT bytes FROM resource WHERE deployment = ? AND name = ?";
    let mut statement = reader.connection.prepare_cached(sql)?;
    Ok(statement.query_row((deployment.0, name), |row| row.get(0)).optional()?)
}

/// Its text; empty where there is no such file.
///
/// # Errors
/// As [`resource`].
pub(crate) fn resource_text(reader: &Reader<'_>, deployment: Id, name: &str) -> Result<String> {
    let bytes = resource(reader, deployment, name)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
