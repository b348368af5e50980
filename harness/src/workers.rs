//! A workers' folder of one's own, filled from the built components.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A folder that a host watches.
#[derive(Debug, Clone)]
pub struct WorkersFolder {
    built: PathBuf,
    dir: PathBuf,
}

impl WorkersFolder {
    /// An empty folder `dir` for components from `built`, which is where `cargo xtask workers` puts them.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(built: &Path, dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        Ok(Self {
            built: built.to_owned(),
            dir: dir.to_owned(),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Adds a built component with its built manifest.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn add(&self, name: &str) -> Result<()> {
        let manifest = read(&self.built(&format!("{name}.toml")))?;
        self.add_with_manifest(name, &String::from_utf8(manifest)?)
    }

    /// Adds a built component with a manifest of one's own.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn add_with_manifest(&self, name: &str, manifest: &str) -> Result<()> {
        self.put(&format!("{name}.toml"), manifest.as_bytes())?;
        self.replace(name, &self.built(&format!("{name}.wasm")))
    }

    /// A built file; those of negative controls and probes are apart, where nobody takes them for workers.
    fn built(&self, name: &str) -> PathBuf {
        let apart = ["controls", "probes"].map(|group| self.built.join(group).join(name));
        let found = apart.into_iter().find(|file| file.is_file());
        found.unwrap_or_else(|| self.built.join(name))
    }

    /// Replaces a worker's component by another file, in one step.
    ///
    /// # Errors
    /// There is no such file.
    pub fn replace(&self, name: &str, component: &Path) -> Result<()> {
        self.put(&format!("{name}.wasm"), &read(component)?)
    }

    /// Writes a file, and renames it into place so that nobody sees half of it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put(&self, name: &str, content: &[u8]) -> Result<()> {
        let temporary = self.dir.join(format!(".{name}.part"));
        std::fs::write(&temporary, content)?;
        std::fs::rename(&temporary, self.dir.join(name)).with_context(|| format!("put {name}"))
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("read {} (`cargo xtask workers` builds it)", path.display()))
}
