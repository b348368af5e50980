//! Engines that demand to know who asks.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use futures::future::join_all;
use handoff_host::{
    Config,
    engines::{Engine, Fault, camunda7::Camunda7},
    worker::Workforce,
};

use crate::{
    fake_engine::{FakeEngine, Fault as Scripted},
    support::{TestHost, completing, config, topic},
    token_endpoint::{SECRET, TokenEndpoint, oauth2},
};

/// A file with a secret, in a folder of its own.
pub(crate) struct SecretFile {
    folder: tempfile::TempDir,
}

impl SecretFile {
    pub(crate) fn with(content: &str) -> Self {
        let file = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        file.write(content);
        file
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("secret")
    }

    pub(crate) fn write(&self, content: &str) {
        std::fs::write(self.path(), content).unwrap();
    }
}

/// A connection with more in its table.
pub(crate) fn connect(url: &str, more: &str) -> Camunda7 {
    let text =
        format!("[engines.order]\nurl = \"{url}\"\nrequest-timeout-ms = 2000\n{more}\n[workers]\ndir = \"none\"\n");
    let config = Config::parse(&text, Path::new("handoff.toml")).unwrap();
    Camunda7::new("order", "me", &config.engines["order"]).unwrap()
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{user}:{password}")))
}

#[tokio::test]
async fn nobody_is_let_in_by_an_engine_that_demands_a_name() {
    let engine = FakeEngine::start().await;
    engine.demand_authorization("Bearer x");
    let probed = connect(&engine.url(), "").probe().await;
    assert!(matches!(probed, Err(Fault::Unauthorized(_))), "{probed:?}");
    assert_eq!(engine.calls().len(), 1, "there is nothing else to show");
}

#[tokio::test]
async fn basic_is_shown_with_the_password_that_is_in_the_file_now() {
    let engine = FakeEngine::start().await;
    engine.demand_authorization(&basic("host", "pässword"));
    let password = SecretFile::with("pässword\n");
    let more = format!(
        "auth = {{ basic = {{ user = \"host\", password-file = {:?} }} }}",
        password.path().display().to_string()
    );
    let me = connect(&engine.url(), &more);
    me.probe().await.unwrap();
    // Refused with the old one, it is read again at once.
    engine.demand_authorization(&basic("host", "new one"));
    password.write("new one");
    me.probe().await.unwrap();
    engine.demand_authorization(&basic("host", "another"));
    let before = engine.calls().len();
    assert!(matches!(me.probe().await, Err(Fault::Unauthorized(_))));
    assert_eq!(engine.calls().len() - before, 1, "the file has nothing new to show");
}

#[tokio::test]
async fn a_bearer_token_is_read_again_when_its_file_changes() {
    let engine = FakeEngine::start().await;
    let token = SecretFile::with("first\n");
    engine.demand_authorization("Bearer first");
    let more = format!("auth = {{ bearer-file = {:?} }}", token.path().display().to_string());
    let mut config = config(&engine.url(), &more);
    config.engines.get_mut("order").unwrap().long_poll_ms = 100;
    let workforce = Workforce::default().with_topic("order", topic("t"), std::sync::Arc::new(completing("w")));
    let host = TestHost::start(config, workforce).await;
    engine.add("a", "t");
    engine.until_ended("a").await;
    // Both are good for a while, as when a token is rotated: nothing is ever refused.
    engine.demand(|headers| {
        headers
            .get("authorization")
            .is_some_and(|shown| shown == "Bearer first" || shown == "Bearer second")
    });
    token.write("second\n");
    engine
        .until("the new token is shown", |engine| {
            engine
                .calls()
                .last()
                .is_some_and(|call| call.authorization.as_deref() == Some("Bearer second"))
        })
        .await;
    assert!(host.host.status().readiness().ready);
}

#[tokio::test]
async fn extra_headers_are_sent_to_the_engine_and_to_nobody_else() {
    let engine = FakeEngine::start().await;
    let tokens = TokenEndpoint::start().await;
    let (key, secret) = (SecretFile::with("k-1\n"), SecretFile::with(SECRET));
    let good = |key: &'static str| {
        move |headers: &http::HeaderMap| {
            headers.get("x-team").is_some_and(|team| team == "inventory")
                && headers.get("x-api-key").is_some_and(|shown| shown == key)
                && headers
                    .get("authorization")
                    .is_some_and(|shown| shown == "Bearer token-1" || shown == "Bearer token-2")
        }
    };
    engine.demand(good("k-1"));
    let more = format!(
        "headers = {{ X-Team = \"inventory\" }}\nsecret-headers = {{ X-Api-Key = {{ file = {:?} }} }}\n{}",
        key.path().display().to_string(),
        oauth2(&tokens.url(), &secret.path(), "")
    );
    let me = connect(&engine.url(), &more);
    me.probe().await.unwrap();
    key.write("k-2");
    engine.demand(good("k-2"));
    me.probe().await.unwrap();
    for call in tokens.calls() {
        assert!(call.headers.get("x-team").is_none() && call.headers.get("x-api-key").is_none());
    }
}

#[tokio::test]
async fn oauth2_shows_a_token_for_the_clients_own_credentials() {
    for (more, in_form) in [
        ("", false),
        (", client-auth = \"form\", scope = \"a b\", audience = \"order\"", true),
    ] {
        let (engine, tokens, secret) = (
            FakeEngine::start().await,
            TokenEndpoint::start().await,
            SecretFile::with(SECRET),
        );
        tokens.expires_in(3600);
        engine.demand_authorization("Bearer token-1");
        let me = connect(&engine.url(), &oauth2(&tokens.url(), &secret.path(), more));
        for _ in 0..5 {
            me.probe().await.unwrap();
        }
        let calls = tokens.calls();
        assert_eq!(calls.len(), 1, "one token serves all requests");
        let names: Vec<_> = calls[0].form.iter().map(|(name, _)| name.as_str()).collect();
        let expected: &[&str] = if in_form {
            &["grant_type", "client_id", "client_secret", "scope", "audience"]
        } else {
            &["grant_type"]
        };
        assert_eq!(names, expected);
        assert_eq!(calls[0].headers.get("authorization").is_some(), !in_form);
    }
}

#[tokio::test]
async fn an_oauth2_token_is_renewed_before_it_expires() {
    let (engine, tokens, secret) = (
        FakeEngine::start().await,
        TokenEndpoint::start().await,
        SecretFile::with(SECRET),
    );
    tokens.expires_in(2);
    let me = connect(&engine.url(), &oauth2(&tokens.url(), &secret.path(), ""));
    me.probe().await.unwrap();
    let began = Instant::now();
    // Renewed 0.4 s before its end: whoever asks then already shows the new one.
    while tokens.calls().len() < 2 && began.elapsed() < Duration::from_secs(10) {
        me.probe().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(
        began.elapsed() >= Duration::from_millis(1_500),
        "not before it is due: {:?}",
        began.elapsed()
    );
    me.probe().await.unwrap();
    let shown = engine.calls().pop().unwrap().authorization;
    assert_eq!(shown.as_deref(), Some("Bearer token-2"));
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_serves_until_it_expires() {
    let (engine, tokens, secret) = (
        FakeEngine::start().await,
        TokenEndpoint::start().await,
        SecretFile::with(SECRET),
    );
    tokens.expires_in(3);
    engine.demand_authorization("Bearer token-1");
    let me = connect(&engine.url(), &oauth2(&tokens.url(), &secret.path(), ""));
    me.probe().await.unwrap();
    tokens.answer(Some((503, "away".into())));
    let began = Instant::now();
    while tokens.calls().len() < 2 && began.elapsed() < Duration::from_secs(10) {
        me.probe().await.expect("the present token is still good");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    me.probe().await.expect("and still is");
    let refused = loop {
        match me.probe().await {
            Ok(_) if began.elapsed() < Duration::from_secs(10) => tokio::time::sleep(Duration::from_millis(20)).await,
            other => break other,
        }
    };
    assert!(
        matches!(&refused, Err(Fault::Unauthorized(why)) if why.contains("503")),
        "{refused:?}"
    );
    tokens.answer(None);
    engine.demand_authorization("Bearer token-2");
    let recovered = async {
        while me.probe().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), recovered)
        .await
        .expect("it recovers by itself");
}

#[tokio::test]
async fn requests_at_once_share_one_refresh() {
    let (engine, tokens, secret) = (
        FakeEngine::start().await,
        TokenEndpoint::start().await,
        SecretFile::with(SECRET),
    );
    tokens.takes(Duration::from_millis(100));
    let me = connect(&engine.url(), &oauth2(&tokens.url(), &secret.path(), ""));
    for probed in join_all((0..50).map(|_| me.holder("a"))).await {
        probed.unwrap();
    }
    assert_eq!(tokens.calls().len(), 1);
    // All are refused with the token that was revoked, and one asks for another.
    engine.demand_authorization("Bearer token-2");
    for probed in join_all((0..50).map(|_| me.holder("a"))).await {
        probed.unwrap();
    }
    assert_eq!(tokens.calls().len(), 2);
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_request_sent_once_more() {
    let (engine, tokens, secret) = (
        FakeEngine::start().await,
        TokenEndpoint::start().await,
        SecretFile::with(SECRET),
    );
    engine.demand_authorization("Bearer token-2");
    let me = connect(&engine.url(), &oauth2(&tokens.url(), &secret.path(), ""));
    me.holder("a").await.unwrap();
    let shown: Vec<_> = engine
        .calls()
        .into_iter()
        .filter_map(|call| call.authorization)
        .collect();
    assert_eq!(shown, ["Bearer token-1", "Bearer token-2"]);

    // An engine that refuses every token is asked twice, and the endpoint not for every request.
    engine.demand(|_| false);
    let before = engine.calls().len();
    assert!(matches!(me.holder("a").await, Err(Fault::Unauthorized(_))));
    assert_eq!(engine.calls().len() - before, 2);
    for _ in 0..50 {
        assert!(matches!(me.holder("a").await, Err(Fault::Unauthorized(_))));
    }
    assert!(tokens.calls().len() <= 5, "{}", tokens.calls().len());
    assert!(engine.calls().len() - before <= 2 + 50 + 2);
}

#[tokio::test]
async fn a_dead_token_endpoint_is_an_error_of_the_poll_and_no_busy_loop() {
    let (engine, secret) = (FakeEngine::start().await, SecretFile::with(SECRET));
    // Nobody listens behind the wire, which counts who tries.
    let wire = crate::wire::Wire::to("127.0.0.1:1".parse().unwrap()).await;
    let more = oauth2(&format!("http://{}/token", wire.address), &secret.path(), "");
    let (host, _) = TestHost::with(&engine, &more, completing("w")).await;
    engine.add("a", "t");
    let status = host.host.status().clone();
    crate::support::until("readiness says what is missing", || {
        let readiness = status.readiness();
        !readiness.ready
            && readiness
                .problems
                .iter()
                .any(|problem| problem.contains("no token from"))
    })
    .await;
    // Nothing to await: this is about what does not happen.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(wire.accepted() <= 12, "{} attempts", wire.accepted());
    assert!(engine.calls().is_empty(), "without a token nothing is sent");

    let tokens = TokenEndpoint::start().await;
    wire.lead_to(tokens.address);
    let mended = Instant::now();
    engine.until_ended("a").await;
    assert!(mended.elapsed() < Duration::from_secs(10));
    crate::support::until("readiness says that it is well", || status.readiness().ready).await;
}

#[tokio::test]
async fn redirects_are_never_followed() {
    let thief = FakeEngine::start().await;
    let location = format!("{}/version", thief.url());
    for status in [301, 302, 303, 307, 308] {
        let engine = FakeEngine::start().await;
        let token = SecretFile::with("stolen");
        let more = format!("auth = {{ bearer-file = {:?} }}", token.path().display().to_string());
        engine.break_all(Some(Scripted::Redirect(status, location.clone())));
        let me = connect(&engine.url(), &more);
        let get = me.probe().await;
        let post = me.extend("a", Duration::from_secs(1)).await;
        for result in [get.map(drop), post] {
            assert!(
                matches!(&result, Err(Fault::Foreign(why)) if why.contains("redirects are not followed")),
                "{status} {result:?}"
            );
        }
        assert_eq!(engine.calls().len(), 2);
    }
    let (tokens, secret) = (TokenEndpoint::start().await, SecretFile::with(SECRET));
    tokens.answer(Some((302, location)));
    let me = connect(&thief.url(), &oauth2(&tokens.url(), &secret.path(), ""));
    assert!(matches!(me.probe().await, Err(Fault::Unauthorized(why)) if why.contains("redirects are not followed")));
    assert!(thief.calls().is_empty(), "{:?}", thief.calls());
}
