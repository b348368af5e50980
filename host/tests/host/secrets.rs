//! What the host shows an engine is shown to nobody else, also where engines and endpoints repeat it.

use std::{
    io,
    sync::{Arc, Mutex},
};

use handoff_host::engines::Engine as _;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    auth::{SecretFile, connect},
    fake_engine::{FakeEngine, Fault},
    support::{TestHost, completing, until},
    token_endpoint::{SECRET, TokenEndpoint, oauth2},
};

/// Everything that is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

#[tokio::test]
async fn secrets_are_in_no_log_and_in_no_error() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let (engine, tokens) = (FakeEngine::start().await, TokenEndpoint::start().await);
    let (client, key) = (SecretFile::with(SECRET), SecretFile::with("the-api-key"));
    let more = format!(
        "secret-headers = {{ X-Api-Key = {{ file = {:?} }} }}\n{}",
        key.path().display().to_string(),
        oauth2(&tokens.url(), &client.path(), ", client-auth = \"form\"")
    );
    let mut shown = Vec::new();

    // A token endpoint that repeats what it was sent.
    tokens.answer(Some((
        400,
        serde_json::json!({ "error": "invalid_client", "error_description": format!("is {SECRET} your secret?") })
            .to_string(),
    )));
    shown.push(connect(&engine.url(), &more).probe().await.unwrap_err().to_string());
    tokens.answer(Some((500, format!("<html>client_secret={SECRET}</html>"))));
    shown.push(connect(&engine.url(), &more).probe().await.unwrap_err().to_string());
    tokens.answer(None);

    // An engine that does: as a refusal, as an error of its own, as an error page, as a page instead of an answer.
    let (host, _) = TestHost::with(&engine, &more, completing("w")).await;
    let status = host.host.status().clone();
    let me = connect(&engine.url(), &more);
    for (code, in_json) in [
        (401, false),
        (400, true),
        (404, true),
        (500, true),
        (500, false),
        (200, false),
        (503, false),
    ] {
        engine.break_all(Some(Fault::Echo(code, in_json)));
        let fault = me.probe().await.unwrap_err().to_string();
        assert!(fault.contains("You sent"), "{fault}");
        shown.push(fault);
        let said = format!("{code}");
        until("the host tells of it", || {
            status
                .readiness()
                .problems
                .iter()
                .any(|problem| problem.contains(&said) || problem.contains("You sent"))
        })
        .await;
        shown.push(format!("{:?}", status.readiness()));
    }
    engine.break_all(None);
    engine.add("a", "t");
    engine.until_ended("a").await;
    host.stop(1_000).await;

    shown.push(format!("{me:?}"));
    shown.push(log.text());
    assert!(log.text().contains("the engine does not answer"), "the log is captured");
    for text in &shown {
        for secret in [SECRET, "the-api-key", "token-1", "token-2"] {
            let place = text
                .find(secret)
                .map(|at| &text[at.saturating_sub(300)..(at + 100).min(text.len())]);
            assert_eq!(place, None, "{secret}");
        }
    }
}
