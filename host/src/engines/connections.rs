//! Connections to one server: own timeouts, no redirects, no proxies of the environment.
//!
//! Connections that are kept open go bad together, when a firewall or a restart forgets them, and each would cost a
//! request its time. So one that is found bad has all of them replaced. Certificates are looked at again too: those
//! that were rotated are used without a restart.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, header::ACCEPT};
use parking_lot::Mutex;
use rustls::ClientConfig;

use super::{
    Fault,
    tls::{Material, client_config},
};
use crate::config::{EngineConfig, OAuth2, TlsConfig};

const TCP_KEEPALIVE: Duration = Duration::from_secs(15);
const POOL_IDLE: Duration = Duration::from_secs(60);
/// Connections are replaced at most that often.
const REPLACED_EVERY: Duration = Duration::from_secs(1);
/// Certificates are looked at again after this long.
const CERTIFICATES_EVERY: Duration = Duration::from_secs(10);

/// Makes connections, and knows which to trust.
#[derive(Debug)]
pub(super) struct Connections {
    connect_timeout: Duration,
    headers: HeaderMap,
    tls: TlsConfig,
    plain: bool,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    http: reqwest::Client,
    tls: Arc<ClientConfig>,
    material: Material,
    made: Instant,
    looked: Instant,
}

impl Connections {
    /// To an engine, with the headers that its configuration adds.
    pub(super) fn to_engine(config: &EngineConfig) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"));
        for (name, value) in &config.headers {
            let header = HeaderName::try_from(name).map_err(|_| format!("headers: `{name}` is no header's name"))?;
            let mut value = HeaderValue::try_from(value.expose())
                .map_err(|_| format!("headers: the value of `{name}` is not allowed"))?;
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        Self::new(config, &config.tls, headers, config.url.starts_with("http://"))
    }

    /// To the token endpoint that an engine's configuration names.
    pub(super) fn to_token_endpoint(config: &EngineConfig, endpoint: &OAuth2) -> Result<Self, String> {
        let tls = endpoint.tls.as_ref().unwrap_or(&config.tls);
        Self::new(config, tls, HeaderMap::new(), endpoint.token_url.starts_with("http://"))
    }

    fn new(config: &EngineConfig, files: &TlsConfig, headers: HeaderMap, plain: bool) -> Result<Self, String> {
        let now = Instant::now();
        let material = Material::read(files)?;
        let tls = Arc::new(client_config(files, plain)?);
        let http = build(config.connect_timeout(), headers.clone(), &tls)?;
        Ok(Self {
            connect_timeout: config.connect_timeout(),
            headers,
            tls: files.clone(),
            plain,
            current: Mutex::new(Current {
                http,
                tls,
                material,
                made: now,
                looked: now,
            }),
        })
    }

    /// A client with connections that are thought to be good.
    pub(super) fn client(&self) -> reqwest::Client {
        let mut current = self.current.lock();
        if self.tls.files().next().is_some() && current.looked.elapsed() >= CERTIFICATES_EVERY {
            self.look_at_certificates(&mut current);
        }
        current.http.clone()
    }

    /// A connection turned out to be bad: requests that are yet to be sent use new ones.
    pub(super) fn suspect(&self) {
        let mut current = self.current.lock();
        if current.made.elapsed() < REPLACED_EVERY {
            return;
        }
        self.look_at_certificates(&mut current);
        match build(self.connect_timeout, self.headers.clone(), &current.tls) {
            Ok(http) => (current.http, current.made) = (http, Instant::now()),
            Err(reason) => tracing::warn!(reason, "connections cannot be replaced"),
        }
    }

    /// Takes over certificates that were rotated. What cannot be used, such as half of a file, changes nothing.
    fn look_at_certificates(&self, current: &mut Current) {
        current.looked = Instant::now();
        if self.tls.files().next().is_none() {
            return;
        }
        let renewed = Material::read(&self.tls).and_then(|material| {
            if material == current.material {
                return Ok(None);
            }
            let tls = Arc::new(client_config(&self.tls, self.plain)?);
            let http = build(self.connect_timeout, self.headers.clone(), &tls)?;
            Ok(Some((material, tls, http)))
        });
        match renewed {
            Ok(None) => {}
            Ok(Some((material, tls, http))) => {
                tracing::info!("certificates have changed and are used from now on");
                (current.material, current.tls, current.http) = (material, tls, http);
                current.made = current.looked;
            }
            Err(reason) => tracing::warn!(reason, "certificates have changed but cannot be used; the old ones are"),
        }
    }
}

fn build(connect_timeout: Duration, headers: HeaderMap, tls: &ClientConfig) -> Result<reqwest::Client, String> {
    builder(connect_timeout, headers, tls)
        .build()
        .map_err(|error| format!("cannot set up HTTP: {}", cause(&error)))
}

fn builder(connect_timeout: Duration, headers: HeaderMap, tls: &ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(connect_timeout)
        .tcp_keepalive(TCP_KEEPALIVE)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(TCP_KEEPALIVE)
        .http2_keep_alive_while_idle(true)
        .pool_idle_timeout(POOL_IDLE)
        .no_proxy()
        .user_agent(concat!("handoff-host/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
}

/// Reads a body to its end.
pub(super) async fn read_body(answer: reqwest::Response, max_bytes: u64, timeout: Duration) -> Result<Bytes, Fault> {
    if answer.content_length().is_some_and(|length| length > max_bytes) {
        return Err(too_large(max_bytes));
    }
    match read_beginning(answer, max_bytes, timeout).await? {
        (body, None) => Ok(body),
        (_, Some(fault)) => Err(fault),
    }
}

/// Reads a body, but no more of it than so many bytes; with a fault if there were more.
pub(super) async fn read_beginning(
    mut answer: reqwest::Response,
    max_bytes: u64,
    timeout: Duration,
) -> Result<(Bytes, Option<Fault>), Fault> {
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| fault(&error, timeout))? {
        let room = max_bytes.saturating_sub(body.len() as u64);
        if chunk.len() as u64 > room {
            let fits = usize::try_from(room).unwrap_or(usize::MAX).min(chunk.len());
            body.extend_from_slice(&chunk[..fits]);
            return Ok((body.freeze(), Some(too_large(max_bytes))));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), None))
}

fn too_large(max_bytes: u64) -> Fault {
    Fault::TooLarge(format!("the answer is larger than {max_bytes} bytes"))
}

/// What a failure of the connection means. `timeout` is the time that the request had.
pub(super) fn fault(error: &reqwest::Error, timeout: Duration) -> Fault {
    if error.is_connect() {
        Fault::Unreachable(cause(error))
    } else if error.is_timeout() {
        Fault::TimedOut(timeout)
    } else {
        Fault::Interrupted(cause(error))
    }
}

/// The innermost cause: `reqwest` itself says only "error sending request".
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::{
        net::SocketAddr,
        sync::atomic::{AtomicBool, Ordering},
    };

    use reqwest::dns::{Addrs, Name, Resolve, Resolving};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// Knows no name until it is mended.
    #[derive(Default)]
    struct Names {
        mended: AtomicBool,
    }

    impl Resolve for Names {
        fn resolve(&self, _: Name) -> Resolving {
            let mended = self.mended.load(Ordering::SeqCst);
            Box::pin(async move {
                if !mended {
                    return Err("no such name".into());
                }
                let addresses: Addrs = Box::new([SocketAddr::from(([127, 0, 0, 1], 0))].into_iter());
                Ok(addresses)
            })
        }
    }

    #[tokio::test]
    async fn a_name_that_could_not_be_resolved_is_looked_up_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://engine.example:{}/", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        });
        let names = Arc::new(Names::default());
        let tls = client_config(&TlsConfig::default(), true).unwrap();
        let http = builder(Duration::from_secs(5), HeaderMap::new(), &tls)
            .dns_resolver(names.clone())
            .build()
            .unwrap();
        let failed = fault(&http.get(&url).send().await.unwrap_err(), Duration::from_secs(5));
        assert_eq!(failed, Fault::Unreachable("no such name".into()), "nothing was sent");
        names.mended.store(true, Ordering::SeqCst);
        assert_eq!(http.get(&url).send().await.unwrap().status(), 204);
    }
}
