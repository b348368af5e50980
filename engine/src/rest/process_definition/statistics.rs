//! How many instances there are of what: `/process-definition/…/statistics`.

use axum::response::Response;
use handoff_machine::Id;
use handoff_machine::row::DefinitionRow;
use rusqlite::params;
use serde_json::{Value as Json, json};

use crate::rest::api::Api;
use crate::rest::body::ok;
use crate::rest::definition::Named;
use crate::rest::error::{RestError, Result};
use crate::rest::query::{Params, Select};
use crate::rest::reader::Reader;

/// What Camunda's answers call themselves.
const OF_DEFINITION: &str = "org.camunda.bpm.engine.rest.dto.repository.ProcessDefinitionStatisticsResultDto";
const OF_ACTIVITY: &str = "org.camunda.bpm.engine.rest.dto.repository.ActivityStatisticsResultDto";

/// `GET /process-definition/statistics`: for each definition.
pub(super) async fn of_all(api: Api, params: Params) -> Result<Response> {
    let wanted = Wanted::of(&params, true)?;
    let statistics = api.read(move |reader| {
        let definitions = Select::<DefinitionRow>::new().rows(reader.connection)?;
        let one = |row: &DefinitionRow| {
            let count = |sql| {
                reader
                    .connection
                    .prepare_cached(sql)?
                    .query_row([row.id.0], |row| row.get::<_, i64>(0))
            };
            let instances = count("SELECT count(*) FROM process_instance WHERE definition = ?")?;
            let failed = if wanted.failed_jobs {
                count("SELECT count(*) FROM job WHERE definition = ? AND retries = 0")?
            } else {
                0
            };
            Ok(json!({
                "@class": OF_DEFINITION,
                "id": reader.ids.definition(&row.key, row.version, row.id),
                "instances": instances,
                "failedJobs": failed,
                "incidents": incidents(reader, &wanted.incidents, row.id, None)?,
                "definition": super::dto(reader.ids, row),
            }))
        };
        definitions.iter().map(one).collect::<Result<Vec<Json>>>()
    });
    Ok(ok(statistics.await?))
}

/// What is counted beside instances.
struct Wanted {
    failed_jobs: bool,
    incidents: Incidents,
}

/// The incidents that are counted.
enum Incidents {
    None,
    All,
    /// Those that no called instance has handed on.
    Root,
    OfKind(String),
}

impl Wanted {
    /// # Errors
    /// 400: incidents are asked for in more than one way.
    fn of(params: &Params, definitions: bool) -> Result<Self> {
        let all = params.is("incidents");
        let root = definitions && params.is("rootIncidents");
        let kind = params.text("incidentsForType");
        let either = |one: &str, other: &str| {
            let message = format!("Only one of the query parameter {one} or {other} can be set.");
            Err(RestError::invalid(message))
        };
        let incidents = match (all, root, kind) {
            (true, _, Some(_)) => return either("includeIncidents", "includeIncidentsForType"),
            (true, true, None) => return either("includeIncidents", "includeRootIncidents"),
            (_, true, Some(_)) => return either("includeRootIncidents", "includeIncidentsForType"),
            (true, false, None) => Incidents::All,
            (false, true, None) => Incidents::Root,
            (false, false, Some(kind)) => Incidents::OfKind(kind),
            (false, false, None) => Incidents::None,
        };
        Ok(Self {
            failed_jobs: params.is("failedJobs"),
            incidents,
        })
    }
}

/// `GET /process-definition/…/statistics`: for each activity of one.
pub(super) async fn of_one(api: Api, named: Named, params: Params) -> Result<Response> {
    let wanted = Wanted::of(&params, false)?;
    let statistics = api.read(move |reader| {
        let definition = named.find(reader)?;
        // Ended executions and tokens between activities are in none.
        let sql = "SELECT activity, count(*) FROM execution WHERE definition = ? AND state IN (0, 1, 3) \
                   AND instance IN (SELECT id FROM process_instance WHERE definition = ?1) GROUP BY activity";
        let mut statement = reader.connection.prepare_cached(sql)?;
        let rows = statement.query_map([definition.id.0], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })?;
        let mut failed = reader
            .connection
            .prepare_cached("SELECT count(*) FROM job WHERE definition = ? AND activity = ? AND retries = 0")?;
        let mut result = Vec::new();
        for row in rows {
            let (activity, instances) = row?;
            let failed: i64 = match wanted.failed_jobs {
                true => failed.query_row(params![definition.id.0, activity], |row| row.get(0))?,
                false => 0,
            };
            let incidents = incidents(reader, &wanted.incidents, definition.id, Some(&activity))?;
            result.push(json!({
                "@class": OF_ACTIVITY,
                "id": activity,
                "instances": instances,
                "failedJobs": failed,
                "incidents": incidents,
            }));
        }
        Ok(result)
    });
    Ok(ok(statistics.await?))
}

fn incidents(reader: &Reader<'_>, wanted: &Incidents, definition: Id, activity: Option<&str>) -> Result<Vec<Json>> {
    let (root, kind) = match wanted {
        Incidents::None => return Ok(Vec::new()),
        Incidents::All => (false, None),
        Incidents::Root => (true, None),
        Incidents::OfKind(kind) => (false, Some(kind)),
    };
    let sql = "SELECT kind, count(*) FROM incident WHERE definition = ?1 AND (?2 IS NULL OR activity = ?2) \
               AND (NOT ?3 OR cause = id) AND (?4 IS NULL OR kind = ?4) GROUP BY kind";
    let mut statement = reader.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![definition.0, activity, root, kind], |row| {
        Ok(json!({ "incidentType": row.get::<_, String>(0)?, "incidentCount": row.get::<_, i64>(1)? }))
    })?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
}
