//! `/metrics`: what has been done, counted in the history. What the history has lost, by its level or its time to live,
//! is not counted any more.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use rusqlite::Connection;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::body::ok;
use super::date;
use super::error::{RestError, Result};
use super::path::Path;
use super::query::Params;

/// What is counted by which SQL: `{from}` and `{until}` bound as `?1` and `?2`, instants are `at`.
const METRICS: &[(&str, &str)] = &[
    ("activity-instance-start", ACTIVITIES),
    ("flow-node-instances", ACTIVITIES),
    ("root-process-instance-start", INSTANCES),
    ("process-instances", INSTANCES),
    ("job-successful", "SELECT time AS at FROM job_log WHERE log_state = 2"),
    ("job-failed", "SELECT time AS at FROM job_log WHERE log_state = 1"),
];
const ACTIVITIES: &str = "SELECT start_time AS at FROM historic_activity";
const INSTANCES: &str = "SELECT start_time AS at FROM historic_instance WHERE root = id";

/// The length of an interval, in seconds, and the most that are answered.
const INTERVAL: i64 = 900;
const INTERVALS_MAX: i64 = 200;

/// The resource's routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/metrics", get(intervals))
        .route("/metrics/{name}/sum", get(sum))
}

/// From when until when, in milliseconds.
fn span(params: &Params) -> Result<(i64, i64)> {
    Ok((
        params.instant("startDate")?.unwrap_or(0),
        params.instant("endDate")?.unwrap_or(i64::MAX),
    ))
}

/// `GET /metrics/{name}/sum`; of what is not counted, 0.
async fn sum(api: Api, Path(name): Path<String>, params: Params) -> Result<Response> {
    let (from, until) = span(&params)?;
    let sum = api.read(move |reader| match METRICS.iter().find(|(known, _)| *known == name) {
        Some((_, rows)) => {
            let sql = format!("SELECT count(*) FROM ({rows}) WHERE at >= ?1 AND at < ?2");
            let mut statement = reader.connection.prepare_cached(&sql)?;
            Ok(statement.query_row((from, until), |row| row.get::<_, i64>(0))?)
        }
        None => Ok(0),
    });
    Ok(ok(json!({ "result": sum.await? })))
}

/// `GET /metrics`: intervals in which something was counted, newest first.
async fn intervals(api: Api, params: Params) -> Result<Response> {
    let (from, until) = span(&params)?;
    let name = params.text("name");
    let length = params.integer("interval")?.unwrap_or(INTERVAL);
    if !(1..=INTERVAL).contains(&length) {
        return Err(RestError::invalid(format!(
            "interval must be between 1 and {INTERVAL} seconds"
        )));
    }
    let first = params.integer("firstResult")?.unwrap_or(0).max(0);
    let max = params
        .integer("maxResults")?
        .unwrap_or(INTERVALS_MAX)
        .clamp(0, INTERVALS_MAX);
    let wanted = move |known: &str| name.as_deref().is_none_or(|name| name == known);
    let found = api.read(move |reader| {
        let mut found = Vec::new();
        for (known, rows) in METRICS.iter().filter(|(known, _)| wanted(known)) {
            counted(
                reader.connection,
                rows,
                (from, until),
                length,
                first + max,
                |at, value| {
                    found.push((at, *known, value));
                },
            )?;
        }
        Ok(found)
    });
    let mut found = found.await?;
    found.sort_by_key(|(at, name, _)| (std::cmp::Reverse(*at), *name));
    let page = found.into_iter().skip(first as usize).take(max as usize);
    let shown = page.map(
        |(at, name, value)| json!({ "timestamp": date::format(at), "name": name, "reporter": null, "value": value }),
    );
    Ok(ok(shown.collect::<Vec<Json>>()))
}

fn counted(
    connection: &Connection,
    rows: &'static str,
    (from, until): (i64, i64),
    length: i64,
    limit: i64,
    mut take: impl FnMut(i64, i64),
) -> Result<()> {
    let sql = format!(
        "SELECT at / (?3 * 1000) * (?3 * 1000) AS start, count(*) FROM ({rows}) WHERE at >= ?1 AND at < ?2 \
         GROUP BY start ORDER BY start DESC LIMIT ?4"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((from, until, length, limit))?;
    while let Some(row) = rows.next()? {
        take(row.get(0)?, row.get(1)?);
    }
    Ok(())
}
