//! What the rows ask of an engine, over [`Connection`].

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{http::Connection, models::WORKER};

/// Longer than any row lasts, in milliseconds.
pub(super) const LONG_LOCK: u64 = 3_600_000;

/// The body of a fetch of one task of `topic`, with `more` of the topic's fields.
pub(super) fn one_of(topic: &str, lock_ms: u64, more: Value) -> Value {
    let mut wanted = json!({"topicName": topic, "lockDuration": lock_ms});
    if let (Some(wanted), Value::Object(more)) = (wanted.as_object_mut(), more) {
        wanted.extend(more);
    }
    json!({"workerId": WORKER, "maxTasks": 1, "topics": [wanted]})
}

/// The same, waiting for so long if there is none.
pub(super) fn waiting(mut fetch: Value, milliseconds: u64) -> Value {
    fetch["asyncResponseTimeout"] = milliseconds.into();
    fetch
}

impl Connection {
    /// Starts an instance of the latest version of `key`, for its id.
    pub(super) async fn start(&mut self, key: &str, variables: Value) -> Result<String> {
        let path = format!("/process-definition/key/{key}/start");
        let started = self.post(&path, &json!({"variables": variables})).await?;
        id_of(&started)
    }

    /// Fetches one task, which must be there.
    pub(super) async fn fetch(&mut self, fetch: &Value) -> Result<Value> {
        let mut tasks = self.post("/external-task/fetchAndLock", fetch).await?;
        let first = tasks.get_mut(0).map(Value::take);
        first.with_context(|| format!("nothing to fetch for {fetch}"))
    }

    /// Completes a task that was fetched.
    pub(super) async fn complete(&mut self, task: &Value) -> Result<()> {
        let path = format!("/external-task/{}/complete", id_of(task)?);
        self.post(&path, &json!({"workerId": WORKER})).await.map(drop)
    }
}

/// The field `id`.
pub(super) fn id_of(object: &Value) -> Result<String> {
    let id = object["id"].as_str().map(str::to_owned);
    id.with_context(|| format!("no id in {object}"))
}
