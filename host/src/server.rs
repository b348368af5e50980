//! What both of the host's HTTP servers have in common: who may call, and how they start and stop.
//!
//! A browser must never be an accomplice: a request with an `Origin` is refused, and on loopback one with a foreign
//! `Host` too (DNS rebinding). Tokens are compared in constant time and read from their file again and again.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{AUTHORIZATION, HOST, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE},
};
use parking_lot::Mutex;
use serde_json::json;
use subtle::ConstantTimeEq;
use tokio::{net::TcpListener, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

/// A token file is read again after this long.
const REREAD_AFTER: Duration = Duration::from_secs(5);

/// An error as both servers answer it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) type_name: &'static str,
    message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, type_name: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            type_name,
            message: message.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = axum::Json(json!({ "type": self.type_name, "message": self.message }));
        let header = match self.status {
            StatusCode::UNAUTHORIZED => Some((WWW_AUTHENTICATE, "Bearer")),
            StatusCode::TOO_MANY_REQUESTS => Some((RETRY_AFTER, "1")),
            _ => None,
        };
        let mut response = (self.status, body).into_response();
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// Who may call a server.
#[derive(Debug)]
pub(crate) struct Gate {
    token_file: Option<PathBuf>,
    token: Mutex<Option<(Instant, String)>>,
    open_paths: &'static [&'static str],
    loopback: bool,
}

impl Gate {
    /// Callers need the token in `token_file`, if there is one, but for `open_paths`.
    pub(crate) fn new(token_file: Option<PathBuf>, open_paths: &'static [&'static str], listen: SocketAddr) -> Self {
        Self {
            token_file,
            token: Mutex::default(),
            open_paths,
            loopback: listen.ip().is_loopback(),
        }
    }

    async fn token(&self) -> Result<Option<String>, std::io::Error> {
        let Some(file) = &self.token_file else { return Ok(None) };
        if let Some((at, token)) = &*self.token.lock()
            && at.elapsed() < REREAD_AFTER
        {
            return Ok(Some(token.clone()));
        }
        let token = tokio::fs::read_to_string(file).await?.trim().to_owned();
        *self.token.lock() = Some((Instant::now(), token.clone()));
        Ok(Some(token))
    }

    async fn check(&self, headers: &HeaderMap, path: &str) -> Result<(), Refusal> {
        if headers.contains_key(ORIGIN) {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "OriginRefused",
                "requests of web pages are not served",
            ));
        }
        if self.loopback && !is_local(headers.get(HOST)) {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "HostRefused",
                "this server is called by the name localhost or its address",
            ));
        }
        if self.open_paths.contains(&path) {
            return Ok(());
        }
        let token = self.token().await.map_err(|error| {
            tracing::error!(file = ?self.token_file, %error, "cannot read the token that callers have to show");
            Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "TokenUnreadable",
                "the server cannot read its token file",
            )
        })?;
        let Some(token) = token else { return Ok(()) };
        let shown = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        // An empty token file must not let everybody in.
        if !token.is_empty() && shown.is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(token.as_bytes()))) {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "Unauthorized",
            "show the token: Authorization: Bearer …",
        ))
    }
}

fn is_local(host: Option<&http::HeaderValue>) -> bool {
    let Some(host) = host.and_then(|host| host.to_str().ok()) else {
        return true;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    // Cloned, because a request's body cannot be shared between threads while this waits.
    let (headers, path) = (request.headers().clone(), request.uri().path().to_owned());
    match gate.check(&headers, &path).await {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Binds and serves until `stop`.
    pub(crate) async fn start(
        listen: SocketAddr,
        router: Router,
        gate: Gate,
        stop: CancellationToken,
    ) -> Result<Self, std::io::Error> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let router = router.layer(middleware::from_fn_with_state(Arc::new(gate), guard));
        let task = tokio::spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
            if let Err(error) = served.await {
                tracing::error!(%address, %error, "the server ended");
            }
        });
        Ok(Self { address, task })
    }

    /// Waits for the requests that are served, but not longer than until `deadline`.
    pub(crate) async fn stopped(mut self, deadline: std::time::Instant) {
        if tokio::time::timeout_at(deadline.into(), &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_names_are_local() {
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST:9090", true),
            ("127.0.0.1:1", true),
            ("[::1]:9090", true),
            ("[::1]", true),
            ("evil.example:9090", false),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(is_local(Some(&host.parse().unwrap())), expected, "{host}");
        }
    }
}
