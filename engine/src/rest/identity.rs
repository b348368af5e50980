//! What clients and web applications ask of Camunda's identity service, read-only: `/identity`, `/user`, `/group`,
//! `/tenant`, `/authorization`; and, empty, `/filter` and what is of CMMN.
//!
//! Who may call is said in the `--auth-file`, and whoever may call may do everything: there are no groups, no
//! authorizations, and tenants are only names that deployments give.

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::{Body, count, ok, text};
use super::error::{RestError, Result};
use super::path::Path;
use super::query::Params;

/// The resources' routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/identity/groups", get(groups))
        .route("/identity/verify", post(verify))
        .route("/user", get(none).options(user_options))
        .route("/user/count", get(zero))
        .route("/user/{id}/profile", get(no_user))
        .route("/group", get(none).post(none).options(group_options))
        .route("/group/count", get(zero).post(zero))
        .route("/group/{id}", get(no_group))
        .route("/tenant", get(none).options(tenant_options))
        .route("/tenant/count", get(zero))
        .route("/tenant/{id}", get(no_tenant))
        .route("/authorization", get(none).options(authorization_options))
        .route("/authorization/count", get(zero))
        .route("/authorization/check", get(check))
        .route("/authorization/{id}", get(no_authorization))
        .route("/filter", get(none).options(filter_options))
        .route("/filter/count", get(zero))
        .route("/filter/{id}", get(no_filter))
        .route("/case-definition", get(none))
        .route("/case-definition/count", get(zero))
        .route("/case-instance", get(none).post(none))
        .route("/case-instance/count", get(zero).post(zero))
        .route("/case-execution", get(none).post(none))
        .route("/case-execution/count", get(zero).post(zero))
}

async fn none() -> Response {
    ok(json!([]))
}

async fn zero() -> Response {
    count(0)
}

fn options(api: &Api, resource: &str) -> Response {
    let link = |path: &str, rel: &str| json!({"method": "GET", "href": format!("{}/{path}", api.base), "rel": rel});
    ok(json!({ "links": [link(resource, "list"), link(&format!("{resource}/count"), "count")] }))
}

async fn user_options(api: Api) -> Response {
    options(&api, "user")
}

async fn group_options(api: Api) -> Response {
    options(&api, "group")
}

async fn tenant_options(api: Api) -> Response {
    options(&api, "tenant")
}

async fn authorization_options(api: Api) -> Response {
    options(&api, "authorization")
}

async fn filter_options(api: Api) -> Response {
    options(&api, "filter")
}

async fn no_user(Path(id): Path<String>) -> RestError {
    RestError::unknown(format!("User with id {id} does not exist"))
}

async fn no_group(Path(id): Path<String>) -> RestError {
    RestError::unknown(format!("Group with id {id} does not exist"))
}

async fn no_tenant(Path(id): Path<String>) -> RestError {
    RestError::unknown(format!("Tenant with id {id} does not exist"))
}

async fn no_authorization(Path(id): Path<String>) -> RestError {
    RestError::unknown(format!("Authorization with id {id} does not exist."))
}

async fn no_filter(Path(id): Path<String>) -> RestError {
    RestError::unknown(format!("Filter with id '{id}' does not exist."))
}

/// `GET /identity/groups`
async fn groups(params: Params) -> Result<Response> {
    match params.text("userId").filter(|user| !user.is_empty()) {
        Some(_) => Ok(ok(json!({ "groups": [], "groupUsers": [] }))),
        None => Err(RestError::invalid("No user id was supplied")),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CredentialsDto {
    #[serde(deserialize_with = "text")]
    username: Option<String>,
    #[serde(deserialize_with = "text")]
    password: Option<String>,
}

/// `POST /identity/verify`: against the `--auth-file`; without one there is no user whose password could be right.
async fn verify(api: Api, Body(dto): Body<CredentialsDto>) -> Result<Response> {
    let (Some(user), Some(password)) = (dto.username, dto.password) else {
        return Err(RestError::invalid("Username and password are required"));
    };
    let right = match &api.authenticator {
        Some(authenticator) => authenticator.knows(&user, &password).await,
        None => false,
    };
    Ok(ok(json!({
        "authenticatedUser": user,
        "groups": null,
        "tenants": null,
        "authenticated": right,
    })))
}

/// `GET /authorization/check`
async fn check(api: Api, params: Params) -> Result<Response> {
    let needed = |name: &str| {
        let missing = || RestError::invalid(format!("Query parameter '{name}' cannot be null"));
        params.text(name).ok_or_else(missing)
    };
    let (permission, resource) = (needed("permissionName")?, needed("resourceName")?);
    needed("resourceType")?;
    if api.authenticator.is_none() {
        return Err(RestError::new(
            StatusCode::UNAUTHORIZED,
            "InvalidRequestException",
            "You must be authenticated in order to use this resource.",
        ));
    }
    let id = params.text("resourceId").map_or(Json::Null, Json::String);
    Ok(ok(json!({
        "permissionName": permission,
        "resourceName": resource,
        "resourceId": id,
        "authorized": true,
    })))
}
