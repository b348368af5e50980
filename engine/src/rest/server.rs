//! The listener: TCP or TLS, HTTP/1.1 and HTTP/2, and a stop that lets open requests end.
//!
//! Invariant: without authentication only loopback addresses are listened on, unless `--insecure` is said.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::auth::AuthError;
use super::router;
use crate::config::{Config, TlsFiles};
use crate::service::Engine;

/// The most connections at a time; more wait to be accepted.
const CONNECTIONS_MAX: usize = 20_000;
/// How long a client may take for the head of a request, and a TLS handshake.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Why the REST could not be served. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Anyone could use the engine.
    #[error(
        "{0} can be reached from other machines, and nobody would have to say who they are: configure --auth-file, \
         listen on a loopback address, or say --insecure if the network itself is trusted"
    )]
    Open(SocketAddr),
    /// The address cannot be had.
    #[error("{address} cannot be listened on: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The file of users and tokens.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The certificate or key.
    #[error("TLS cannot be served with {certificate} and {key}: {reason}")]
    Tls {
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
        /// Why.
        reason: String,
    },
}

/// A bound listener that is not yet served.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    tls: Option<TlsAcceptor>,
    grace: Duration,
}

impl Server {
    /// Binds the address of the configuration.
    ///
    /// # Errors
    /// See [`ServeError`].
    pub async fn bind(engine: Engine, config: &Config) -> Result<Self, ServeError> {
        if !config.listen.ip().is_loopback() && config.auth_file.is_none() && !config.insecure {
            return Err(ServeError::Open(config.listen));
        }
        let router = router(engine, config)?;
        let tls = config.tls.as_ref().map(acceptor).transpose()?;
        let failed = |source| ServeError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            address,
            router,
            tls,
            grace: config.limits.shutdown_grace,
        })
    }

    /// Where it listens: the port that was found where 0 was asked for.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`; then no connection is accepted any more, and open requests have the configured time.
    pub async fn serve(self, stop: CancellationToken) {
        let Self {
            listener,
            router,
            tls,
            grace,
            ..
        } = self;
        let connections = TaskTracker::new();
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let (drain, cut) = (stop.clone(), CancellationToken::new());
        loop {
            let permit = tokio::select! {
                () = stop.cancelled() => break,
                permit = Arc::clone(&permits).acquire_owned() => permit,
            };
            let stream = tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        // Out of descriptors, most likely: without a pause the loop would spin on it.
                        tracing::warn!(error = &error as &dyn std::error::Error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
            };
            let (router, tls, drain, cut) = (router.clone(), tls.clone(), drain.clone(), cut.clone());
            connections.spawn(async move {
                let _permit = permit;
                tokio::select! {
                    () = cut.cancelled() => {}
                    () = connection(stream, router, tls, drain) => {}
                }
            });
        }
        drop(listener);
        connections.close();
        if tokio::time::timeout(grace, connections.wait()).await.is_err() {
            tracing::warn!(
                connections = connections.len(),
                "closing connections that did not end in time"
            );
            cut.cancel();
            connections.wait().await;
        }
    }
}

async fn connection(stream: TcpStream, router: Router, tls: Option<TlsAcceptor>, drain: CancellationToken) {
    // Answers are small and wanted at once.
    let _ = stream.set_nodelay(true);
    match tls {
        None => http(stream, router, drain).await,
        Some(tls) => match tokio::time::timeout(HEAD_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => http(stream, router, drain).await,
            Ok(Err(error)) => tracing::debug!(error = &error as &dyn std::error::Error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        },
    }
}

async fn http<S>(stream: S, router: Router, drain: CancellationToken)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(1000);
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = drain.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection ended early");
    }
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ServeError> {
    let refuse = |reason: String| ServeError::Tls {
        certificate: files.certificate.display().to_string(),
        key: files.key.display().to_string(),
        reason,
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refuse(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| refuse(error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refuse(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| refuse(error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
