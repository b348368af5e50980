//! A token endpoint that really asks who the client is, counts, and can be made to misbehave.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use http::StatusCode;
use parking_lot::Mutex;
use serde_json::json;
use tokio::net::TcpListener;

pub(crate) const CLIENT: &str = "the host";
pub(crate) const SECRET: &str = "s3cret: +&ü";

#[derive(Debug, Clone)]
pub(crate) struct TokenCall {
    pub(crate) headers: http::HeaderMap,
    pub(crate) form: Vec<(String, String)>,
}

#[derive(Default)]
struct Inner {
    calls: Vec<TokenCall>,
    issued: u32,
    expires_in: Option<u64>,
    answer: Option<(u16, String)>,
    takes: Duration,
}

#[derive(Clone)]
pub(crate) struct TokenEndpoint {
    inner: Arc<Mutex<Inner>>,
    pub(crate) address: SocketAddr,
}

impl TokenEndpoint {
    pub(crate) async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let endpoint = Self {
            inner: Arc::default(),
            address: listener.local_addr().unwrap(),
        };
        let router = Router::new().fallback(serve).with_state(endpoint.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        endpoint
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/token", self.address)
    }

    pub(crate) fn expires_in(&self, seconds: u64) {
        self.inner.lock().expires_in = Some(seconds);
    }

    pub(crate) fn takes(&self, time: Duration) {
        self.inner.lock().takes = time;
    }

    /// This answer instead of a token; none: a token again.
    pub(crate) fn answer(&self, answer: Option<(u16, String)>) {
        self.inner.lock().answer = answer;
    }

    pub(crate) fn calls(&self) -> Vec<TokenCall> {
        self.inner.lock().calls.clone()
    }
}

/// The table of an engine's configuration.
pub(crate) fn oauth2(token_url: &str, secret_file: &std::path::Path, more: &str) -> String {
    format!(
        "auth = {{ oauth2 = {{ token-url = \"{token_url}\", client-id = \"{CLIENT}\", client-secret-file = {:?} {more} }} }}",
        secret_file.display().to_string()
    )
}

async fn serve(State(endpoint): State<TokenEndpoint>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let in_form = field("client_id").as_deref() == Some(CLIENT) && field("client_secret").as_deref() == Some(SECRET);
    let known = in_form || basic(&parts.headers) == Some((CLIENT.to_owned(), SECRET.to_owned()));
    let good = known
        && field("grant_type").as_deref() == Some("client_credentials")
        && parts.method == "POST"
        && parts
            .headers
            .get("content-type")
            .is_some_and(|kind| kind == "application/x-www-form-urlencoded");
    let (answer, issued, expires_in, takes) = {
        let mut inner = endpoint.inner.lock();
        inner.calls.push(TokenCall {
            headers: parts.headers.clone(),
            form,
        });
        let answer = inner.answer.clone();
        if answer.is_none() && good {
            inner.issued += 1;
        }
        (answer, inner.issued, inner.expires_in, inner.takes)
    };
    tokio::time::sleep(takes).await;
    match answer {
        Some((302, location)) => (StatusCode::FOUND, [("location", location)]).into_response(),
        Some((status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        None if good => axum::Json(
            json!({ "access_token": format!("token-{issued}"), "token_type": "Bearer", "expires_in": expires_in }),
        )
        .into_response(),
        None => (
            StatusCode::UNAUTHORIZED,
            axum::Json(json!({ "error": "invalid_client" })),
        )
            .into_response(),
    }
}

/// The client of HTTP Basic, each part decoded as a form's (RFC 6749, 2.3.1).
fn basic(headers: &http::HeaderMap) -> Option<(String, String)> {
    let value = headers.get("authorization")?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(BASE64.decode(value).ok()?).ok()?;
    let (client, secret) = pair.split_once(':')?;
    let decoded = |text: &str| {
        let pair = format!("x={text}");
        form_urlencoded::parse(pair.as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((decoded(client)?, decoded(secret)?))
}
