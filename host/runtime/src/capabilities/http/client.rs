//! Sends a request that was granted: resolve, check, connect, and no further than the run's deadline.

use std::{
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Uri};
use http_body::{Body, Frame, SizeHint};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::{Instant, Sleep, timeout},
};
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::{Sent, Target, boxed, rules};
use crate::{
    capabilities::grants::{HttpPermit, WorkerGrants},
    deadline::Deadline,
};

/// How long a connection may take to be made, where the worker does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for the answer to begin and between two parts of it, where the worker does not say.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 4;

/// What all requests share: the trust in certificates, loaded when it is first needed.
#[derive(Default)]
pub(crate) struct HttpClient {
    tls: OnceLock<Result<Arc<rustls::ClientConfig>, String>>,
}

impl HttpClient {
    pub(super) async fn send(
        &self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        target: &Target,
        permit: HttpPermit,
        grants: &WorkerGrants,
        deadline: &Deadline,
    ) -> Sent {
        let options = options.unwrap_or_default();
        // Not longer than the run has left, so that the worker can still tell what went wrong.
        let clamp = |asked: Option<Duration>, default: Duration| asked.unwrap_or(default).min(deadline.remaining());

        let connecting = self.connect(target, permit, grants);
        let stream = timeout(clamp(options.connect_timeout, CONNECT_TIMEOUT), connecting)
            .await
            .map_err(|_| Error::ConnectionTimeout)??;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = AbortOnDropHandle::new(tokio::spawn(connection));

        let sending = sender.send_request(in_origin_form(request)?);
        let response = timeout(clamp(options.first_byte_timeout, READ_TIMEOUT), sending)
            .await
            .map_err(|_| Error::ConnectionReadTimeout)??;
        let idle = clamp(options.between_bytes_timeout, READ_TIMEOUT);
        let response = response.map(|body| boxed(TimedBody::new(body, idle)));
        let io = async move {
            match connection.await {
                Ok(result) => result.map_err(Error::from),
                Err(_) => Err(Error::ConnectionTerminated),
            }
        };
        Ok((response, Box::new(io)))
    }

    async fn connect(
        &self,
        target: &Target,
        permit: HttpPermit,
        grants: &WorkerGrants,
    ) -> Result<Box<dyn Stream>, Error> {
        let addresses = resolve(target).await?;
        let allowed: Vec<SocketAddr> = addresses
            .into_iter()
            .filter(|address| permit.private || rules::is_public(address.ip()))
            .take(MAX_ADDRESSES)
            .collect();
        if allowed.is_empty() {
            // The denial is logged with its remedy; the guest learns the kind of refusal.
            let _ = grants.private_address(target.scheme, &target.host, target.port);
            return Err(Error::DestinationIpProhibited);
        }
        let mut failure = Error::DestinationNotFound;
        for address in allowed {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(Error::Connect)?;
                    return self.secure(target, stream).await;
                }
                Err(error) => failure = Error::Connect(error),
            }
        }
        Err(failure)
    }

    async fn secure(&self, target: &Target, stream: TcpStream) -> Result<Box<dyn Stream>, Error> {
        if target.scheme == "http" {
            return Ok(Box::new(stream));
        }
        let config = self
            .tls
            .get_or_init(tls_config)
            .clone()
            .map_err(|reason| Error::InternalError(Some(reason)))?;
        let name = ServerName::try_from(target.host.clone()).map_err(|_| Error::HttpRequestUriInvalid)?;
        let stream = TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(Error::Tls)?;
        Ok(Box::new(stream))
    }
}

/// The system's trusted roots, with the crypto provider named explicitly: the process may have installed none.
fn tls_config() -> Result<Arc<rustls::ClientConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| format!("cannot set up TLS: {error}"))?
        .with_no_client_auth();
    Ok(Arc::new(config))
}

async fn resolve(target: &Target) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(ip) = target.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, target.port)]);
    }
    match lookup_host((target.host.as_str(), target.port)).await {
        Ok(addresses) => Ok(addresses.collect()),
        Err(error) => Err(Error::DnsError {
            rcode: Some(error.to_string()),
            info_code: None,
        }),
    }
}

/// What a server expects in the request line: the path without scheme and authority.
fn in_origin_form(mut request: Request<WasiBody>) -> Result<Request<WasiBody>, Error> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = Uri::try_from(path).map_err(|_| Error::HttpRequestUriInvalid)?;
    Ok(request)
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A response's body that fails when nothing arrives for too long.
struct TimedBody {
    body: Incoming,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
}

impl TimedBody {
    fn new(body: Incoming, idle: Duration) -> Self {
        Self {
            body,
            idle,
            timer: Box::pin(tokio::time::sleep(idle)),
        }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            let next = Instant::now() + self.idle;
            self.timer.as_mut().reset(next);
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        }
        ready!(self.timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
