//! Who may call: Basic users and bearer tokens of an `--auth-file`. Without one, credentials are not looked at, for
//! some clients always send some.
//!
//! ```toml
//! [[users]]
//! name = "operator"
//! password-hash = "$argon2id$v=19$…"       # or password-file = "operator.password", beside this file
//!
//! [[tokens]]
//! name = "host"
//! token-file = "host.token"                # or token-sha256 = "…", the digest in hexadecimal
//! ```
//!
//! All comparisons take the same time whatever is compared. An argon2 verification is slow by design: it runs off the
//! event loop, few at a time, and a password that was right is remembered by a keyed digest.

mod file;

use std::collections::HashMap;
use std::sync::Arc;

use argon2::{Argon2, PasswordHash, PasswordVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

pub use self::file::AuthError;
use super::error::{RestError, Result};

/// Passwords that are verified at a time: each takes a processor and 19 MB for some milliseconds.
const VERIFIED_AT_A_TIME: usize = 2;

type Digest32 = [u8; 32];

/// How a user's password is known.
#[derive(Clone)]
enum Password {
    /// A PHC string of argon2.
    Hash(String),
    /// The digest of a password that stands in a file.
    Digest(Digest32),
}

/// The callers that there are.
pub(crate) struct Authenticator {
    users: HashMap<String, Password>,
    /// With their names.
    tokens: Vec<(String, Digest32)>,
    /// The key of the remembered passwords: they mean nothing outside this process.
    key: Digest32,
    verified: Mutex<HashMap<String, Digest32>>,
    verifying: Semaphore,
}

impl Authenticator {
    fn new(users: HashMap<String, Password>, tokens: Vec<(String, Digest32)>) -> Self {
        Self {
            users,
            tokens,
            key: rand::random(),
            verified: Mutex::default(),
            verifying: Semaphore::new(VERIFIED_AT_A_TIME),
        }
    }

    /// Lets a caller in, or not, and says who it is: the name of the user or token.
    ///
    /// # Errors
    /// 401 with `WWW-Authenticate`.
    pub(crate) async fn check(self: &Arc<Self>, headers: &HeaderMap) -> Result<Arc<str>> {
        let credentials = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let (scheme, secret) = credentials.split_once(' ').unwrap_or_default();
        let known = match scheme.to_ascii_lowercase().as_str() {
            "bearer" => self.token_of(secret.trim()),
            "basic" => self.user_of(secret.trim()).await,
            _ => None,
        };
        if let Some(name) = known {
            return Ok(name.into());
        }
        let challenge = HeaderValue::from_static("Basic realm=\"handoff\", charset=\"UTF-8\"");
        let error = RestError::new(
            StatusCode::UNAUTHORIZED,
            "AuthenticationException",
            "Authentication is required",
        );
        Err(error.with_header(header::WWW_AUTHENTICATE, challenge))
    }

    /// Whether a user has this password.
    pub(crate) async fn knows(self: &Arc<Self>, user: &str, password: &str) -> bool {
        let secret = STANDARD.encode(format!("{user}:{password}"));
        self.user_of(&secret).await.is_some()
    }

    fn token_of(&self, token: &str) -> Option<String> {
        let digest = digest(token.as_bytes());
        // All are compared, whichever it is.
        let found = self.tokens.iter().fold(None, |found, (name, known)| {
            if bool::from(known.ct_eq(&digest)) {
                Some(name)
            } else {
                found
            }
        });
        found.cloned()
    }

    async fn user_of(self: &Arc<Self>, secret: &str) -> Option<String> {
        let (name, password) = basic(secret)?;
        let right = match self.users.get(&name)? {
            Password::Digest(known) => known.ct_eq(&digest(password.as_bytes())).into(),
            Password::Hash(hash) => self.verify(name.clone(), password, hash.clone()).await,
        };
        right.then_some(name)
    }

    async fn verify(self: &Arc<Self>, name: String, password: String, hash: String) -> bool {
        let remembered = self.keyed(&name, &password);
        if self
            .verified
            .lock()
            .get(&name)
            .is_some_and(|known| known.ct_eq(&remembered).into())
        {
            return true;
        }
        let Ok(_permit) = self.verifying.acquire().await else {
            return false;
        };
        let right = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        });
        let right = right.await.unwrap_or(false);
        if right {
            self.verified.lock().insert(name, remembered);
        }
        right
    }

    fn keyed(&self, name: &str, password: &str) -> Digest32 {
        let mut digest = Sha256::new();
        digest.update(self.key);
        digest.update((name.len() as u64).to_be_bytes());
        digest.update(name);
        digest.update(password);
        digest.finalize().into()
    }
}

fn basic(secret: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(secret).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

fn digest(bytes: &[u8]) -> Digest32 {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `argon2 saltsalt -id -t 1 -k 64 -p 1 -e` of "secret", made once: cheap, for a test.
    fn hashed() -> Password {
        use argon2::password_hash::{PasswordHasher, SaltString};
        let params = argon2::Params::new(64, 1, 1, None).unwrap();
        let argon = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let salt = SaltString::encode_b64(b"saltsaltsalt").unwrap();
        Password::Hash(argon.hash_password(b"secret", &salt).unwrap().to_string())
    }

    async fn status(authenticator: &Arc<Authenticator>, credentials: Option<&str>) -> u16 {
        let mut headers = HeaderMap::new();
        if let Some(credentials) = credentials {
            headers.insert(header::AUTHORIZATION, credentials.parse().unwrap());
        }
        authenticator
            .check(&headers)
            .await
            .map_or_else(|error| error.status.as_u16(), |_| 200)
    }

    #[tokio::test]
    async fn only_who_is_known_is_let_in() {
        let users = HashMap::from([
            ("ann".into(), hashed()),
            ("bob".into(), Password::Digest(digest(b"pw"))),
        ]);
        let authenticator = Arc::new(Authenticator::new(users, vec![("host".to_owned(), digest(b"t0ken"))]));
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for (credentials, expected) in [
            (None, 401),
            (Some("Bearer t0ken".to_owned()), 200),
            (Some("bearer t0ken".to_owned()), 200),
            (Some("Bearer other".to_owned()), 401),
            (Some("Bearer ".to_owned()), 401),
            (Some(basic("ann:secret")), 200),
            (Some(basic("ann:secret")), 200),
            (Some(basic("ann:wrong")), 401),
            (Some(basic("bob:pw")), 200),
            (Some(basic("bob:")), 401),
            (Some(basic("eve:pw")), 401),
            (Some(basic(":")), 401),
            (Some("Basic ***".to_owned()), 401),
        ] {
            assert_eq!(
                status(&authenticator, credentials.as_deref()).await,
                expected,
                "{credentials:?}"
            );
        }
    }
}
