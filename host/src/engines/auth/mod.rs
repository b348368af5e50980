//! Who the host says it is to an engine: what a request shows, and what is done when it is refused.
//!
//! Invariant: a secret is in the header that shows it and in nothing that a person reads; an answer that repeats it is
//! masked.

mod oauth2;
mod secret;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};

use self::{
    oauth2::TokenSource,
    secret::{Secret, SecretReader},
};
use super::{Fault, connections::Connections};
use crate::config::{Auth, EngineConfig};

/// Makes the headers that say who the host is.
#[derive(Debug)]
pub(in crate::engines) struct Authenticator {
    scheme: Scheme,
    headers: Vec<(HeaderName, SecretReader)>,
}

#[derive(Debug)]
enum Scheme {
    None,
    Basic { user: String, password: SecretReader },
    Bearer(SecretReader),
    OAuth2(Box<TokenSource>),
}

/// What one request shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::engines) struct Credentials {
    pub(in crate::engines) headers: HeaderMap,
    secrets: Vec<Secret>,
}

impl Credentials {
    fn add(&mut self, name: HeaderName, text: &str, secrets: impl IntoIterator<Item = Secret>) -> Result<(), Fault> {
        let mut value = HeaderValue::try_from(text).map_err(|_| {
            Fault::Unauthorized(format!(
                "the secret for the header {name} has characters that a header cannot carry"
            ))
        })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        self.secrets.extend(secrets);
        Ok(())
    }

    /// `text` of the engine without what it was shown.
    pub(in crate::engines) fn masked_in(&self, text: String) -> String {
        self.secrets.iter().fold(text, |text, secret| secret.masked_in(text))
    }
}

impl Authenticator {
    /// Looks at what the configuration points at. Fails with what is wrong, in the words of an operator.
    pub(in crate::engines) fn new(config: &EngineConfig) -> Result<Self, String> {
        let scheme = match &config.auth {
            Auth::None => Scheme::None,
            Auth::Basic(basic) => Scheme::Basic {
                user: basic.user.clone(),
                password: SecretReader::new(basic.password_file.as_ref(), basic.password_env.as_ref())
                    .map_err(|reason| format!("the password of auth.basic: {reason}"))?,
            },
            Auth::BearerFile(file) => Scheme::Bearer(SecretReader::new(Some(file), None)?),
            Auth::Oauth2(oauth2) => {
                // Its own connections: the headers for the engine are none of the token endpoint's business.
                let connections = Connections::to_token_endpoint(config, oauth2)?;
                Scheme::OAuth2(Box::new(TokenSource::new(
                    oauth2,
                    connections,
                    config.request_timeout(),
                )?))
            }
        };
        let mut headers = Vec::new();
        for (name, source) in &config.secret_headers {
            let header = HeaderName::try_from(name).map_err(|_| format!("`{name}` is no header's name"))?;
            let reader =
                SecretReader::from_source(source).map_err(|reason| format!("secret-headers.{name}: {reason}"))?;
            headers.push((header, reader));
        }
        Ok(Self { scheme, headers })
    }

    /// What a request is to show now.
    pub(in crate::engines) async fn credentials(&self) -> Result<Credentials, Fault> {
        let mut credentials = Credentials::default();
        match &self.scheme {
            Scheme::None => {}
            Scheme::Basic { user, password } => {
                let password = password.read().await.map_err(Fault::Unauthorized)?;
                let encoded = Secret::new(BASE64.encode(format!("{user}:{}", password.expose())));
                let value = format!("Basic {}", encoded.expose());
                credentials.add(AUTHORIZATION, &value, [encoded, password])?;
            }
            Scheme::Bearer(token) => {
                let token = token.read().await.map_err(Fault::Unauthorized)?;
                let shown = Secret::new(token.expose().trim());
                credentials.add(AUTHORIZATION, &format!("Bearer {}", shown.expose()), [shown])?;
            }
            Scheme::OAuth2(source) => {
                let token = source.token().await?;
                credentials.add(AUTHORIZATION, &format!("Bearer {}", token.expose()), [token])?;
            }
        }
        for (name, reader) in &self.headers {
            let secret = reader.read().await.map_err(Fault::Unauthorized)?;
            credentials.add(name.clone(), secret.expose(), [secret.clone()])?;
        }
        Ok(credentials)
    }

    /// What to show instead of what was refused; none if there is nothing else.
    pub(in crate::engines) async fn instead_of(&self, refused: &Credentials) -> Option<Credentials> {
        match &self.scheme {
            Scheme::None => {}
            Scheme::Basic { password: secret, .. } | Scheme::Bearer(secret) => secret.forget_age(),
            Scheme::OAuth2(source) => source.refused(refused.headers.get(AUTHORIZATION)).await,
        }
        self.headers.iter().for_each(|(_, secret)| secret.forget_age());
        self.credentials().await.ok().filter(|renewed| renewed != refused)
    }

    /// The engine did not refuse what it was shown.
    pub(in crate::engines) fn accepted(&self) {
        if let Scheme::OAuth2(source) = &self.scheme {
            source.accepted();
        }
    }
}
