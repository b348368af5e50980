//! An engine of one's own, on a free port, with its database in a directory that goes with it.

use std::sync::Once;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use handoff_engine::config::Config;
use handoff_engine::rest::Server;
use handoff_engine::service::Engine;
use reqwest::{Client, Method, Response};
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A running engine, and a client of it.
pub(crate) struct TestServer {
    /// `http://127.0.0.1:port`
    pub(crate) origin: String,
    /// The client of all requests.
    pub(crate) client: Client,
    engine: Engine,
    stop: CancellationToken,
    served: JoinHandle<()>,
    _directory: TempDir,
}

/// An answer, read.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The content type, as it is sent.
    pub(crate) content_type: Option<String>,
    /// The body.
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON; null where it is none.
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The message of an error, which must have Camunda's three fields.
    pub(crate) fn refusal(&self) -> Result<(u16, String, String)> {
        let json = self.json();
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let kind = text("type").with_context(|| format!("no error: {self:?}"))?;
        let message = text("message").with_context(|| format!("no message: {self:?}"))?;
        ensure!(json.get("code").is_some(), "no code: {self:?}");
        ensure!(
            self.content_type.as_deref() == Some("application/json"),
            "content type: {self:?}"
        );
        Ok((self.status, kind, message))
    }
}

impl TestServer {
    /// An engine with the defaults.
    pub(crate) async fn start() -> Result<Self> {
        Self::start_with(|_| {}).await
    }

    /// An engine that is configured otherwise.
    pub(crate) async fn start_with(configure: impl FnOnce(&mut Config)) -> Result<Self> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Another test of this process may have been first.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let directory = tempfile::tempdir()?;
        let mut config = Config::new(directory.path());
        configure(&mut config);
        let engine = Engine::open(&config)?;
        let server = Server::bind(engine.clone(), &config).await?;
        let origin = format!("http://{}", server.local_addr());
        let stop = CancellationToken::new();
        let served = tokio::spawn(server.serve(stop.clone()));
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
        Ok(Self {
            origin,
            client,
            engine,
            stop,
            served,
            _directory: directory,
        })
    }

    /// Ends it, and waits for that.
    pub(crate) async fn stop(self) -> Result<()> {
        self.stop.cancel();
        self.engine.shutdown().await?;
        Ok(self.served.await?)
    }

    /// A resource's address.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/engine-rest{path}", self.origin)
    }

    /// A request with a JSON body.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Answer> {
        let mut request = self.client.request(method, self.url(path));
        if let Some(body) = body {
            request = request.json(body);
        }
        read(request.send().await?).await
    }

    /// `GET`
    pub(crate) async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, None).await
    }

    /// `POST`
    pub(crate) async fn post(&self, path: &str, body: &Json) -> Result<Answer> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// `POST` of a body as it is.
    pub(crate) async fn post_raw(
        &self,
        path: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> Result<Answer> {
        let request = self
            .client
            .post(self.url(path))
            .header("content-type", content_type)
            .body(body);
        read(request.send().await?).await
    }

    /// Deploys one file.
    pub(crate) async fn deploy(&self, name: &str, file: &str) -> Result<Answer> {
        let part = reqwest::multipart::Part::bytes(file.as_bytes().to_vec()).file_name(name.to_owned());
        let form = reqwest::multipart::Form::new()
            .text("deployment-name", "test")
            .part(name.to_owned(), part);
        read(
            self.client
                .post(self.url("/deployment/create"))
                .multipart(form)
                .send()
                .await?,
        )
        .await
    }

    /// Deploys one file, which must succeed.
    pub(crate) async fn deployed(&self, name: &str, file: &str) -> Result<()> {
        let answer = self.deploy(name, file).await?;
        ensure!(answer.status == 200, "{name} was not deployed: {answer:?}");
        Ok(())
    }
}

/// Reads an answer to its end.
pub(crate) async fn read(response: Response) -> Result<Answer> {
    let status = response.status().as_u16();
    let content_type = response
        .headers()
        .get("content-type")
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned);
    Ok(Answer {
        status,
        content_type,
        text: response.text().await?,
    })
}
