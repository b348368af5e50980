//! What takes a language and its libraries to misbehave: the worker `controls/misbehave`.

use std::{net::SocketAddr, time::Duration};

use handoff_runtime::{
    CallError, CallErrorKind, OperatorPolicy, SecretSource,
    wit::types::{Failure, Outcome, Value},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

use crate::support::*;

const SECRET: &str = "tops3cret\\\"quoted\"";

struct Misbehaving {
    folder: Folder,
    _secrets: TempDir,
}

impl Misbehaving {
    async fn with_http(http: &[String]) -> Self {
        let secrets = tempfile::tempdir().unwrap();
        let file = secrets.path().join("token");
        std::fs::write(&file, SECRET).unwrap();
        let grants = format!("http = {http:?}\nsecrets = [\"token\"]\ntasks = [\"order\"]\n");
        let policy = OperatorPolicy {
            default_grants: toml::from_str(&grants).unwrap(),
            secrets: [("token".to_owned(), SecretSource::File(file))].into(),
            file: "handoff.toml".into(),
            ..OperatorPolicy::default()
        };
        let manifest = format!("{}[grants]\n{grants}", manifest("w"));
        let component = built_worker("controls/misbehave");
        Self {
            folder: Folder::open_with(&[("w", &component, &manifest)], config(), policy).await,
            _secrets: secrets,
        }
    }

    async fn does(&self, what: &str, url: &str) -> Result<Outcome, CallError> {
        let task = task(vec![text("do", what), text("url", url)]);
        self.folder
            .worker("w")
            .handle(task, within(Duration::from_secs(20)))
            .await
    }

    async fn call_fails(&self, url: &str) -> String {
        match self.does("call", url).await.unwrap() {
            Outcome::Failure(Failure { message, .. }) => message,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_told_in_its_own_words() {
    let error = Misbehaving::with_http(&[]).await.does("panic", "").await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Trap);
    assert!(
        error.message.contains("panicked") && error.message.contains("the stock of a warehouse cannot be negative"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_told_reaches_nobody() {
    let misbehaving = Misbehaving::with_http(&[]).await;
    let shows = |told: &dyn std::fmt::Debug| format!("{told:?}").contains("tops3cret");

    let outcome = misbehaving.does("tell-a-secret-in-a-failure", "").await.unwrap();
    let Outcome::Failure(failure) = &outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.message, "cannot log in with ***");
    assert!(!shows(&outcome), "{outcome:?}");

    let outcome = misbehaving.does("tell-a-secret-in-an-error", "").await.unwrap();
    let Outcome::BpmnError(error) = &outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(error.message.as_deref(), Some("not with ***"));

    let error = misbehaving.does("tell-a-secret-in-a-panic", "").await.unwrap_err();
    assert!(
        error.message.contains("cannot log in with ***") && !shows(&error),
        "{error:?}"
    );
    // It was logged before, as a field and as text.
    assert!(
        error.log_tail.iter().any(|line| line.contains("the secret is ***")),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_granted_is_not_called() {
    let (address, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let misbehaving = Misbehaving::with_http(&["http://api.example.com:80".to_owned()]).await;
    let message = misbehaving.call_fails(&format!("http://{address}/")).await;
    assert!(message.contains("HttpRequestDenied"), "{message}");
    assert!(!asked.is_finished());
    asked.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_to_a_private_address_is_not_called() {
    let (address, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let misbehaving = Misbehaving::with_http(&["*".to_owned()]).await;
    let message = misbehaving
        .call_fails(&format!("http://localhost:{}/", address.port()))
        .await;
    assert!(message.contains("DestinationIpProhibited"), "{message}");
    assert!(!asked.is_finished());
    asked.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_leads_nowhere() {
    let (forbidden, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: http://{forbidden}/\r\ncontent-length: 0\r\n\r\n");
    let (address, redirecting) = server(&redirect).await;
    let misbehaving = Misbehaving::with_http(&[format!("http://{address}")]).await;
    let outcome = misbehaving.does("call", &format!("http://{address}/")).await.unwrap();
    let Outcome::Complete(completion) = &outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        completion.variables[0].value,
        Value::Integer(302),
        "the worker's to decide"
    );
    redirecting.await.unwrap();
    // Neither by itself nor by asking anew, which is not granted.
    let message = misbehaving.call_fails(&format!("http://{forbidden}/")).await;
    assert!(message.contains("HttpRequestDenied"), "{message}");
    assert!(!asked.is_finished());
    asked.abort();
}

/// A server that answers one request; the task ends when it has.
async fn server(answer: &str) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = answer.to_owned();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let _ = stream.read(&mut asked).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    (address, serving)
}
