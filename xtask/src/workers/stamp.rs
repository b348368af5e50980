//! Whether a worker is up to date: a digest of what it is made of, kept beside what was made.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::source::Worker;
use crate::cargo;

/// Counted up when this program makes something else of the same sources.
const FORMAT: &str = "1";

/// Folders that tools write to, and no worker is made of.
const IGNORED: &[&str] = &["target", "node_modules", "__pycache__"];

/// A digest of what a worker is made of.
pub(crate) struct Inputs(Sha256);

impl Inputs {
    /// Of the worker's own folder, the contract and the tools' identity.
    pub(crate) fn new(worker: &Worker, tools: &str) -> Result<Self> {
        let mut inputs = Self(Sha256::new());
        inputs.text(FORMAT);
        inputs.text(tools);
        inputs.path(&cargo::root().join("wit"))?;
        inputs.path(&worker.folder)?;
        Ok(inputs)
    }

    /// Adds a file, or a folder with all in it.
    pub(crate) fn path(&mut self, path: &Path) -> Result<()> {
        if path.is_dir() {
            let mut entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
            entries.sort_by_key(fs::DirEntry::file_name);
            for entry in entries
                .iter()
                .filter(|entry| !IGNORED.iter().any(|ignored| entry.file_name() == *ignored))
            {
                self.path(&entry.path())?;
            }
            return Ok(());
        }
        let content = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        self.text(&path.strip_prefix(cargo::root()).unwrap_or(path).to_string_lossy());
        self.bytes(&content);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Each part with its length, so that no two sequences of parts are one.
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// The stamp of a worker that is built from these.
    pub(crate) fn stamp(self, worker: &Worker) -> Stamp {
        Stamp {
            inputs: hex(self.0),
            worker: worker.clone(),
        }
    }
}

/// What is known of a worker's build.
pub(crate) struct Stamp {
    inputs: String,
    worker: Worker,
}

impl Stamp {
    /// Whether the component that is there was built from these inputs and has not been changed since.
    pub(crate) fn is_current(&self) -> bool {
        let Ok(noted) = fs::read_to_string(self.file()) else {
            return false;
        };
        self.content().is_ok_and(|content| content == noted)
    }

    /// Notes that the component that is there was built from these inputs.
    pub(crate) fn note(&self) -> Result<()> {
        super::write(&self.file(), self.content()?.as_bytes())
    }

    fn file(&self) -> std::path::PathBuf {
        cargo::target_dir().join("tools/stamps").join(&self.worker.name)
    }

    fn content(&self) -> Result<String> {
        let mut outputs = Sha256::new();
        outputs.update(fs::read(self.worker.component())?);
        if self.worker.manifest().is_some() {
            outputs.update(fs::read(self.worker.component().with_extension("toml"))?);
        }
        Ok(format!("inputs {}\noutputs {}\n", self.inputs, hex(outputs)))
    }
}

fn hex(digest: Sha256) -> String {
    format!("{:x}", digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(folder: &Path) -> String {
        let mut inputs = Inputs(Sha256::new());
        inputs.path(folder).unwrap();
        hex(inputs.0)
    }

    #[test]
    fn what_a_worker_is_made_of_changes_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "one").unwrap();
        let first = digest(folder.path());
        assert_eq!(digest(folder.path()), first);
        fs::create_dir(folder.path().join("node_modules")).unwrap();
        fs::write(folder.path().join("node_modules/b"), "installed").unwrap();
        assert_eq!(digest(folder.path()), first, "what tools install is no source");
        fs::write(folder.path().join("a"), "two").unwrap();
        let second = digest(folder.path());
        assert_ne!(second, first);
        fs::rename(folder.path().join("a"), folder.path().join("c")).unwrap();
        assert_ne!(digest(folder.path()), second, "a name counts too");
    }
}
