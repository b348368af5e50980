//! What an engine's history says: the only witness of how an order went.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::Rest;

/// Rows of one answer. More than any caller here makes.
const ROWS_MAX: u32 = 1_000_000;

/// The form of every date: `2026-11-22T21:17:13.569+0000`.
const DATE_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.f%z";

/// A process instance, running or ended.
#[derive(Debug, Clone, Default)]
pub struct Instance {
    /// Its id.
    pub id: String,
    /// Its business key; empty if it has none.
    pub business_key: String,
    /// `ACTIVE`, `COMPLETED`, …
    pub state: String,
    /// When it started, in milliseconds since 1970.
    pub started_ms: i64,
    /// When it ended, in milliseconds since 1970.
    pub ended_ms: Option<i64>,
    /// Its activities, in no particular order.
    pub activities: Vec<Activity>,
}

/// An activity of an instance.
#[derive(Debug, Clone)]
pub struct Activity {
    /// The element of the model.
    pub id: String,
    /// When it ended, in milliseconds since 1970.
    pub ended_ms: Option<i64>,
}

impl Instance {
    /// When the activity ended for the first time.
    #[must_use]
    pub fn ended(&self, activity: &str) -> Option<i64> {
        self.activities
            .iter()
            .filter(|found| found.id == activity)
            .filter_map(|found| found.ended_ms)
            .min()
    }

    /// How many times the activity ended.
    #[must_use]
    pub fn times_ended(&self, activity: &str) -> usize {
        self.activities
            .iter()
            .filter(|found| found.id == activity && found.ended_ms.is_some())
            .count()
    }

    /// Whether it ran to an end of its model.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.state == "COMPLETED"
    }
}

/// All instances of a definition, with their activities.
///
/// # Errors
/// The engine has no such history.
pub fn instances(rest: &Rest, definition_key: &str) -> Result<Vec<Instance>> {
    let query = format!("/history/process-instance?processDefinitionKey={definition_key}&maxResults={ROWS_MAX}");
    let mut instances = Vec::new();
    for row in array(rest.get(&query)?)? {
        instances.push(Instance {
            id: text(&row, "id")?,
            business_key: row["businessKey"].as_str().unwrap_or_default().to_owned(),
            state: text(&row, "state")?,
            started_ms: date(&row["startTime"])?.context("an instance that never started")?,
            ended_ms: date(&row["endTime"])?,
            activities: Vec::new(),
        });
    }
    let places: HashMap<String, usize> = instances
        .iter()
        .enumerate()
        .map(|(place, instance)| (instance.id.clone(), place))
        .collect();
    for row in array(rest.get(&format!("/history/activity-instance?maxResults={ROWS_MAX}"))?)? {
        if let Some(place) = places.get(row["processInstanceId"].as_str().unwrap_or_default()) {
            let activity = Activity {
                id: text(&row, "activityId")?,
                ended_ms: date(&row["endTime"])?,
            };
            instances[*place].activities.push(activity);
        }
    }
    Ok(instances)
}

/// How many instances of a definition have ended.
///
/// # Errors
/// There is no such answer.
pub fn count_ended(rest: &Rest, definition_key: &str) -> Result<u64> {
    rest.count(&format!(
        "/history/process-instance/count?processDefinitionKey={definition_key}&finished=true"
    ))
}

/// The value of a variable by process instance, for those that have it.
///
/// # Errors
/// There is no such history.
pub fn variable(rest: &Rest, name: &str) -> Result<HashMap<String, Value>> {
    let rows = array(rest.get(&format!(
        "/history/variable-instance?variableName={name}&maxResults={ROWS_MAX}"
    ))?)?;
    rows.into_iter()
        .map(|row| Ok((text(&row, "processInstanceId")?, row["value"].clone())))
        .collect()
}

fn array(value: Value) -> Result<Vec<Value>> {
    match value {
        Value::Array(rows) => Ok(rows),
        other => Err(anyhow!("not a list: {other}")),
    }
}

fn text(row: &Value, field: &str) -> Result<String> {
    let found = row[field].as_str().map(str::to_owned);
    found.ok_or_else(|| anyhow!("no {field} in {row}"))
}

/// A date of the REST, in milliseconds since 1970; none where it is null.
///
/// # Errors
/// It is no date.
pub fn date(value: &Value) -> Result<Option<i64>> {
    let Some(text) = value.as_str() else { return Ok(None) };
    let date = jiff::Zoned::strptime(DATE_FORMAT, text).or_else(|_| {
        // An offset without a zone's name is a timestamp to jiff.
        jiff::fmt::strtime::parse(DATE_FORMAT, text)?
            .to_timestamp()
            .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC))
    });
    Ok(Some(
        date.with_context(|| format!("the date {text}"))?
            .timestamp()
            .as_millisecond(),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dates_have_an_offset_without_a_colon() {
        assert_eq!(date(&json!("1970-01-01T01:00:01.250+0100")).unwrap(), Some(1250));
        assert_eq!(date(&Value::Null).unwrap(), None);
        assert!(date(&json!("yesterday")).is_err());
    }
}
