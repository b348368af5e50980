//! What the engine is: `/engine`, `/version`, and our own `/handoff`.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use rusqlite::OptionalExtension;
use serde::Deserialize;
use serde_json::json;

use super::api::Api;
use super::body::{Body, flag, no_content, ok};
use super::date;
use super::error::{RestError, Result};

/// The version of Camunda whose dialect this is.
const DIALECT: &str = "7.24.0";

/// The routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/engine", get(engines))
        .route("/version", get(version))
        .route("/handoff", get(handoff))
        .route("/schema/log", get(schema_log).post(schema_log))
        .route("/telemetry/configuration", get(telemetry).post(configure_telemetry))
}

async fn engines(api: Api) -> Response {
    ok(json!([{ "name": api.engine.name() }]))
}

async fn version() -> Response {
    ok(json!({ "version": DIALECT }))
}

/// The schema is that of this version from the start.
async fn schema_log(api: Api) -> Result<Response> {
    let created: Option<i64> = api
        .read(|reader| {
            let sql = "SELECT value FROM meta WHERE key = 'created'";
            Ok(reader.connection.query_row(sql, [], |row| row.get(0)).optional()?)
        })
        .await?;
    let created = created.map(date::format);
    Ok(ok(json!([{ "id": "0", "timestamp": created, "version": DIALECT }])))
}

/// There is no telemetry.
async fn telemetry() -> Response {
    ok(json!({ "enableTelemetry": false }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TelemetryDto {
    #[serde(deserialize_with = "flag")]
    enable_telemetry: Option<bool>,
}

async fn configure_telemetry(Body(dto): Body<TelemetryDto>) -> Result<Response> {
    match dto.enable_telemetry {
        Some(true) => Err(RestError::invalid("This engine has no telemetry that could be enabled")),
        _ => Ok(no_content()),
    }
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
