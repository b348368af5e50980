//! Calling delegates: what a model names by `camunda:delegateExpression="${name}"` or `camunda:class` runs in a host
//! beside the engine (F7 of the design).
//!
//! `POST {url}/delegates/{name}` with a bearer token. An answer of 200 has variables or a BPMN error; everything else
//! is a failure, which ends the command, and in a job costs a retry.

#[cfg(test)]
mod tests;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use handoff_machine::request::DelegateCall;
use handoff_machine::{Answer, Node};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::config::Config;
use crate::store::OpenError;

/// The most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most bytes of a failed answer that are read for its message.
const MESSAGE_CHARS_MAX: usize = 2000;

/// What a host answers whose slots are all in use …
const FULL: u16 = 429;
/// … and the pause before it is asked again.
const FULL_PAUSE: Duration = Duration::from_millis(100);

/// Who runs delegates.
pub trait Delegates: Send + Sync + 'static {
    /// Runs one, within its own time. What goes wrong is an [`Answer::Failed`].
    fn call(&self, node: Node, call: DelegateCall) -> BoxFuture<'static, Answer>;
}

/// Delegates behind HTTP; none where no address is configured.
pub(super) struct HttpDelegates(Option<Arc<Endpoint>>);

struct Endpoint {
    client: reqwest::Client,
    url: String,
    token_file: Option<PathBuf>,
    engine: String,
    timeout: Duration,
    slots: Semaphore,
}

/// Why a delegate could not be called.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error("no call was free within {} ms", .0.as_millis())]
    Full(Duration),
    #[error("it did not answer within {} ms", .0.as_millis())]
    Late(Duration),
    #[error("the token file {path} cannot be read: {source}")]
    Token { path: PathBuf, source: std::io::Error },
    #[error("the token in {0} has characters that no header may have")]
    BadToken(PathBuf),
    #[error("{0}")]
    Http(String),
    #[error("it answered {status}: {message}")]
    Status { status: u16, message: String },
    #[error("its answer cannot be understood: {0}")]
    Answer(String),
}

impl HttpDelegates {
    pub(super) fn new(config: &Config) -> Result<Self, OpenError> {
        let Some(delegates) = &config.delegates else {
            return Ok(Self(None));
        };
        let url = delegates.url.trim_end_matches('/').to_owned();
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(OpenError::Delegates(format!(
                "'{url}' is no http:// or https:// address"
            )));
        }
        // Whoever came first has chosen; one provider is as good as the other.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(delegates.timeout)
            .build()
            .map_err(|error| OpenError::Delegates(error.to_string()))?;
        Ok(Self(Some(Arc::new(Endpoint {
            client,
            url,
            token_file: delegates.token_file.clone(),
            engine: config.name.clone(),
            timeout: delegates.timeout,
            slots: Semaphore::new(delegates.concurrency.max(1)),
        }))))
    }
}

impl Delegates for HttpDelegates {
    fn call(&self, node: Node, call: DelegateCall) -> BoxFuture<'static, Answer> {
        let endpoint = self.0.clone();
        async move {
            let Some(endpoint) = endpoint else {
                let message = format!(
                    "Delegate '{}' of activity '{}' cannot be called: the engine was started without --delegates",
                    call.name, call.activity_id
                );
                return Answer::Failed { message };
            };
            match endpoint.call(node, &call).await {
                Ok(answer) => answer,
                Err(error) => Answer::Failed {
                    message: format!(
                        "Delegate '{}' of activity '{}' failed: {error}",
                        call.name, call.activity_id
                    ),
                },
            }
        }
        .boxed()
    }
}

impl Endpoint {
    async fn call(&self, node: Node, call: &DelegateCall) -> Result<Answer, CallError> {
        let deadline = Instant::now() + self.timeout;
        let slot = tokio::time::timeout_at(deadline, self.slots.acquire()).await;
        let Ok(Ok(_slot)) = slot else {
            return Err(CallError::Full(self.timeout));
        };
        let answer = tokio::time::timeout_at(deadline, self.until_taken(node, call, deadline)).await;
        answer.unwrap_or(Err(CallError::Late(self.timeout)))
    }

    /// A host whose slots are all in use has not tried: it is asked again, within the call's time.
    async fn until_taken(&self, node: Node, call: &DelegateCall, deadline: Instant) -> Result<Answer, CallError> {
        loop {
            match self.exchange(node, call, deadline).await {
                Err(CallError::Status { status: FULL, .. }) => tokio::time::sleep(FULL_PAUSE).await,
                tried => return tried,
            }
        }
    }

    async fn exchange(&self, node: Node, call: &DelegateCall, deadline: Instant) -> Result<Answer, CallError> {
        let url = format!(
            "{}/delegates/{}",
            self.url,
            utf8_percent_encode(&call.name, NON_ALPHANUMERIC)
        );
        let left = deadline.saturating_duration_since(Instant::now());
        let body = wire::request(&self.engine, node, call, left);
        let mut request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body.to_string());
        if let Some(path) = &self.token_file {
            request = request.header(reqwest::header::AUTHORIZATION, bearer(path).await?);
        }
        let mut response = request.send().await.map_err(|error| CallError::Http(chain(&error)))?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| CallError::Http(chain(&error)))? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(CallError::Answer(format!("it is longer than {ANSWER_BYTES_MAX} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.as_u16() != 200 {
            return Err(CallError::Status {
                status: status.as_u16(),
                message: wire::message(&bytes, MESSAGE_CHARS_MAX),
            });
        }
        wire::answer(&bytes).map_err(CallError::Answer)
    }
}

/// The header with the token, read anew.
async fn bearer(path: &PathBuf) -> Result<HeaderValue, CallError> {
    let token = tokio::fs::read_to_string(path)
        .await
        .map_err(|source| CallError::Token {
            path: path.clone(),
            source,
        })?;
    let mut header =
        HeaderValue::from_str(&format!("Bearer {}", token.trim())).map_err(|_| CallError::BadToken(path.clone()))?;
    header.set_sensitive(true);
    Ok(header)
}

/// An error with its causes: the cause says what has happened.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
