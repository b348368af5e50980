//! An engine, what was recorded of another one, and what came back.

use std::collections::HashMap;

use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value as Json;
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::mutation::{Sent, mutate};
use crate::config::Config;
use crate::rest::router;
use crate::service::Engine;

/// Mutated requests after each of a recording.
const MUTATED: usize = 3;

/// The most texts of answers that are sent again.
const IDS_MAX: usize = 2_000;

/// The types of errors of an engine: what Camunda answers 500 for.
const OF_ENGINES: [&str; 7] = [
    "InvalidRequestException",
    "NullValueException",
    "OptimisticLockingException",
    "ProcessEngineException",
    "RestException",
    "ScriptEvaluationException",
    "TaskAlreadyClaimedException",
];

/// The one of them that Camunda answers without a code where its REST has made it: the retries of a job.
const BARE: &str = "InvalidRequestException";

/// Words of errors that are nobody's but a bug's.
const NEVER: [&str; 3] = [
    "The database could not be read",
    "the store could not be read",
    "an answer that does not belong to the command",
];

pub(super) struct Play {
    engine: Engine,
    router: Router,
    draw: StdRng,
    /// Values of `${name}`.
    names: HashMap<String, String>,
    /// Texts of answers.
    ids: Vec<String>,
    /// All that was sent, as it was recorded.
    sent: Vec<Sent>,
    _directory: TempDir,
}

impl Play {
    pub(super) fn new(seed: u64) -> Self {
        let directory = TempDir::new().unwrap();
        let config = Config::new(directory.path());
        let engine = Engine::open(&config).unwrap();
        Self {
            router: router(engine.clone(), &config).unwrap(),
            engine,
            draw: StdRng::seed_from_u64(seed),
            names: HashMap::new(),
            ids: Vec::new(),
            sent: Vec::new(),
            _directory: directory,
        }
    }

    /// A number below another one.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.draw.random_range(0..end)
    }

    /// Plays a recording, whatever is answered.
    pub(super) async fn recording(&mut self, name: &str, recording: &Json) {
        self.names.insert("run".to_owned(), format!("r{}", self.sent.len()));
        for step in recording["steps"].as_array().unwrap() {
            let answer = match step.get("deploy").and_then(Json::as_array) {
                Some(files) => self.deploy(files, &recording["files"]).await,
                None => {
                    let Some(sent) = self.request(step) else { continue };
                    self.sent.push(sent.clone());
                    self.send(name, &sent).await
                }
            };
            for (saved, place) in step["save"].as_object().into_iter().flatten() {
                let value = at(&answer, place.as_str().unwrap_or_default()).and_then(Json::as_str);
                self.names.insert(saved.clone(), value.unwrap_or("none").to_owned());
            }
            for _ in 0..MUTATED {
                let Some(last) = self.sent.len().checked_sub(1) else {
                    break;
                };
                let of = if self.draw.random_bool(0.5) {
                    last
                } else {
                    self.below(last + 1)
                };
                let mut sent = self.sent[of].clone();
                mutate(&mut self.draw, &mut sent, &self.ids);
                self.send(name, &sent).await;
            }
        }
    }

    /// Ends, with the threads that must have lived to see it.
    pub(super) async fn end(self) {
        self.engine.shutdown().await.unwrap();
    }

    /// A step's request; none where it is no request, or one that may wait.
    fn request(&self, step: &Json) -> Option<Sent> {
        let method = step["method"].as_str()?.parse().ok()?;
        let path = self.filled(step["path"].as_str()?);
        let body = step.get("body").map(|body| self.filled_json(body));
        let waits = body
            .as_ref()
            .is_some_and(|body| body.get("asyncResponseTimeout").is_some());
        (!waits).then_some(Sent { method, path, body })
    }

    fn filled(&self, text: &str) -> String {
        let fill = |text: String, (name, value): (&String, &String)| text.replace(&format!("${{{name}}}"), value);
        self.names.iter().fold(text.to_owned(), fill)
    }

    fn filled_json(&self, value: &Json) -> Json {
        match value {
            Json::String(text) => self.filled(text).into(),
            Json::Array(items) => items.iter().map(|item| self.filled_json(item)).collect(),
            Json::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| (name.clone(), self.filled_json(value)));
                Json::Object(fields.collect())
            }
            other => other.clone(),
        }
    }

    async fn deploy(&mut self, names: &[Json], files: &Json) -> Json {
        let mut form = String::new();
        for name in names.iter().filter_map(Json::as_str) {
            let file = files[name]
                .as_str()
                .unwrap_or_default()
                .replace("${run}", &self.names["run"]);
            form.push_str(&format!(
                "--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n{file}\r\n"
            ));
        }
        form.push_str("--x--\r\n");
        let request = Request::post("/engine-rest/deployment/create")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
        self.answer("a deployment", request.body(Body::from(form)).unwrap())
            .await
    }

    async fn send(&mut self, recording: &str, sent: &Sent) -> Json {
        let what = format!("{recording}: {sent:?}");
        let request = Request::builder()
            .method(sent.method.clone())
            .uri(format!("/engine-rest{}", sent.path));
        let request = match &sent.body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        // What no client could send as a path either.
        let Ok(request) = request else { return Json::Null };
        self.answer(&what, request).await
    }

    async fn answer(&mut self, what: &str, request: Request<Body>) -> Json {
        let reads = request.method() == Method::GET;
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let is_json = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind == "application/json");
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body: Json = if is_json {
            serde_json::from_slice(&bytes).unwrap()
        } else {
            Json::Null
        };
        if status.as_u16() >= 400 {
            is_documented(what, status, &body);
        } else if !reads || self.ids.len() < IDS_MAX {
            texts(&body, &mut self.ids);
        }
        body
    }
}

/// Whether an error is one that clients of Camunda know.
fn is_documented(what: &str, status: StatusCode, body: &Json) {
    let told = format!("{status} {body:.400} for {what:.2000}");
    let (kind, message) = (body["type"].as_str(), body["message"].as_str());
    let (Some(kind), Some(message), Some(code)) = (kind, message, body.get("code")) else {
        panic!("an error has not Camunda's fields: {told}");
    };
    assert!(!NEVER.iter().any(|words| message.contains(words)), "a bug: {told}");
    if status.is_server_error() {
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{told}");
        assert!(
            OF_ENGINES.contains(&kind) && (!code.is_null() || kind == BARE),
            "not an engine's own error: {told}"
        );
    }
}

/// All short texts of an answer.
fn texts(body: &Json, found: &mut Vec<String>) {
    match body {
        Json::String(text) if text.len() <= 80 && found.len() < IDS_MAX => found.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Json::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

/// `0.id`, `*.key`: a place in an answer.
fn at<'j>(value: &'j Json, place: &str) -> Option<&'j Json> {
    place.split('.').try_fold(value, |value, part| match value {
        Json::Object(fields) if part == "*" => fields.values().next(),
        Json::Object(fields) => fields.get(part),
        Json::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}
