//! Who may do what (F8 of the design): credentials, hosts, origins.

use anyhow::Result;
use handoff_engine::rest::{ServeError, Server};
use handoff_engine::{Config, Engine};
use reqwest::header::{HOST, ORIGIN, WWW_AUTHENTICATE};

use super::server::{TestServer, read};

#[tokio::test]
async fn without_an_auth_file_credentials_mean_nothing() -> Result<()> {
    let server = TestServer::start().await?;
    for request in [
        server.client.get(server.url("/engine")).basic_auth("", Some("")),
        server.client.get(server.url("/engine")).basic_auth("who", Some("ever")),
        server.client.get(server.url("/engine")).bearer_auth("x"),
    ] {
        assert_eq!(request.send().await?.status(), 200);
    }
    server.stop().await
}

#[tokio::test]
async fn with_an_auth_file_only_who_is_known_is_let_in() -> Result<()> {
    let secrets = tempfile::tempdir()?;
    let file = secrets.path().join("auth.toml");
    std::fs::write(secrets.path().join("token"), "t0ken\n")?;
    std::fs::write(secrets.path().join("password"), "pass:word\n")?;
    std::fs::write(
        &file,
        "[[users]]\nname = 'ann'\npassword-file = 'password'\n[[tokens]]\nname = 'host'\ntoken-file = 'token'\n",
    )?;
    let server = TestServer::start_with(|config| config.auth_file = Some(file)).await?;
    let get = || server.client.get(server.url("/engine"));
    let response = get().send().await?;
    assert!(response.headers().contains_key(WWW_AUTHENTICATE), "{response:?}");
    assert_eq!(read(response).await?.refusal()?.0, 401);
    for (request, status) in [
        (get().basic_auth("ann", Some("pass:word")), 200),
        (get().basic_auth("ann", Some("pass")), 401),
        (get().basic_auth("", None::<&str>), 401),
        (get().bearer_auth("t0ken"), 200),
        (get().bearer_auth("t0ke"), 401),
        (server.client.get(format!("{}/metrics", server.origin)), 401),
        (
            server.client.post(server.url("/message")).json(&serde_json::json!({})),
            401,
        ),
    ] {
        assert_eq!(request.send().await?.status(), status);
    }
    server.stop().await
}

#[tokio::test]
async fn a_page_of_another_site_gets_nothing() -> Result<()> {
    let server = TestServer::start_with(|config| config.allowed_hosts = vec!["engine.test".into()]).await?;
    let port = server.origin.rsplit(':').next().unwrap_or_default().to_owned();
    let get = || server.client.get(server.url("/engine"));
    for (request, status) in [
        (get().header(HOST, "evil.example"), 421),
        (get().header(HOST, format!("evil.example:{port}")), 421),
        (get().header(HOST, "localhost"), 200),
        (get().header(HOST, "engine.test"), 200),
        (get().header(ORIGIN, "http://evil.example"), 403),
        (get().header(ORIGIN, "null"), 403),
        (get().header(ORIGIN, server.origin.clone()), 200),
    ] {
        let answer = read(request.send().await?).await?;
        assert_eq!(answer.status, status, "{answer:?}");
        if status != 200 {
            answer.refusal()?;
        }
    }
    server.stop().await
}

#[tokio::test]
async fn an_open_address_needs_authentication_or_a_word() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut config = Config::new(directory.path());
    let engine = Engine::open(&config)?;
    config.listen = ([0, 0, 0, 0], 0).into();
    let refused = Server::bind(engine.clone(), &config).await;
    let error = refused
        .err()
        .map(|error| (matches!(error, ServeError::Open(_)), error.to_string()));
    let (open, message) = error.unwrap_or_default();
    assert!(
        open && message.contains("--auth-file") && message.contains("--insecure"),
        "{message}"
    );
    config.insecure = true;
    assert!(Server::bind(engine.clone(), &config).await.is_ok());
    engine.shutdown().await?;
    Ok(())
}
