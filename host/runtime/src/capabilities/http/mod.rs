//! Outbound `wasi:http`, to what is granted.
//!
//! A host's name is resolved once, every address is checked, and the connection goes to a checked address: a name whose
//! answer changes between check and use gains nothing. Redirects are not followed; the worker sees them and asks anew.

mod client;
pub(crate) mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, Uri, uri::Scheme};
use http_body_util::BodyExt;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

pub(crate) use client::HttpClient;

use super::{Caller, grants::WorkerGrants};
use crate::state::Run;

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(Response<WasiBody>, Io), Error>;

/// The requests of one call.
pub(crate) struct HttpHooks {
    caller: Arc<Caller>,
    grants: Arc<WorkerGrants>,
    client: Arc<HttpClient>,
    host: Handle,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) scheme: &'static str,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl HttpHooks {
    pub(crate) fn new(run: &Run) -> Self {
        Self {
            caller: run.caller.clone(),
            grants: run.grants.clone(),
            client: run.http.clone(),
            host: run.host.clone(),
        }
    }
}

impl Target {
    fn of(uri: &Uri) -> Result<Self, Error> {
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        // A user in the authority is never sent, so a worker that writes one is mistaken or probing.
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(Error::HttpRequestUriInvalid);
        }
        let (scheme, default_port) = if uri.scheme() == Some(&Scheme::HTTP) {
            ("http", 80)
        } else {
            ("https", 443)
        };
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None if authority.as_str() == authority.host() => default_port,
            None => return Err(Error::HttpRequestUriInvalid),
        };
        Ok(Self {
            scheme,
            host: rules::normalise_host(authority.host()),
            port,
        })
    }
}

impl WasiHttpHooks for HttpHooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _result: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let target = match Target::of(request.uri()) {
            Ok(_) if request.method() == Method::CONNECT => Err(Error::HttpRequestMethodInvalid),
            Ok(target) => Ok(target),
            Err(error) => Err(error),
        };
        let granted =
            target.and_then(
                |target| match self.grants.check_http(target.scheme, &target.host, target.port) {
                    Ok(permit) => Ok((target, permit)),
                    Err(_) => Err(Error::HttpRequestDenied),
                },
            );
        let (caller, grants, client) = (self.caller.clone(), self.grants.clone(), self.client.clone());
        // On the embedder's runtime, so that no guest can starve the connection.
        let sending = match granted {
            Ok((target, permit)) => AbortOnDropHandle::new(self.host.spawn(async move {
                client
                    .send(request, options, &target, permit, &grants, &caller.deadline)
                    .await
            })),
            Err(error) => {
                drain(&self.host, request.into_body());
                return Box::new(async move { Err(error) });
            }
        };
        Box::new(async move {
            sending
                .await
                .unwrap_or_else(|_| Err(Error::InternalError(Some("the host failed".to_owned()))))
        })
    }
}

/// Reads a body that is not sent, so that a guest that writes it before it looks at the answer gets to the answer. It
/// ends with the call at the latest, which holds the other end.
fn drain(host: &Handle, mut body: WasiBody) {
    host.spawn(async move { while let Some(Ok(_)) = body.frame().await {} });
}

/// A body as the guest reads it.
pub(crate) fn boxed<B>(body: B) -> WasiBody
where
    B: http_body::Body<Data = Bytes, Error = Error> + Send + 'static,
{
    body.boxed_unsync()
}
