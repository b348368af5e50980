//! Text that is shown to an engine and to nobody else.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use handoff_runtime::SecretSource;
use parking_lot::Mutex;

/// A file is read again after this long, so that what was rotated takes effect before the old value is refused.
const REREAD_AFTER: Duration = Duration::from_secs(1);
/// The largest secret, in bytes.
const SECRET_MAX_BYTES: u64 = 64 << 10;
/// Shorter secrets are not looked for in what is shown: they would be found everywhere.
const MASKED_MIN: usize = 4;

/// A secret. Printing it shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::engines) struct Secret(Arc<str>);

impl Secret {
    pub(in crate::engines) fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    pub(in crate::engines) fn expose(&self) -> &str {
        &self.0
    }

    /// `text` without this secret, should whoever wrote it have had it.
    pub(in crate::engines) fn masked_in(&self, text: String) -> String {
        if self.0.len() >= MASKED_MIN && text.contains(&*self.0) {
            text.replace(&*self.0, "…")
        } else {
            text
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Reads a secret, again and again where it is in a file.
#[derive(Debug)]
pub(in crate::engines) enum SecretReader {
    Fixed(Secret),
    File {
        file: PathBuf,
        last: Mutex<Option<(Instant, Secret)>>,
    },
}

impl SecretReader {
    /// From a file, or from a variable of the environment. Fails where there is no such variable; a file may come later.
    pub(in crate::engines) fn new(file: Option<&PathBuf>, variable: Option<&String>) -> Result<Self, String> {
        match (file, variable) {
            (Some(file), _) => Ok(Self::File {
                file: file.clone(),
                last: Mutex::default(),
            }),
            (None, Some(name)) => std::env::var(name)
                .map(|value| Self::Fixed(Secret::new(value)))
                .map_err(|_| format!("the environment has no usable variable {name}")),
            (None, None) => Err("has neither a file nor a variable of the environment".to_owned()),
        }
    }

    pub(in crate::engines) fn from_source(source: &SecretSource) -> Result<Self, String> {
        match source {
            SecretSource::File(file) => Self::new(Some(file), None),
            SecretSource::Env(name) => Self::new(None, Some(name)),
        }
    }

    /// The secret as it is now. What was read before stays good while a file that is being replaced cannot be read.
    pub(in crate::engines) async fn read(&self) -> Result<Secret, String> {
        let (file, last) = match self {
            Self::Fixed(secret) => return Ok(secret.clone()),
            Self::File { file, last } => (file, last),
        };
        let known = last.lock().clone();
        if let Some((at, secret)) = &known
            && at.elapsed() < REREAD_AFTER
        {
            return Ok(secret.clone());
        }
        let secret = match (read_file(file).await, known) {
            (Ok(secret), _) => secret,
            (Err(reason), None) => return Err(reason),
            (Err(reason), Some((_, secret))) => {
                tracing::debug!(file = %file.display(), reason, "a secret cannot be read again; its last value is used");
                secret
            }
        };
        *last.lock() = Some((Instant::now(), secret.clone()));
        Ok(secret)
    }

    /// Lets the next look go to the file.
    pub(in crate::engines) fn forget_age(&self) {
        if let Self::File { last, .. } = self
            && let Some((at, _)) = &mut *last.lock()
            && let Some(past) = Instant::now().checked_sub(REREAD_AFTER)
        {
            *at = past;
        }
    }
}

async fn read_file(file: &Path) -> Result<Secret, String> {
    let unreadable = |error: &dyn fmt::Display| format!("cannot read {}: {error}", file.display());
    let length = tokio::fs::metadata(file)
        .await
        .map_err(|error| unreadable(&error))?
        .len();
    if length > SECRET_MAX_BYTES {
        return Err(unreadable(&format!(
            "it has {length} bytes, more than {SECRET_MAX_BYTES}"
        )));
    }
    let text = tokio::fs::read_to_string(file)
        .await
        .map_err(|error| unreadable(&error))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(unreadable(&"it is empty"));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_read_again_and_its_last_value_outlives_a_replacement() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let reader = SecretReader::new(Some(&file), None).unwrap();
        let missing = reader.read().await.unwrap_err();
        assert!(missing.contains("token"), "{missing}");
        std::fs::write(&file, "one\n").unwrap();
        assert_eq!(reader.read().await.unwrap().expose(), "one");
        for emptied in [true, false] {
            if emptied {
                std::fs::write(&file, "").unwrap();
            } else {
                std::fs::remove_file(&file).unwrap();
            }
            reader.forget_age();
            assert_eq!(reader.read().await.unwrap().expose(), "one");
        }
        std::fs::write(&file, " two ").unwrap();
        reader.forget_age();
        assert_eq!(reader.read().await.unwrap().expose(), " two ");
    }

    #[test]
    fn nothing_shows_a_secret() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), "…");
        assert_eq!(secret.masked_in("you said hunter2".into()), "you said …");
        assert_eq!(Secret::new("a").masked_in("a cat".into()), "a cat");
    }
}
