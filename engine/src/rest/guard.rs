//! A guard against other people's web pages (F8 of the design): a browser on this machine can reach a loopback port
//! for any page that it shows.
//!
//! `Host` must name this server, else the page's own domain has been pointed at it (DNS rebinding). `Origin`, which
//! browsers send and programs do not, must be this server itself.

use std::net::IpAddr;

use axum::extract::Request;
use http::{HeaderMap, StatusCode, Uri, header};

use super::error::{RestError, Result};

/// Which names this server answers to.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// Listening on loopback addresses only.
    loopback: bool,
    /// Names beside IP addresses and `localhost`, in lower case.
    allowed: Vec<String>,
}

impl Guard {
    /// A guard for a listener. Names are compared without their case.
    pub(crate) fn new(loopback: bool, allowed: &[String]) -> Self {
        Self {
            loopback,
            allowed: allowed.iter().map(|name| name.to_ascii_lowercase()).collect(),
        }
    }

    /// Lets a request through, or not.
    ///
    /// # Errors
    /// 400 without a host, 421 for another one's, 403 for a page of another origin.
    pub(crate) fn check(&self, request: &Request) -> Result<()> {
        let authority = authority(request.headers(), request.uri())
            .ok_or_else(|| RestError::new(StatusCode::BAD_REQUEST, "RestException", "The request names no host"))?;
        let host = host_of(authority);
        if !self.is_ours(&host) {
            let message = format!("This server is not '{host}': start it with --allowed-host {host} if it is");
            return Err(RestError::new(
                StatusCode::MISDIRECTED_REQUEST,
                "RestException",
                message,
            ));
        }
        match request.headers().get(header::ORIGIN) {
            None => Ok(()),
            Some(origin) if origin.to_str().is_ok_and(|origin| is_same(origin, authority)) => Ok(()),
            Some(_) => {
                let message = "Pages of another origin may not use this server";
                Err(RestError::new(StatusCode::FORBIDDEN, "RestException", message))
            }
        }
    }

    fn is_ours(&self, host: &str) -> bool {
        if self.allowed.iter().any(|allowed| allowed == host) || host == "localhost" {
            return true;
        }
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => !self.loopback || address.to_canonical().is_loopback(),
            // With no names configured, a server that is meant to be reached from outside is known by any name.
            Err(_) => !self.loopback && self.allowed.is_empty(),
        }
    }
}

fn authority<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> Option<&'r str> {
    match headers.get(header::HOST) {
        Some(host) => host.to_str().ok().filter(|host| !host.is_empty()),
        None => uri.authority().map(|authority| authority.as_str()),
    }
}

/// The name without its port.
fn host_of(authority: &str) -> String {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

fn is_same(origin: &str, authority: &str) -> bool {
    let (Some((scheme, theirs)), "http" | "https") = (origin.split_once("://"), origin.split(':').next().unwrap_or(""))
    else {
        return false;
    };
    let port = if scheme == "https" { ":443" } else { ":80" };
    let bare = |authority: &str| authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase();
    bare(theirs) == bare(authority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn check(guard: &Guard, host: &str, origin: Option<&str>) -> u16 {
        let mut request = Request::builder().uri("/engine-rest/engine").header(header::HOST, host);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        guard
            .check(&request.body(Body::empty()).unwrap())
            .map_or_else(|error| error.status.as_u16(), |()| 200)
    }

    #[test]
    fn a_loopback_server_has_only_loopback_names() {
        let guard = Guard::new(true, &["Engine.test".into()]);
        for host in [
            "localhost:8080",
            "127.0.0.1:8080",
            "127.1.2.3",
            "[::1]:8080",
            "LOCALHOST",
            "engine.test:1",
        ] {
            assert_eq!(check(&guard, host, None), 200, "{host}");
        }
        for host in [
            "evil.example:8080",
            "10.0.0.1",
            "localhost.evil.example",
            "[fe80::1]:80",
            "127.0.0.1.nip.io",
        ] {
            assert_eq!(check(&guard, host, None), 421, "{host}");
        }
        assert_eq!(check(&guard, "", None), 400);
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        let guard = Guard::new(true, &[]);
        assert_eq!(check(&guard, "localhost:8080", Some("http://localhost:8080")), 200);
        for origin in [
            "http://evil.example",
            "http://localhost:8081",
            "null",
            "file://localhost:8080",
        ] {
            assert_eq!(check(&guard, "localhost:8080", Some(origin)), 403, "{origin}");
        }
        assert_eq!(check(&guard, "localhost", Some("http://localhost:80")), 200);
    }

    #[test]
    fn a_public_server_has_any_name_unless_told() {
        assert_eq!(check(&Guard::new(false, &[]), "engine.example", None), 200);
        assert_eq!(
            check(&Guard::new(false, &["engine.example".into()]), "other.example", None),
            421
        );
    }
}
