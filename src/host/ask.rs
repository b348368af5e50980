//! Asking a running host, at the admin address of its configuration.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, bail};
use handoff_host::Config;
use reqwest::{Client, Method, header::CONTENT_TYPE};
use serde_json::Value;

/// A rollback may have to compile what it goes back to.
const TIMEOUT: Duration = Duration::from_secs(330);

/// The admin listener of a host.
pub(super) struct Admin {
    base: String,
    token: Option<String>,
    client: Client,
}

impl Admin {
    /// The one that a configuration names.
    ///
    /// # Errors
    /// It names none that can be asked, or its token cannot be read.
    pub(super) fn of(config: &Config) -> Result<Self> {
        let file = config.file.display();
        let Some(admin) = &config.admin else {
            bail!("{file} has no [admin] listener to ask; add [admin] with listen = \"127.0.0.1:9090\"");
        };
        if admin.listen.port() == 0 {
            bail!("{file}: [admin] listen has port 0, so nobody can know where the host listens; name a port");
        }
        let token = match &admin.token_file {
            Some(file) => {
                let token =
                    std::fs::read_to_string(file).with_context(|| format!("read the token {}", file.display()))?;
                Some(token.trim().to_owned())
            }
            None => None,
        };
        Ok(Self {
            base: format!("http://{}", reachable(admin.listen)),
            token,
            // Whatever proxy the environment names: this is a host's own listener.
            client: Client::builder().timeout(TIMEOUT).no_proxy().build()?,
        })
    }

    /// `GET`s a path.
    ///
    /// # Errors
    /// The host does not answer, or refuses.
    pub(super) async fn get(&self, path: &[&str]) -> Result<Value> {
        self.ask(Method::GET, path).await
    }

    /// `POST`s to a path.
    ///
    /// # Errors
    /// The host does not answer, or refuses: the error is its reason.
    pub(super) async fn post(&self, path: &[&str]) -> Result<Value> {
        self.ask(Method::POST, path).await
    }

    async fn ask(&self, method: Method, path: &[&str]) -> Result<Value> {
        let mut url = reqwest::Url::parse(&self.base)?;
        // By segments: a worker's name may have characters that mean something in a path.
        url.path_segments_mut()
            .map_err(|()| anyhow::anyhow!("{} is no base of a path", self.base))?
            .extend(path);
        let mut request = self.client.request(method.clone(), url.clone());
        if method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/json").body("{}");
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request
            .send()
            .await
            .with_context(|| format!("ask the host at {}; does it run?", self.base))?;
        let status = response.status();
        let text = response.text().await.context("read the host's answer")?;
        let answer: Value =
            serde_json::from_str(&text).with_context(|| format!("{url} is no handoff host: it answers {status}"))?;
        if !status.is_success() {
            bail!("{}", answer["message"].as_str().unwrap_or(&text));
        }
        Ok(answer)
    }
}

/// Where to connect to a listener of all addresses.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let mut address = listen;
    if listen.ip().is_unspecified() {
        address.set_ip(match listen {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn admin(table: &str) -> Result<Admin> {
        let text = format!("[workers]\ndir = \"w\"\n{table}");
        Admin::of(&Config::parse(&text, Path::new("handoff.toml")).unwrap())
    }

    #[test]
    fn what_cannot_be_asked_says_what_to_write() {
        let refused = |table: &str| admin(table).err().unwrap().to_string();
        assert!(refused("").contains("add [admin]"));
        assert!(refused("[admin]\nlisten = \"127.0.0.1:0\"").contains("name a port"));
    }

    #[test]
    fn a_listener_of_all_addresses_is_asked_on_loopback() {
        // As the command line does before it runs anything.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let open = admin("[admin]\nlisten = \"0.0.0.0:9090\"\ninsecure = true").unwrap();
        assert_eq!(open.base, "http://127.0.0.1:9090");
        assert_eq!(reachable("[::]:1".parse().unwrap()), "[::1]:1".parse().unwrap());
    }
}
