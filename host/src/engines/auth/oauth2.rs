//! Tokens by the grant of client credentials (RFC 6749, 4.4).
//!
//! A token is renewed before it expires, by one request however many wait for it; until it expires the old one serves.
//! An endpoint that does not answer is asked again with growing waits, and meanwhile whoever needs a token is told at
//! once why there is none. A token that the engine refuses is replaced at once, but where the engine refuses the new
//! one too, not again and again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER},
};
use parking_lot::Mutex;
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    super::connections::{Connections, cause, read_body},
    BASE64, Secret, SecretReader,
};
use crate::{
    backoff::Backoff,
    config::{ClientAuth, OAuth2},
    engines::Fault,
};
use base64::Engine as _;

/// How long before its end a token is renewed, at most; of a short life it is a fifth.
const EARLY_MAX: Duration = Duration::from_secs(60);
/// The longest that a token is used, whatever it says.
const LIFE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// The largest answer of a token endpoint.
const ANSWER_MAX_BYTES: u64 = 256 << 10;

#[derive(Debug)]
pub(super) struct TokenSource {
    connections: Connections,
    url: Url,
    timeout: Duration,
    client_id: String,
    client_secret: SecretReader,
    client_auth: ClientAuth,
    scope: Option<String>,
    audience: Option<String>,
    token: Mutex<Option<Token>>,
    /// Held by whoever asks the endpoint; the others wait for what it answers.
    asking: tokio::sync::Mutex<Attempts>,
    /// The engine refused a token, and has accepted none since.
    in_doubt: AtomicBool,
}

#[derive(Debug, Clone)]
struct Token {
    value: Secret,
    renew_at: Instant,
    /// None: the endpoint did not say.
    expires_at: Option<Instant>,
}

/// How asking went last.
#[derive(Debug)]
struct Attempts {
    failures: Backoff,
    failed: Option<(Instant, Fault)>,
    refusals: Backoff,
    /// A refused token is not replaced sooner.
    replace_after: Option<Instant>,
}

#[derive(Deserialize)]
struct TokenDto {
    access_token: Option<String>,
    token_type: Option<String>,
    /// Seconds; some endpoints write them as text.
    expires_in: Option<Json>,
    error: Option<String>,
    error_description: Option<String>,
}

impl TokenSource {
    pub(super) fn new(config: &OAuth2, connections: Connections, timeout: Duration) -> Result<Self, String> {
        let client_secret = SecretReader::new(config.client_secret_file.as_ref(), config.client_secret_env.as_ref())
            .map_err(|reason| format!("the client's secret of auth.oauth2: {reason}"))?;
        Ok(Self {
            connections,
            url: Url::parse(&config.token_url)
                .map_err(|error| format!("the token-url `{}` is no URL: {error}", config.token_url))?,
            timeout,
            client_id: config.client_id.clone(),
            client_secret,
            client_auth: config.client_auth,
            scope: config.scope.clone(),
            audience: config.audience.clone(),
            token: Mutex::default(),
            asking: tokio::sync::Mutex::new(Attempts {
                failures: Backoff::new(Duration::from_millis(200), Duration::from_secs(5)),
                failed: None,
                refusals: Backoff::new(Duration::from_secs(1), Duration::from_secs(60)),
                replace_after: None,
            }),
            in_doubt: AtomicBool::new(false),
        })
    }

    /// A token that can be shown.
    pub(super) async fn token(&self) -> Result<Secret, Fault> {
        let now = Instant::now();
        let present = self.token.lock().clone();
        match present {
            Some(token) if now < token.renew_at => Ok(token.value),
            // Still good: one renews it, the others go on with it.
            Some(token) if token.is_good_at(now) => {
                let Ok(mut attempts) = self.asking.try_lock() else {
                    return Ok(token.value);
                };
                match self.ask(&mut attempts, |token| token.renew_at > Instant::now()).await {
                    Ok(renewed) => Ok(renewed),
                    Err(fault) => {
                        tracing::debug!(%fault, "the token cannot be renewed yet; the present one serves until it expires");
                        Ok(token.value)
                    }
                }
            }
            _ => {
                let mut attempts = self.asking.lock().await;
                self.ask(&mut attempts, |token| token.is_good_at(Instant::now())).await
            }
        }
    }

    /// The engine refused this token: another one is asked for, unless there is one already.
    pub(super) async fn refused(&self, shown: Option<&HeaderValue>) {
        let is_present = |token: &Token| {
            shown
                .is_some_and(|shown| shown.as_bytes().strip_prefix(b"Bearer ") == Some(token.value.expose().as_bytes()))
        };
        let mut attempts = self.asking.lock().await;
        if !self.token.lock().as_ref().is_some_and(is_present) {
            return;
        }
        if !self.in_doubt.swap(true, Ordering::AcqRel) {
            attempts.refusals.reset();
            attempts.replace_after = None;
        }
        if attempts.replace_after.is_some_and(|at| Instant::now() < at) {
            return;
        }
        attempts.replace_after = Some(Instant::now() + attempts.refusals.next_wait());
        // Whether it succeeds is seen by whoever asks for a token next.
        let _ = self.ask(&mut attempts, |token| !is_present(token)).await;
    }

    /// The engine accepts what it was shown.
    pub(super) fn accepted(&self) {
        if self.in_doubt.load(Ordering::Relaxed) {
            self.in_doubt.store(false, Ordering::Release);
        }
    }

    /// Asks the endpoint, unless somebody else did while this caller waited, or it is too soon after a failure.
    async fn ask(&self, attempts: &mut Attempts, will_do: impl Fn(&Token) -> bool) -> Result<Secret, Fault> {
        if let Some(token) = self.token.lock().as_ref().filter(|token| will_do(token)) {
            return Ok(token.value.clone());
        }
        if let Some((until, fault)) = &attempts.failed
            && Instant::now() < *until
        {
            return Err(fault.clone());
        }
        // Noted before the answer is there: a caller may be gone before it comes.
        let wait = attempts.failures.next_wait();
        let unanswered = Fault::Unauthorized(format!("the token endpoint {} has not answered", self.url));
        attempts.failed = Some((Instant::now() + wait, unanswered));
        match self.request().await {
            Ok(token) => {
                attempts.failures.reset();
                attempts.failed = None;
                let value = token.value.clone();
                *self.token.lock() = Some(token);
                metrics::counter!("handoff_token_requests_total", "result" => "ok").increment(1);
                Ok(value)
            }
            Err((fault, asked_to_wait)) => {
                let wait = wait.max(asked_to_wait.unwrap_or_default().min(Duration::from_secs(60)));
                attempts.failed = Some((Instant::now() + wait, fault.clone()));
                metrics::counter!("handoff_token_requests_total", "result" => "failed").increment(1);
                Err(fault)
            }
        }
    }

    async fn request(&self) -> Result<Token, (Fault, Option<Duration>)> {
        let secret = self
            .client_secret
            .read()
            .await
            .map_err(|reason| (Fault::Unauthorized(reason), None))?;
        let failed = |reason: String, wait| {
            let reason = secret.masked_in(format!("no token from {}: {reason}", self.url));
            (Fault::Unauthorized(reason), wait)
        };
        let sent = Instant::now();
        let client = self.connections.client();
        let request = client
            .post(self.url.clone())
            .timeout(self.timeout)
            .headers(self.headers(&secret).map_err(|reason| failed(reason, None))?)
            .body(self.form(&secret));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                self.connections.suspect();
                return Err(failed(cause(&error), None));
            }
        };
        let status = answer.status();
        let wait = seconds(answer.headers().get(RETRY_AFTER));
        let body = read_body(answer, ANSWER_MAX_BYTES, self.timeout)
            .await
            .map_err(|fault| failed(fault.to_string(), wait))?;
        read_token(status, &body, sent).map_err(|reason| failed(reason, wait))
    }

    fn headers(&self, secret: &Secret) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        if self.client_auth == ClientAuth::Basic {
            // Both parts are encoded as in a form before they are joined (RFC 6749, 2.3.1).
            let pair = format!("{}:{}", encoded(&self.client_id), encoded(secret.expose()));
            let mut value = HeaderValue::try_from(format!("Basic {}", BASE64.encode(pair)))
                .map_err(|_| "the client's credentials have characters that a header cannot carry".to_owned())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(headers)
    }

    fn form(&self, secret: &Secret) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if self.client_auth == ClientAuth::Form {
            form.append_pair("client_id", &self.client_id);
            form.append_pair("client_secret", secret.expose());
        }
        for (name, value) in [("scope", &self.scope), ("audience", &self.audience)] {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        form.finish()
    }
}

impl Token {
    fn is_good_at(&self, now: Instant) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn seconds(value: Option<&HeaderValue>) -> Option<Duration> {
    value?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// A body is not shown: it may be a token, or a page that repeats what it was sent. An error's own words are.
fn read_token(status: StatusCode, body: &[u8], sent: Instant) -> Result<Token, String> {
    if status.is_redirection() {
        return Err(format!(
            "{status}; redirects are not followed, configure the URL they lead to"
        ));
    }
    let dto: TokenDto =
        serde_json::from_slice(body).map_err(|_| format!("{status}, and what came is no JSON object"))?;
    if !status.is_success() || dto.error.is_some() {
        let error = dto.error.unwrap_or_else(|| "no reason is given".to_owned());
        let description = dto
            .error_description
            .map(|text| format!(": {text}"))
            .unwrap_or_default();
        return Err(format!("{status}, {error}{description}"));
    }
    let kind = dto.token_type.unwrap_or_else(|| "Bearer".to_owned());
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(format!(
            "it gives a token of type `{kind}`; only bearer tokens are understood"
        ));
    }
    let value = dto
        .access_token
        .filter(|token| !token.is_empty())
        .ok_or("the answer has no access_token")?;
    let says = match &dto.expires_in {
        Some(Json::String(text)) => text.trim().parse().ok(),
        Some(Json::Number(number)) => number.as_u64(),
        _ => None,
    };
    let life = says.map_or(LIFE_MAX, Duration::from_secs).min(LIFE_MAX);
    // Asked for at least that seldom, also where what comes has expired already.
    let early = (life / 5).min(EARLY_MAX);
    let renew_at = sent + life.saturating_sub(early).max(Duration::from_millis(500));
    Ok(Token {
        value: Secret::new(value),
        renew_at,
        // Counted from before the endpoint made it, on our clock: no clock of anybody else matters.
        expires_at: says.map(|_| (sent + life).max(renew_at)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<(Duration, Option<Duration>), String> {
        let sent = Instant::now();
        read_token(StatusCode::from_u16(status).unwrap(), body.as_bytes(), sent)
            .map(|token| (token.renew_at - sent, token.expires_at.map(|at| at - sent)))
    }

    #[test]
    fn a_token_is_renewed_before_it_expires() {
        let seconds = Duration::from_secs;
        for (says, renewed, expires) in [
            ("3600", seconds(3540), Some(seconds(3600))),
            ("\"100\"", seconds(80), Some(seconds(100))),
            ("0", Duration::from_millis(500), Some(Duration::from_millis(500))),
            ("null", seconds(86_340), None),
            ("99999999999", seconds(86_340), Some(LIFE_MAX)),
        ] {
            let body = format!(r#"{{"access_token":"t","token_type":"bearer","expires_in":{says}}}"#);
            assert_eq!(read(200, &body), Ok((renewed, expires)), "{says}");
        }
    }

    #[test]
    fn what_is_no_token_is_told_without_the_body() {
        for (status, body, hint) in [
            (
                400,
                r#"{"error":"invalid_client","error_description":"unknown client"}"#,
                "invalid_client: unknown client",
            ),
            (503, "<html>Client_Secret=s3cret</html>", "no JSON"),
            (200, r#"{"access_token":"s3cret","token_type":"mac"}"#, "`mac`"),
            (200, r#"{"token_type":"bearer"}"#, "access_token"),
            (302, "", "redirects"),
        ] {
            let error = read(status, body).unwrap_err();
            assert!(error.contains(hint) && !error.contains("s3cret"), "{error}");
        }
    }
}
