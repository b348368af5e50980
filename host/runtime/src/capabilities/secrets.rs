//! `secrets`: values by the operator's names, read when they are asked for and never logged.

use std::{collections::BTreeMap, fs::File, io::Read, path::Path};

use super::grants::GrantKind;
use crate::{
    bindings::imports::secrets::{Host, SecretError},
    config::SecretSource,
    state::RunState,
};

/// The largest secret, in bytes.
const MAX_SECRET: u64 = 64 << 10;

/// Where secrets come from. The values are never kept.
#[derive(Default)]
pub(crate) struct Secrets(BTreeMap<String, SecretSource>);

impl Secrets {
    pub(crate) fn new(sources: BTreeMap<String, SecretSource>) -> Self {
        Self(sources)
    }

    /// Reads a secret. The reason for its absence names the source but never a value.
    fn read(&self, name: &str) -> Result<String, String> {
        match self.0.get(name) {
            None => Err(format!(
                "the operator has no secret `{name}`; add [secrets.{name}] with `file` or `env`"
            )),
            Some(SecretSource::Env(variable)) => std::env::var(variable).map_err(|_| {
                format!("the host's environment has no usable variable {variable} for the secret `{name}`")
            }),
            Some(SecretSource::File(path)) => {
                read_file(path).map_err(|why| format!("the file of the secret `{name}` cannot be read: {why}"))
            }
        }
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|e| e.to_string())?;
    file.take(MAX_SECRET + 1)
        .read_to_string(&mut text)
        .map_err(|e| e.to_string())?;
    if text.len() as u64 > MAX_SECRET {
        return Err(format!("it has more than {MAX_SECRET} bytes"));
    }
    let line = text
        .strip_suffix('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line).len());
    text.truncate(line.unwrap_or(text.len()));
    Ok(text)
}

impl Host for RunState {
    async fn get(&mut self, name: String) -> Result<String, SecretError> {
        self.run
            .grants
            .check(GrantKind::Secrets, "secrets.get", &name)
            .map_err(SecretError::Denied)?;
        let secrets = self.run.secrets.clone();
        let read = self.run.host.spawn_blocking(move || secrets.read(&name)).await;
        match read {
            Ok(Ok(secret)) => {
                self.run.log.redact(&secret);
                Ok(secret)
            }
            Ok(Err(reason)) => {
                tracing::warn!(target: "handoff::worker", worker = &*self.run.caller.worker, reason, "secret missing");
                Err(SecretError::Missing(reason))
            }
            Err(_) => Err(SecretError::Other(
                "the host failed while it read the secret".to_owned(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_read_anew_without_its_line_break() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let secrets = Secrets::new([("token".to_owned(), SecretSource::File(file.path().to_owned()))].into());
        file.write_all(b"one\r\n").unwrap();
        assert_eq!(secrets.read("token").unwrap(), "one");
        std::fs::write(file.path(), "two\n\n").unwrap();
        assert_eq!(secrets.read("token").unwrap(), "two\n");
    }

    #[test]
    fn what_is_missing_is_named() {
        let secrets = Secrets::new([("a".to_owned(), SecretSource::Env("HANDOFF_TEST_ABSENT".to_owned()))].into());
        assert!(secrets.read("a").unwrap_err().contains("HANDOFF_TEST_ABSENT"));
        assert!(secrets.read("b").unwrap_err().contains("[secrets.b]"));
    }

    #[test]
    fn an_oversized_file_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), vec![b'x'; MAX_SECRET as usize + 1]).unwrap();
        let secrets = Secrets::new([("big".to_owned(), SecretSource::File(file.path().to_owned()))].into());
        assert!(secrets.read("big").unwrap_err().contains("more than"));
    }
}
