//! Requests through the hooks, against a listener on loopback.

use std::{path::Path, time::Duration};

use http_body_util::{Empty, Full};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::{capabilities::grants::Grants, config::OperatorPolicy, deadline::Deadline};

/// Answers one connection with `answer` and returns what was asked.
async fn server(answer: &'static str) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 16 << 10];
        let n = stream.read(&mut asked).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        if answer.is_empty() {
            // Half-open: connected, never answered.
            std::future::pending::<()>().await;
        }
        String::from_utf8_lossy(&asked[..n]).into_owned()
    });
    (port, serving)
}

fn hooks(grant: &str, deadline: Deadline) -> HttpHooks {
    let grants: Grants = toml::from_str(&format!("http = [\"{grant}\"]")).unwrap();
    let policy = OperatorPolicy {
        default_grants: grants.clone(),
        ..OperatorPolicy::default()
    };
    HttpHooks {
        caller: Arc::new(Caller {
            worker: "w".into(),
            version: "".into(),
            task: None,
            invocation: None,
            deadline,
            traceparent: None,
        }),
        grants: Arc::new(WorkerGrants::new("w", grants, Path::new("w.toml"), &policy)),
        client: Arc::default(),
        host: Handle::current(),
    }
}

async fn send(grant: &str, uri: &str, deadline: Deadline) -> Result<(u16, String), Error> {
    let body = boxed(Empty::new().map_err(|never: std::convert::Infallible| match never {}));
    let host = uri.parse::<Uri>().unwrap().authority().unwrap().to_string();
    let request = Request::get(uri).header("host", host).body(body).unwrap();
    let sent = hooks(grant, deadline).send_request(request, None, Box::new(async { Ok(()) }));
    let (response, io) = Box::into_pin(sent).await?;
    let io = tokio::spawn(Box::into_pin(io));
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    io.await.unwrap()?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";

#[tokio::test]
async fn a_granted_request_arrives_in_origin_form() {
    let (port, serving) = server(OK).await;
    let url = format!("http://127.0.0.1:{port}");
    assert_eq!(
        send(&url, &format!("{url}/a?b=c"), soon()).await.unwrap(),
        (200, "hi".to_owned())
    );
    let asked = serving.await.unwrap();
    assert!(asked.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: 127.0.0.1:{port}")), "{asked}");
}

#[tokio::test]
async fn what_is_not_granted_is_denied_before_anything_is_resolved() {
    let result = send("https://api.example.com:443", "https://other.invalid/", soon()).await;
    assert!(matches!(result, Err(Error::HttpRequestDenied)), "{result:?}");
}

#[tokio::test]
async fn a_name_that_leads_to_loopback_is_refused_unless_host_and_port_are_named() {
    let (port, serving) = server(OK).await;
    let url = format!("http://localhost:{port}/");
    let result = send("*", &url, soon()).await;
    assert!(matches!(result, Err(Error::DestinationIpProhibited)), "{result:?}");
    assert_eq!(
        send(&format!("http://localhost:{port}"), &url, soon()).await.unwrap().0,
        200
    );
    serving.await.unwrap();
}

#[tokio::test]
async fn a_redirect_is_the_workers_to_follow() {
    let (port, serving) = server(
        "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    )
    .await;
    let url = format!("http://127.0.0.1:{port}");
    assert_eq!(send(&url, &url, soon()).await.unwrap().0, 302);
    serving.await.unwrap();
}

#[tokio::test]
async fn a_server_that_never_answers_is_not_waited_for_beyond_the_deadline() {
    let (port, serving) = server("").await;
    let url = format!("http://127.0.0.1:{port}");
    let result = send(&url, &url, Deadline::after(Duration::from_millis(50))).await;
    assert!(matches!(result, Err(Error::ConnectionReadTimeout)), "{result:?}");
    serving.abort();
}

#[tokio::test]
async fn a_body_of_a_denied_request_is_read_away() {
    let (sent, received) = tokio::sync::oneshot::channel();
    let body = Full::new(Bytes::from_static(b"much")).map_err(|never: std::convert::Infallible| match never {});
    let observed = Observed {
        body: boxed(body),
        sent: Some(sent),
    };
    let request = Request::post("https://other.invalid/").body(boxed(observed)).unwrap();
    let result =
        Box::into_pin(hooks("https://a:443", soon()).send_request(request, None, Box::new(async { Ok(()) }))).await;
    assert!(matches!(result, Err(Error::HttpRequestDenied)));
    received.await.expect("the body is read to its end");
}

/// A body that says when it was read to its end.
struct Observed {
    body: WasiBody,
    sent: Option<tokio::sync::oneshot::Sender<()>>,
}

impl http_body::Body for Observed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Error>>> {
        let frame = std::task::ready!(std::pin::Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none()
            && let Some(sent) = self.sent.take()
        {
            let _ = sent.send(());
        }
        std::task::Poll::Ready(frame)
    }
}

fn target(uri: &str) -> Result<Target, String> {
    Target::of(&uri.parse().unwrap()).map_err(|e| e.to_string())
}

#[test]
fn the_target_is_what_is_connected_to() {
    let expect = |scheme, host: &str, port| {
        Ok(Target {
            scheme,
            host: host.to_owned(),
            port,
        })
    };
    assert_eq!(
        target("https://API.example.com/x"),
        expect("https", "api.example.com", 443)
    );
    assert_eq!(target("http://a:8080"), expect("http", "a", 8080));
    assert_eq!(target("http://[::1]:80/"), expect("http", "::1", 80));
    assert_eq!(target("http://[::1]/"), expect("http", "::1", 80));
}

#[test]
fn ambiguous_authorities_are_refused() {
    assert!(target("http://user@a/").is_err());
    assert!(target("/path").is_err());
}
