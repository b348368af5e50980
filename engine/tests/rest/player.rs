//! Plays a recording: sends its steps, and compares what comes with what a real Camunda answered.
//!
//! In an expected body `<id>`, `<date>` and `<text>` stand for any id, date or non-empty text; the same `<id:3>` in two
//! places must be the same id. Fields that are not expected are ignored. `${run}` is different in every run.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value as Json};

use super::drain::drain;
use super::server::{Answer, TestServer, read};

/// How long after a step's request its `meanwhile` is sent: by then, a long poll waits.
const MEANWHILE: Duration = Duration::from_millis(300);
/// Between two tries of a step that says `within`: what it waits for is only seen by asking.
const TRY_AGAIN: Duration = Duration::from_millis(50);

/// The password of every user of a recording.
pub(crate) const PASSWORD: &str = "secret";

/// How long what a recording has deployed may take to go.
const CLEAN_UP: Duration = Duration::from_secs(5);

/// What has been learned while playing.
struct Play<'s> {
    server: &'s TestServer,
    files: Map<String, Json>,
    /// The values of `${name}`.
    names: HashMap<String, Json>,
    /// The values of `<id:n>`.
    bound: HashMap<String, String>,
    /// What was deployed.
    deployments: Vec<String>,
    /// Whose recording it is, where callers must say who they are.
    user: Option<String>,
}

/// Plays a recording to its end.
///
/// # Errors
/// The first difference, with its step and place.
pub(crate) async fn play(server: &TestServer, recording: &Json) -> Result<()> {
    let files = recording["files"].as_object().cloned().unwrap_or_default();
    let run = format!("r{}", &uuid::Uuid::new_v4().simple().to_string()[..10]);
    let names = HashMap::from([("run".to_owned(), Json::String(run))]);
    let mut play = Play {
        server,
        files,
        names,
        bound: HashMap::new(),
        deployments: Vec::new(),
        user: recording["user"].as_str().map(str::to_owned),
    };
    let result = play.steps(recording).await;
    if recording["cleanup"].as_bool().unwrap_or(false) {
        play.clean_up().await?;
    }
    result
}

impl Play<'_> {
    async fn steps(&mut self, recording: &Json) -> Result<()> {
        for (at, step) in recording["steps"].as_array().context("no steps")?.iter().enumerate() {
            let name = || {
                format!(
                    "step {} ({} {})",
                    at + 1,
                    step["method"].as_str().unwrap_or("deploy"),
                    step["path"]
                )
            };
            self.step(step).await.with_context(name)?;
        }
        Ok(())
    }

    /// Deletes what the recording has deployed, with all that runs.
    async fn clean_up(&self) -> Result<()> {
        for id in &self.deployments {
            let path = format!("/deployment/{id}?cascade=true&skipCustomListeners=true&skipIoMappings=true");
            let deadline = Instant::now() + CLEAN_UP;
            loop {
                let request = self.server.client.delete(self.server.url(&path));
                let answer = read(self.signed(request).send().await?).await?;
                // A job that is just running can make it fail.
                if matches!(answer.status, 204 | 404) {
                    break;
                }
                ensure!(Instant::now() < deadline, "the deployment stays: {answer:?}");
                tokio::time::sleep(TRY_AGAIN).await;
            }
        }
        Ok(())
    }

    async fn step(&mut self, step: &Json) -> Result<()> {
        let within = Duration::from_secs_f64(step["within"].as_f64().unwrap_or(0.0));
        let deadline = Instant::now() + within;
        let answer = loop {
            let answer = match step.get("meanwhile") {
                None => self.send(step).await?,
                Some(meanwhile) => {
                    let later = async {
                        tokio::time::sleep(MEANWHILE).await;
                        self.send(meanwhile).await
                    };
                    let (answer, meanwhile) = tokio::try_join!(self.send(step), later)?;
                    ensure!(meanwhile.0 < 300, "meanwhile: {meanwhile:?}");
                    answer
                }
            };
            let mut bound = self.bound.clone();
            match self.compare(&step["expect"], &answer, &mut bound) {
                Ok(()) => {
                    self.bound = bound;
                    break answer.1;
                }
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => tokio::time::sleep(TRY_AGAIN).await,
            }
        };
        if step.get("deploy").is_some() {
            self.deployments.extend(answer["id"].as_str().map(str::to_owned));
        }
        for (name, path) in step["save"].as_object().into_iter().flatten() {
            let path = path.as_str().unwrap_or_default();
            let value = at(&answer, path).with_context(|| format!("the answer has no {path}: {answer}"))?;
            self.names.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    async fn send(&self, step: &Json) -> Result<(u16, Json)> {
        if let Some(want) = step.get("drain") {
            return Ok((200, drain(self.server, &self.filled(want), self.names.get("pi")).await?));
        }
        let answer = match step.get("deploy").and_then(Json::as_array) {
            Some(files) => self.deploy(files, &step["fields"]).await?,
            None => self.request(step).await?,
        };
        let mut body = answer.json();
        let body_is_json = answer.text.is_empty() || !body.is_null() || answer.text.trim() == "null";
        if !body_is_json {
            body = serde_json::json!({ "<not json>": true });
        }
        if let (Some(list), Some(by)) = (body.as_array_mut(), sort_keys(&step["sort"])) {
            list.sort_by_cached_key(|item| by.iter().map(|field| sort_key(&item[field])).collect::<Vec<_>>());
        }
        if let Some(fields) = step["fields"].as_array() {
            body = picked(body, fields);
        }
        Ok((answer.status, body))
    }

    async fn request(&self, step: &Json) -> Result<Answer> {
        let method: Method = step["method"].as_str().context("no method")?.parse()?;
        let path = self.filled(&step["path"]);
        let url = self.server.url(path.as_str().context("no path")?);
        let mut request = self.signed(self.server.client.request(method, url));
        match (step.get("raw").and_then(Json::as_str), step.get("body")) {
            (Some(raw), _) => request = request.header("content-type", "application/json").body(raw.to_owned()),
            (None, Some(body)) => request = request.json(&self.filled(body)),
            (None, None) => {}
        }
        read(request.send().await?).await
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.user {
            Some(user) => request.basic_auth(user, Some(PASSWORD)),
            None => request,
        }
    }

    async fn deploy(&self, files: &[Json], fields: &Json) -> Result<Answer> {
        let mut form = reqwest::multipart::Form::new();
        for (name, value) in fields.as_object().into_iter().flatten() {
            form = form.text(name.clone(), self.filled(value).as_str().unwrap_or_default().to_owned());
        }
        for name in files.iter().filter_map(Json::as_str) {
            let file = self.files.get(name).and_then(Json::as_str);
            let file = file.with_context(|| format!("no file {name}"))?;
            // Only the run's own name: all else of this form is an expression of the model.
            let run = self.names.get("run").and_then(Json::as_str).unwrap_or_default();
            let bytes = file.replace("${run}", run).into_bytes();
            form = form.part(
                name.to_owned(),
                reqwest::multipart::Part::bytes(bytes).file_name(name.to_owned()),
            );
        }
        let url = self.server.url("/deployment/create");
        let request = self.signed(self.server.client.post(url)).multipart(form);
        read(request.send().await?).await
    }

    /// With the values of `${name}`, also within texts.
    fn filled(&self, value: &Json) -> Json {
        match value {
            Json::String(text) => {
                let whole = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
                if let Some(value) = whole.and_then(|name| self.names.get(name)) {
                    return value.clone();
                }
                let fill = |text: String, (name, value): (&String, &Json)| {
                    text.replace(&format!("${{{name}}}"), value.as_str().unwrap_or_default())
                };
                Json::String(self.names.iter().fold(text.clone(), fill))
            }
            Json::Array(list) => list.iter().map(|value| self.filled(value)).collect(),
            Json::Object(map) => map
                .iter()
                .map(|(name, value)| (name.clone(), self.filled(value)))
                .collect(),
            other => other.clone(),
        }
    }

    fn compare(&self, expected: &Json, answer: &(u16, Json), bound: &mut HashMap<String, String>) -> Result<()> {
        let status = expected["status"].as_u64().context("no expected status")?;
        ensure!(
            status == u64::from(answer.0),
            "status: want {status}, got {} {:.400}",
            answer.0,
            answer.1.to_string()
        );
        match expected.get("body") {
            Some(body) => self.same(body, &answer.1, bound, "$"),
            None => Ok(()),
        }
    }

    fn same(&self, want: &Json, got: &Json, bound: &mut HashMap<String, String>, place: &str) -> Result<()> {
        match want {
            Json::String(text) => self.same_text(text, got, bound, place),
            Json::Object(fields) => {
                let map = got
                    .as_object()
                    .with_context(|| format!("{place}: want an object, got {got}"))?;
                for (name, value) in fields {
                    let name = match is_numbered(name) {
                        true => bind_key(name, map, bound),
                        false => self
                            .filled(&Json::String(name.clone()))
                            .as_str()
                            .unwrap_or_default()
                            .to_owned(),
                    };
                    let place = format!("{place}.{name}");
                    let got = map.get(&name).with_context(|| format!("{place}: missing"))?;
                    self.same(value, got, bound, &place)?;
                }
                Ok(())
            }
            Json::Array(items) => {
                let list = got
                    .as_array()
                    .with_context(|| format!("{place}: want a list, got {got}"))?;
                ensure!(
                    items.len() == list.len(),
                    "{place}: want {} items, got {}: {got:.600}",
                    items.len(),
                    list.len()
                );
                let mut pairs = items.iter().zip(list).enumerate();
                pairs.try_for_each(|(at, (want, got))| self.same(want, got, bound, &format!("{place}[{at}]")))
            }
            Json::Number(number) => {
                ensure!(number.as_f64() == got.as_f64(), "{place}: want {want}, got {got}");
                Ok(())
            }
            _ => {
                ensure!(want == got, "{place}: want {want}, got {got}");
                Ok(())
            }
        }
    }

    fn same_text(&self, want: &str, got: &Json, bound: &mut HashMap<String, String>, place: &str) -> Result<()> {
        let text = got.as_str();
        match want {
            "<text>" => ensure!(
                text.is_some_and(|text| !text.trim().is_empty()),
                "{place}: want some text, got {got}"
            ),
            "<date>" => ensure!(text.is_some_and(is_date), "{place}: want a date, got {got}"),
            "<id>" => ensure!(
                text.is_some_and(|text| !text.is_empty()),
                "{place}: want an id, got {got}"
            ),
            want if is_numbered(want) => {
                let Some(text) = text.filter(|text| !text.is_empty()) else {
                    bail!("{place}: want an id, got {got}")
                };
                let known = bound.entry(want.to_owned()).or_insert_with(|| text.to_owned());
                ensure!(known == text, "{place}: want the id {known} seen before, got {text}");
            }
            want => {
                let want = self.filled(&Json::String(want.to_owned()));
                ensure!(&want == got, "{place}: want {want}, got {got}");
            }
        }
        Ok(())
    }
}

/// A key that is an id: the one bound before, else the first that is not.
fn bind_key(name: &str, map: &Map<String, Json>, bound: &mut HashMap<String, String>) -> String {
    if let Some(known) = bound.get(name) {
        return known.clone();
    }
    let free = map
        .keys()
        .find(|key| !bound.values().any(|known| known == *key))
        .cloned();
    let key = free.unwrap_or_else(|| name.to_owned());
    bound.insert(name.to_owned(), key.clone());
    key
}

fn is_numbered(text: &str) -> bool {
    let number = text.strip_prefix("<id:").and_then(|rest| rest.strip_suffix('>'));
    number.is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
}

/// `2026-01-31T08:15:30.123+0000`
fn is_date(text: &str) -> bool {
    static SHAPE: LazyLock<Vec<u8>> = LazyLock::new(|| b"dddd-dd-ddTdd:dd:dd.ddd?dddd".to_vec());
    text.len() == SHAPE.len()
        && text.bytes().zip(SHAPE.iter()).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            b'?' => matches!(byte, b'+' | b'-'),
            shape => byte == *shape,
        })
}

fn sort_keys(sort: &Json) -> Option<Vec<&str>> {
    match sort {
        Json::String(field) => Some(vec![field]),
        Json::Array(fields) => Some(fields.iter().filter_map(Json::as_str).collect()),
        _ => None,
    }
}

/// What a list in no particular order is sorted by; dates are all alike, for they differ from run to run.
fn sort_key(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::String(text) if is_date(text) => "<date>".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn picked(body: Json, fields: &[Json]) -> Json {
    match body {
        Json::Array(list) => list.into_iter().map(|item| picked(item, fields)).collect(),
        Json::Object(map) => {
            let wanted = |name: &String| fields.iter().any(|field| field.as_str() == Some(name));
            Json::Object(map.into_iter().filter(|(name, _)| wanted(name)).collect())
        }
        other => other,
    }
}

/// `0.id`, `*.key`: a path into an answer.
fn at<'j>(value: &'j Json, path: &str) -> Option<&'j Json> {
    path.split('.').try_fold(value, |value, part| match value {
        Json::Object(map) if part == "*" => map.values().next(),
        Json::Object(map) => map.get(part),
        Json::Array(list) => list.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}
