//! A small client of the Camunda 7 REST dialect: what the demo and the tests ask an engine.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};

/// Longer than anything that is asked for here may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The boundary of multipart bodies. No model contains it.
const BOUNDARY: &str = "handoff-harness-7f3a1c9e5d";

/// An answer of whatever status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, as text.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.text).with_context(|| format!("no JSON in the answer: {:?}", self.text))
    }

    /// The field `message` of an error's body, or all of the body.
    #[must_use]
    pub fn message(&self) -> String {
        let message = self
            .json()
            .ok()
            .and_then(|body| Some(body.get("message")?.as_str()?.to_owned()));
        message.unwrap_or_else(|| self.text.clone())
    }

    /// The answer if its status is a success.
    ///
    /// # Errors
    /// It is none; the error has status and body.
    pub fn success(self) -> Result<Self> {
        if (200..300).contains(&self.status) {
            Ok(self)
        } else {
            bail!("answered {}: {}", self.status, self.text)
        }
    }
}

/// A client of one engine. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Rest {
    base: String,
    headers: Vec<(String, String)>,
    agent: ureq::Agent,
}

impl Rest {
    /// A client of what is served below `base`, such as `http://127.0.0.1:8080/engine-rest`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .max_idle_connections(256)
            .max_idle_connections_per_host(256)
            .build();
        Self {
            base: base.trim_end_matches('/').to_owned(),
            headers: Vec::new(),
            agent: config.into(),
        }
    }

    /// The same client, with a header in every request.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The URL below which it asks.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends a request; any status is an answer.
    ///
    /// # Errors
    /// There is no answer.
    pub fn request(&self, method: &str, path: &str, content_type: Option<&str>, body: &[u8]) -> Result<Answer> {
        let url = format!("{}{path}", self.base);
        let mut request = ureq::http::Request::builder().method(method).uri(&url);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut response = self
            .agent
            .run(request.body(body.to_vec())?)
            .with_context(|| format!("{method} {url}"))?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec();
        let text = String::from_utf8_lossy(&body.with_context(|| format!("{method} {url}"))?).into_owned();
        Ok(Answer { status, text })
    }

    /// GET; any status is an answer.
    ///
    /// # Errors
    /// There is no answer.
    pub fn try_get(&self, path: &str) -> Result<Answer> {
        self.request("GET", path, None, &[])
    }

    /// GET of JSON.
    ///
    /// # Errors
    /// There is no answer, or no success, or no JSON.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.try_get(path)?
            .success()
            .and_then(|answer| answer.json())
            .with_context(|| format!("GET {path}"))
    }

    /// POST of JSON; any status is an answer.
    ///
    /// # Errors
    /// There is no answer.
    pub fn try_post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.request("POST", path, Some("application/json"), body.to_string().as_bytes())
    }

    /// POST of JSON, for its JSON answer; none if the answer has no content.
    ///
    /// # Errors
    /// There is no answer, or no success, or no JSON.
    pub fn post(&self, path: &str, body: &Value) -> Result<Option<Value>> {
        let answer = self
            .try_post(path, body)?
            .success()
            .with_context(|| format!("POST {path} {body}"))?;
        if answer.status == 204 {
            Ok(None)
        } else {
            answer.json().map(Some)
        }
    }

    /// PUT of JSON.
    ///
    /// # Errors
    /// There is no answer, or no success.
    pub fn put(&self, path: &str, body: &Value) -> Result<()> {
        let answer = self.request("PUT", path, Some("application/json"), body.to_string().as_bytes())?;
        answer.success().with_context(|| format!("PUT {path} {body}")).map(drop)
    }

    /// The number that a `…/count` answers.
    ///
    /// # Errors
    /// There is no such answer.
    pub fn count(&self, path: &str) -> Result<u64> {
        let answer = self.get(path)?;
        answer["count"].as_u64().ok_or_else(|| anyhow!("no count in {answer}"))
    }

    /// Deploys a resource; any status is an answer.
    ///
    /// # Errors
    /// There is no answer.
    pub fn try_deploy(&self, resource: &str, content: &str) -> Result<Answer> {
        let body = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"deployment-name\"\r\n\r\n{resource}\r\n\
             --{BOUNDARY}\r\ncontent-disposition: form-data; name=\"data\"; filename=\"{resource}\"\r\n\
             content-type: application/octet-stream\r\n\r\n{content}\r\n--{BOUNDARY}--\r\n"
        );
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        self.request("POST", "/deployment/create", Some(&content_type), body.as_bytes())
    }

    /// Deploys a resource.
    ///
    /// # Errors
    /// It is refused.
    pub fn deploy(&self, resource: &str, content: &str) -> Result<Value> {
        let answer = self.try_deploy(resource, content)?.success();
        answer
            .and_then(|answer| answer.json())
            .with_context(|| format!("deploy {resource}"))
    }

    /// Deploys a file.
    ///
    /// # Errors
    /// It cannot be read, or is refused.
    pub fn deploy_file(&self, path: &Path) -> Result<Value> {
        let content = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        self.deploy(&name, &content)
    }

    /// Starts the latest version of a definition. `variables` is as the REST wants it: `{"name": {"value": …}}`.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(&self, key: &str, business_key: &str, variables: Value) -> Result<String> {
        let body = json!({"businessKey": business_key, "variables": variables});
        let started = self.post(&format!("/process-definition/key/{key}/start"), &body)?;
        started
            .and_then(|started| Some(started.get("id")?.as_str()?.to_owned()))
            .ok_or_else(|| anyhow!("an instance of {key} without an id"))
    }

    /// The engine's own description of itself (`GET /handoff`).
    ///
    /// # Errors
    /// It has none: it is another product.
    pub fn description(&self) -> Result<Value> {
        self.get("/handoff")
    }
}
