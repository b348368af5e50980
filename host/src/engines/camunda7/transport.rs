//! HTTP to one engine: credentials, own timeouts, bounded bodies, no redirects.
//!
//! Every request has a timeout of ours beyond the one that the engine was asked to keep, and connections are probed
//! while idle: a half-open connection ends a call instead of hanging it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, Method, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use reqwest::Url;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    auth::Authenticator,
    errors::{classify, excerpt, retry_after},
};
use crate::{config::EngineConfig, engines::Fault};

/// The largest answer that is read: a fetch of many tasks with many variables.
const MAX_ANSWER_BYTES: u64 = 64 << 20;
const TCP_KEEPALIVE: Duration = Duration::from_secs(15);
const POOL_IDLE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    base: Url,
    auth: Authenticator,
    timeout: Duration,
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
}

/// One request. `path` is a list of segments, so that an id can never become a path.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    /// How long to wait for the answer beyond the transport's own time.
    pub(super) wait: Duration,
    pub(super) max_bytes: u64,
}

impl<'a> Call<'a> {
    pub(super) fn get(path: &'a [&'a str]) -> Self {
        Self {
            method: Method::GET,
            path,
            query: &[],
            wait: Duration::ZERO,
            max_bytes: MAX_ANSWER_BYTES,
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
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, http::HeaderValue::from_static("application/json, */*;q=0.5"));
        for (name, value) in &config.headers {
            let name = http::HeaderName::try_from(name).map_err(|_| format!("`{name}` is no header's name"))?;
            let mut value = http::HeaderValue::try_from(value)
                .map_err(|_| format!("the value of header `{name}` is not allowed"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(config.connect_timeout())
            .tcp_keepalive(TCP_KEEPALIVE)
            .tcp_nodelay(true)
            .pool_idle_timeout(POOL_IDLE)
            .no_proxy()
            .user_agent(concat!("handoff-host/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .build()
            .map_err(|error| format!("cannot set up HTTP: {error}"))?;
        let base = Url::parse(&config.url).map_err(|error| format!("`{}` is no URL: {error}", config.url))?;
        if base.cannot_be_a_base() {
            return Err(format!(
                "`{}` is no URL of an engine; write http://HOST:PORT/engine-rest",
                config.url
            ));
        }
        Ok(Self {
            http,
            base,
            auth: Authenticator::new(&config.auth)?,
            timeout: config.request_timeout(),
        })
    }

    /// Sends a request and reads a JSON answer.
    pub(super) async fn read<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Fault> {
        parse(&self.succeed(call, None).await?)
    }

    /// Sends a JSON body and reads a JSON answer.
    pub(super) async fn exchange<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        body: &impl Serialize,
    ) -> Result<T, Fault> {
        parse(&self.succeed(call, Some(encode(body)?)).await?)
    }

    /// Sends a JSON body and expects success without an answer.
    pub(super) async fn tell(&self, call: Call<'_>, body: &impl Serialize) -> Result<(), Fault> {
        self.succeed(call, Some(encode(body)?)).await.map(drop)
    }

    /// Sends a request and takes any success.
    pub(super) async fn succeed(&self, call: Call<'_>, body: Option<Bytes>) -> Result<Bytes, Fault> {
        let reply = self.send(call, body).await?;
        if reply.status.is_success() {
            Ok(reply.body)
        } else {
            Err(classify(&reply))
        }
    }

    /// Sends a request, once more with a new token if the first was refused.
    pub(super) async fn send(&self, call: Call<'_>, body: Option<Bytes>) -> Result<Reply, Fault> {
        let credentials = self.auth.header().await?;
        let reply = self.attempt(&call, body.clone(), credentials.as_deref()).await?;
        if reply.status == StatusCode::UNAUTHORIZED && self.auth.renewed(credentials.as_deref()).await {
            let credentials = self.auth.header().await?;
            return self.attempt(&call, body, credentials.as_deref()).await;
        }
        Ok(reply)
    }

    async fn attempt(&self, call: &Call<'_>, body: Option<Bytes>, credentials: Option<&str>) -> Result<Reply, Fault> {
        let timeout = self.timeout + call.wait;
        let mut request = self
            .http
            .request(call.method.clone(), self.url(call.path)?)
            .timeout(timeout);
        if !call.query.is_empty() {
            request = request.query(call.query);
        }
        if let Some(credentials) = credentials {
            let mut value = http::HeaderValue::try_from(credentials).map_err(|_| {
                Fault::Unauthorized("the credentials have characters that a header cannot carry".into())
            })?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let answer = request.send().await.map_err(|error| fault(&error, timeout))?;
        let (status, retry_after) = (answer.status(), retry_after(answer.headers()));
        let body = read_body(answer, call.max_bytes, timeout).await?;
        Ok(Reply {
            status,
            retry_after,
            body,
        })
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

async fn read_body(mut answer: reqwest::Response, max_bytes: u64, timeout: Duration) -> Result<Bytes, Fault> {
    let too_large = || Fault::TooLarge(format!("the engine's answer is larger than {max_bytes} bytes"));
    if answer.content_length().is_some_and(|length| length > max_bytes) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| fault(&error, timeout))? {
        if (body.len() + chunk.len()) as u64 > max_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn encode(body: &impl Serialize) -> Result<Bytes, Fault> {
    serde_json::to_vec(body)
        .map(Bytes::from)
        .map_err(|error| Fault::Rejected(format!("cannot be written as JSON: {error}")))
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            Fault::Interrupted(format!("the answer is cut off: {error}"))
        } else {
            Fault::Foreign(format!("{error}, in a body that begins {:?}", excerpt(body)))
        }
    })
}

fn fault(error: &reqwest::Error, timeout: Duration) -> Fault {
    if error.is_connect() {
        Fault::Unreachable(cause(error))
    } else if error.is_timeout() {
        Fault::TimedOut(timeout)
    } else {
        Fault::Interrupted(cause(error))
    }
}

/// The innermost cause: `reqwest` itself says only "error sending request".
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
