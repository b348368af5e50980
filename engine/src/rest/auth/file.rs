//! The `--auth-file`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use argon2::PasswordHash;
use serde::Deserialize;

use super::{Authenticator, Digest32, Password, digest};

/// Why an `--auth-file` cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path} is no file of users and tokens: {source}")]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// An entry cannot be used.
    #[error("{path}: {entry}: {reason}")]
    Entry {
        /// The file.
        path: PathBuf,
        /// The user or token.
        entry: String,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// Nobody could ever call.
    #[error("{path} names neither a user nor a token: nobody could call the engine")]
    Empty {
        /// Which.
        path: PathBuf,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileToml {
    #[serde(default)]
    users: Vec<UserToml>,
    #[serde(default)]
    tokens: Vec<TokenToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct UserToml {
    name: String,
    password_hash: Option<String>,
    password_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TokenToml {
    name: String,
    token_sha256: Option<String>,
    token_file: Option<PathBuf>,
}

impl Authenticator {
    /// Reads the file and the secrets that it names. Relative paths are beside it.
    ///
    /// # Errors
    /// See [`AuthError`].
    pub(crate) fn read(path: &Path) -> Result<Self, AuthError> {
        let text = read(path)?;
        let file: FileToml = toml::from_str(&text).map_err(|source| AuthError::Malformed {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let beside = path.parent().unwrap_or(Path::new("."));
        let mut users = HashMap::new();
        for user in file.users {
            let refuse = |reason: &str| entry(path, "user", &user.name, reason);
            let password = match (&user.password_hash, &user.password_file) {
                (Some(hash), None) => {
                    PasswordHash::new(hash)
                        .map_err(|error| refuse(&format!("password-hash is no PHC string of argon2 ({error})")))?;
                    Password::Hash(hash.clone())
                }
                (None, Some(file)) => Password::Digest(secret(&beside.join(file), &refuse)?),
                _ => return Err(refuse("say either password-hash or password-file")),
            };
            if user.name.is_empty() || user.name.contains(':') {
                return Err(refuse("a name cannot be empty, nor have a colon"));
            }
            if users.insert(user.name.clone(), password).is_some() {
                return Err(refuse("is there twice"));
            }
        }
        let mut tokens = Vec::new();
        for token in file.tokens {
            let refuse = |reason: &str| entry(path, "token", &token.name, reason);
            let digest = match (&token.token_sha256, &token.token_file) {
                (Some(text), None) => {
                    hexadecimal(text).ok_or_else(|| refuse("token-sha256 must be 64 hexadecimal digits"))?
                }
                (None, Some(file)) => secret(&beside.join(file), &refuse)?,
                _ => return Err(refuse("say either token-sha256 or token-file")),
            };
            tokens.push((token.name, digest));
        }
        if users.is_empty() && tokens.is_empty() {
            return Err(AuthError::Empty { path: path.to_owned() });
        }
        Ok(Self::new(users, tokens))
    }
}

fn entry(path: &Path, kind: &str, name: &str, reason: &str) -> AuthError {
    AuthError::Entry {
        path: path.to_owned(),
        entry: format!("{kind} '{name}'"),
        reason: reason.to_owned(),
    }
}

fn read(path: &Path) -> Result<String, AuthError> {
    std::fs::read_to_string(path).map_err(|source| AuthError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// The digest of a file's first line.
fn secret(path: &Path, refuse: &impl Fn(&str) -> AuthError) -> Result<Digest32, AuthError> {
    let text = read(path)?;
    match text.lines().next().unwrap_or_default().trim() {
        "" => Err(refuse(&format!("{} is empty", path.display()))),
        secret => Ok(digest(secret.as_bytes())),
    }
}

fn hexadecimal(text: &str) -> Option<Digest32> {
    let mut digest = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_toml(text: &str) -> Result<Authenticator, AuthError> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("pw"), "secret\n").unwrap();
        std::fs::write(directory.path().join("empty"), "\n").unwrap();
        let path = directory.path().join("auth.toml");
        std::fs::write(&path, text).unwrap();
        Authenticator::read(&path)
    }

    #[test]
    fn secrets_are_read_from_files_beside() {
        let authenticator =
            read_toml("[[users]]\nname='a'\npassword-file='pw'\n[[tokens]]\nname='t'\ntoken-file='pw'").unwrap();
        assert!(authenticator.token_of("secret").is_some());
        assert!(authenticator.token_of("secret\n").is_none());
    }

    #[test]
    fn refusals_name_the_place_and_the_remedy() {
        for (text, part) in [
            ("", "neither a user nor a token"),
            ("[[user]]\nname='a'", "unknown field `user`"),
            ("[[users]]\nname='a'", "say either password-hash or password-file"),
            (
                "[[users]]\nname='a'\npassword-hash='x'",
                "user 'a': password-hash is no PHC string",
            ),
            ("[[users]]\nname='a:b'\npassword-file='pw'", "nor have a colon"),
            ("[[tokens]]\nname='t'\ntoken-file='none'", "cannot be read"),
            ("[[tokens]]\nname='t'\ntoken-file='empty'", "is empty"),
            ("[[tokens]]\nname='t'\ntoken-sha256='12'", "64 hexadecimal digits"),
        ] {
            let message = read_toml(text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(message.contains(part), "{text:?} gave {message:?}");
        }
    }
}
