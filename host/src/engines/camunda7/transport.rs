//! HTTP to one engine: credentials, own timeouts, bounded bodies.
//!
//! Every request has a timeout of ours beyond the one that the engine was asked to keep, and connections are probed
//! while idle: a half-open connection ends a call instead of hanging it.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header::CONTENT_TYPE};
use reqwest::Url;
use serde::{Serialize, de::DeserializeOwned};

use super::errors::{classify, retry_after};
use crate::{
    config::EngineConfig,
    engines::{
        Fault,
        auth::{Authenticator, Credentials},
        connections::{Connections, fault, read_beginning, read_body},
    },
};

/// How much of a body is looked at for an excerpt.
const EXCERPT_FROM_BYTES: usize = 4 << 10;
/// How many characters of a body people are shown.
const EXCERPT_CHARACTERS: usize = 120;

#[derive(Debug)]
pub(super) struct Transport {
    connections: Connections,
    base: Url,
    auth: Authenticator,
    timeout: Duration,
    max_bytes: u64,
}

/// An answer that was read, to its end unless something else was asked for.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
    /// The body is only the beginning of one that was larger than it may be.
    pub(super) cut: Option<Fault>,
    /// What the engine was shown. Nobody else is, should the answer repeat it.
    pub(super) shown: Credentials,
}

impl Reply {
    /// The beginning of the body, for people.
    pub(super) fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(EXCERPT_FROM_BYTES)]).into_owned();
        self.shown.masked_in(text).chars().take(EXCERPT_CHARACTERS).collect()
    }
}

/// One request. `path` is a list of segments, so that an id can never become a path.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    /// How long to wait for the answer beyond the transport's own time.
    pub(super) wait: Duration,
    /// The largest answer, where it is not the one that is configured.
    pub(super) max_bytes: Option<u64>,
    /// Of a larger answer the beginning is wanted, rather than nothing.
    pub(super) cut: bool,
}

impl<'a> Call<'a> {
    pub(super) fn get(path: &'a [&'a str]) -> Self {
        Self {
            method: Method::GET,
            path,
            query: &[],
            wait: Duration::ZERO,
            max_bytes: None,
            cut: false,
        }
    }

    pub(super) fn post(path: &'a [&'a str]) -> Self {
        Self {
            method: Method::POST,
            ..Self::get(path)
        }
    }

    pub(super) fn query(self, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { query, ..self }
    }
}

impl Transport {
    pub(super) fn new(config: &EngineConfig) -> Result<Self, String> {
        // Fails if another part of the process has installed one, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let base = Url::parse(&config.url).map_err(|error| format!("`{}` is no URL: {error}", config.url))?;
        if base.cannot_be_a_base() {
            return Err(format!(
                "`{}` is no URL of an engine; write http://HOST:PORT/engine-rest",
                config.url
            ));
        }
        Ok(Self {
            connections: Connections::to_engine(config)?,
            base,
            auth: Authenticator::new(config)?,
            timeout: config.request_timeout(),
            max_bytes: u64::from(config.max_answer_mb) << 20,
        })
    }

    /// Sends a request and reads a JSON answer.
    pub(super) async fn read<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Fault> {
        parse(&self.successful(call, None).await?)
    }

    /// Sends a JSON body and reads a JSON answer.
    pub(super) async fn exchange<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        body: &impl Serialize,
    ) -> Result<T, Fault> {
        parse(&self.answer(call, body).await?)
    }

    /// Sends a JSON body and leaves the answer to be read.
    pub(super) async fn answer(&self, call: Call<'_>, body: &impl Serialize) -> Result<Reply, Fault> {
        self.successful(call, Some(encode(body)?)).await
    }

    /// Sends a JSON body and expects success without an answer.
    pub(super) async fn tell(&self, call: Call<'_>, body: &impl Serialize) -> Result<(), Fault> {
        nothing(&self.successful(call, Some(encode(body)?)).await?)
    }

    /// Asks for something to be done, without a body and without an answer.
    pub(super) async fn ask(&self, call: Call<'_>) -> Result<(), Fault> {
        nothing(&self.successful(call, None).await?)
    }

    /// Sends a request and takes any success.
    pub(super) async fn succeed(&self, call: Call<'_>, body: Option<Bytes>) -> Result<Bytes, Fault> {
        self.successful(call, body).await.map(|reply| reply.body)
    }

    async fn successful(&self, call: Call<'_>, body: Option<Bytes>) -> Result<Reply, Fault> {
        let reply = self.send(call, body).await?;
        if reply.status.is_success() {
            Ok(reply)
        } else {
            Err(classify(&reply))
        }
    }

    /// Sends a request, once more with other credentials if the first were refused and there are others.
    pub(super) async fn send(&self, call: Call<'_>, body: Option<Bytes>) -> Result<Reply, Fault> {
        let reply = self
            .attempt(&call, body.clone(), self.auth.credentials().await?)
            .await?;
        if reply.status != StatusCode::UNAUTHORIZED {
            self.auth.accepted();
            return Ok(reply);
        }
        match self.auth.instead_of(&reply.shown).await {
            Some(others) => {
                let reply = self.attempt(&call, body, others).await?;
                if reply.status != StatusCode::UNAUTHORIZED {
                    self.auth.accepted();
                }
                Ok(reply)
            }
            None => Ok(reply),
        }
    }

    async fn attempt(&self, call: &Call<'_>, body: Option<Bytes>, shown: Credentials) -> Result<Reply, Fault> {
        let timeout = self.timeout + call.wait;
        let mut request = self
            .connections
            .client()
            .request(call.method.clone(), self.url(call.path)?)
            .timeout(timeout)
            .headers(shown.headers.clone());
        if !call.query.is_empty() {
            request = request.query(call.query);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Err(self.suspected(fault(&error, timeout))),
        };
        let (status, retry_after) = (answer.status(), retry_after(answer.headers()));
        let max_bytes = call.max_bytes.unwrap_or(self.max_bytes);
        let read = if call.cut {
            read_beginning(answer, max_bytes, timeout).await
        } else {
            read_body(answer, max_bytes, timeout).await.map(|body| (body, None))
        };
        let advised = |fault| match fault {
            Fault::TooLarge(why) if call.max_bytes.is_none() => {
                Fault::TooLarge(format!("{why}; fetch fewer `variables`, or raise max-answer-mb"))
            }
            other => other,
        };
        let (body, cut) = read.map_err(|fault| self.suspected(advised(fault)))?;
        Ok(Reply {
            status,
            retry_after,
            body,
            cut: cut.map(advised),
            shown,
        })
    }

    /// The largest answer, where a call does not say, in MiB.
    pub(super) const fn max_mb(&self) -> u64 {
        self.max_bytes >> 20
    }

    fn suspected(&self, fault: Fault) -> Fault {
        if matches!(
            fault,
            Fault::Unreachable(_) | Fault::TimedOut(_) | Fault::Interrupted(_)
        ) {
            self.connections.suspect();
        }
        fault
    }

    fn url(&self, path: &[&str]) -> Result<Url, Fault> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Fault::Unreachable(format!("{} has no path", self.base)))?
            .pop_if_empty()
            .extend(path);
        Ok(url)
    }
}

fn encode(body: &impl Serialize) -> Result<Bytes, Fault> {
    serde_json::to_vec(body)
        .map(Bytes::from)
        .map_err(|error| Fault::Rejected(format!("cannot be written as JSON: {error}")))
}

/// Accepts no body, or one in JSON that says no more. A login page with status 200 is not the engine's word that a task
/// is completed.
fn nothing(reply: &Reply) -> Result<(), Fault> {
    if reply.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    parse::<serde::de::IgnoredAny>(reply).map(drop)
}

/// Reads an answer in JSON.
pub(super) fn parse<T: DeserializeOwned>(reply: &Reply) -> Result<T, Fault> {
    serde_json::from_slice(&reply.body).map_err(|error| {
        if error.is_eof() {
            Fault::Interrupted(format!("the answer is cut off: {error}"))
        } else {
            Fault::Foreign(format!("{error}, in a body that begins {:?}", reply.excerpt()))
        }
    })
}
