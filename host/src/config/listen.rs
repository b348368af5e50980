//! `[admin]` and `[delegates]`: where the host listens.
//!
//! Both listen on loopback only, unless a token is demanded or the operator says `insecure = true` (design, F8).

use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;

use super::error::Complaint;

/// `[admin]`: health, metrics, status.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdminConfig {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A file with the bearer token that callers need; `/healthz` and `/readyz` need none.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// Listen beyond loopback without a token.
    #[serde(default)]
    pub insecure: bool,
}

/// `[delegates]`: where engines call delegates.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DelegatesConfig {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A file with the bearer token that engines need.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// Serve without a token.
    #[serde(default)]
    pub insecure: bool,
}

impl AdminConfig {
    /// Whether those who reach it may change what runs: they are on this machine, or show a token.
    pub fn may_change(&self) -> bool {
        self.token_file.is_some() || self.listen.ip().is_loopback()
    }

    pub(super) fn validate(&self) -> Result<(), Complaint> {
        if self.token_file.is_none() && !self.insecure && !self.listen.ip().is_loopback() {
            let message = format!(
                "is {}, which others can reach; listen on 127.0.0.1, or add token-file = \"…\", or say insecure = true",
                self.listen
            );
            return Err(Complaint::new("admin", "listen", message));
        }
        Ok(())
    }
}

impl DelegatesConfig {
    // Loopback alone is not enough here: any process of the machine, and any page in a browser on it, could run
    // delegates.
    pub(super) fn validate(&self) -> Result<(), Complaint> {
        if self.token_file.is_none() && !self.insecure {
            let message = "is missing: engines have to show a token; add token-file = \"…\" (also for `handoff engine \
                           --delegates-token-file`), or say insecure = true";
            return Err(Complaint::new("delegates", "token-file", message));
        }
        Ok(())
    }
}
