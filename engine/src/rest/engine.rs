//! What the engine is: `/engine`, `/version`, and our own `/handoff`.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use super::api::Api;
use super::body::ok;

/// The version of Camunda whose dialect this is.
const DIALECT: &str = "7.24.0";

/// The routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/engine", get(engines))
        .route("/version", get(version))
        .route("/handoff", get(handoff))
}

async fn engines(api: Api) -> Response {
    ok(json!([{ "name": api.engine.name() }]))
}

async fn version() -> Response {
    ok(json!({ "version": DIALECT }))
}

/// What this engine can do beyond Camunda 7; there, this is 404.
async fn handoff(api: Api) -> Response {
    ok(json!({
        "name": "handoff",
        "version": env!("CARGO_PKG_VERSION"),
        "engine": api.engine.name(),
        "dedupeKey": true,
        "ifRunning": ["join", "reject", "another"],
        "delegates": true,
        "mismatchedMessages": api.engine.stats().mismatched_messages,
    }))
}
