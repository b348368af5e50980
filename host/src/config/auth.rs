//! Who the host says it is to an engine, and whom it believes to be that engine.
//!
//! No secret stands in the configuration: it names the file or the environment's variable that has it.

use std::path::PathBuf;

use serde::Deserialize;

use super::error::Complaint;

/// Who the host says it is to an engine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Auth {
    /// Nobody.
    #[default]
    None,
    /// HTTP Basic.
    Basic(BasicAuth),
    /// A bearer token from a file, which is read again when it changes.
    BearerFile(PathBuf),
    /// A bearer token that a token endpoint gives for the client's own credentials (RFC 6749, 4.4).
    Oauth2(OAuth2),
}

/// HTTP Basic. The password is in a file, which is read again when it changes, or in the environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BasicAuth {
    /// The user.
    pub user: String,
    /// A file with the password; one trailing line break is not part of it.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// A variable of the host's environment.
    #[serde(default)]
    pub password_env: Option<String>,
}

/// OAuth 2.0, the grant of client credentials.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OAuth2 {
    /// The token endpoint, such as `https://login.example/realms/bpm/protocol/openid-connect/token`.
    pub token_url: String,
    /// The client.
    pub client_id: String,
    /// A file with the client's secret; one trailing line break is not part of it.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// A variable of the host's environment.
    #[serde(default)]
    pub client_secret_env: Option<String>,
    /// What the token is to be good for; several are separated by blanks.
    #[serde(default)]
    pub scope: Option<String>,
    /// Whom the token is for, where the endpoint asks for it.
    #[serde(default)]
    pub audience: Option<String>,
    /// How the client's credentials are shown.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// What a connection to the token endpoint needs, where it differs from the engine's.
    #[serde(default)]
    pub tls: Option<TlsConfig>,
}

/// How a client shows its credentials to a token endpoint (RFC 6749, 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuth {
    /// As HTTP Basic, which every endpoint has to accept.
    #[default]
    Basic,
    /// In the form that is sent.
    Form,
}

/// `tls`: what a connection by `https` needs beside the system's own certificates.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TlsConfig {
    /// Certificates in PEM form of the authorities that are believed, instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The certificate in PEM form that the host shows, followed by those between it and its authority.
    #[serde(default)]
    pub cert_file: Option<PathBuf>,
    /// The private key of that certificate, in PEM form.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
}

impl Auth {
    /// The files that secrets and certificates are read from.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let (secret, tls) = match self {
            Self::None => (None, None),
            Self::Basic(basic) => (basic.password_file.as_ref(), None),
            Self::BearerFile(file) => (Some(file), None),
            Self::Oauth2(oauth2) => (oauth2.client_secret_file.as_ref(), oauth2.tls.as_ref()),
        };
        secret.into_iter().chain(tls.into_iter().flat_map(TlsConfig::files))
    }

    pub(super) fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let (secret, tls) = match self {
            Self::None => (None, None),
            Self::Basic(basic) => (basic.password_file.as_mut(), None),
            Self::BearerFile(file) => (Some(file), None),
            Self::Oauth2(oauth2) => (oauth2.client_secret_file.as_mut(), oauth2.tls.as_mut()),
        };
        secret.into_iter().chain(tls.into_iter().flat_map(TlsConfig::files_mut))
    }

    pub(super) fn validate(&self, table: &str) -> Result<(), Complaint> {
        let complain = |message: &str| Err(Complaint::new(table, "auth", message));
        match self {
            Self::Basic(basic) if basic.password_file.is_some() == basic.password_env.is_some() => {
                complain("basic needs either password-file or password-env")
            }
            Self::Oauth2(oauth2) if oauth2.client_secret_file.is_some() == oauth2.client_secret_env.is_some() => {
                complain("oauth2 needs either client-secret-file or client-secret-env")
            }
            Self::Oauth2(oauth2) if !is_http(&oauth2.token_url) => {
                complain("oauth2 has a token-url that does not begin with https:// (or http://)")
            }
            Self::Oauth2(oauth2) if has_credentials(&oauth2.token_url) => {
                complain("oauth2 has credentials in its token-url; write them as client-id and client-secret-file")
            }
            Self::Oauth2(OAuth2 {
                tls: Some(tls),
                token_url,
                ..
            }) => tls.validate(table, token_url),
            _ => Ok(()),
        }
    }
}

impl TlsConfig {
    /// The files that are read.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.ca_file, &self.cert_file, &self.key_file].into_iter().flatten()
    }

    pub(super) fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.ca_file, &mut self.cert_file, &mut self.key_file]
            .into_iter()
            .flatten()
    }

    pub(super) fn validate(&self, table: &str, url: &str) -> Result<(), Complaint> {
        let complain = |message: &str| Err(Complaint::new(table, "tls", message));
        if self.files().next().is_some() && !url.starts_with("https://") {
            return complain("is for connections by https://; the url begins with http://");
        }
        if self.cert_file.is_some() != self.key_file.is_some() {
            return complain("needs cert-file and key-file together");
        }
        Ok(())
    }
}

pub(super) fn is_http(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// Whether a URL has a user or a password before its host.
pub(super) fn has_credentials(url: &str) -> bool {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme
        .split(['/', '?', '#'])
        .next()
        .is_some_and(|authority| authority.contains('@'))
}
