//! `GET /openapi.json`: the OpenAPI description of this REST, and `GET /openapi`: a page that shows it.
//!
//! The description is made of the tables in `resources/`, one a resource. A test compares it with the router: every route
//! is described, and nothing else.

mod build;
mod resources;
mod table;

use std::sync::LazyLock;

use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, header};

use super::api::Api;

/// The description, as it is sent.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| build::document(&resources::all()).to_string());

/// The routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/openapi.json", get(document))
        .route("/openapi", get(page))
}

async fn document() -> Response {
    let mut response = DOCUMENT.as_str().into_response();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}

#[cfg(test)]
mod tests;
