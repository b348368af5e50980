//! The workers that there are, by their folders.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::cargo;

/// Folders that have workers in them, beside those of `workers/` itself.
const GROUPS: &[&str] = &["controls", "probes", VARIANTS];

/// Other builds of workers.
const VARIANTS: &str = "variants";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    JavaScript,
    Python,
}

/// A worker's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Worker {
    pub(crate) name: String,
    pub(crate) language: Language,
    /// The worker's folder.
    pub(crate) folder: PathBuf,
    /// The group's name, if it is in one.
    group: Option<&'static str>,
}

impl Worker {
    /// Where its component is put.
    pub(crate) fn component(&self) -> PathBuf {
        let mut folder = cargo::workers_dir();
        folder.extend(self.group);
        folder.join(&self.name).with_extension("wasm")
    }

    /// Whether it is another build of a worker, which stands in for it.
    pub(crate) fn is_variant(&self) -> bool {
        self.group == Some(VARIANTS)
    }

    /// Its manifest; a variant has the worker's.
    pub(crate) fn manifest(&self) -> Option<PathBuf> {
        let manifest = self.folder.join(&self.name).with_extension("toml");
        manifest.is_file().then_some(manifest)
    }
}

/// All workers under a folder, by name.
pub(crate) fn find(workers: &Path) -> Result<Vec<Worker>> {
    let mut found = find_in(workers, None)?;
    for group in GROUPS {
        let folder = workers.join(group);
        if folder.is_dir() {
            found.extend(find_in(&folder, Some(group))?);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn find_in(parent: &Path, group: Option<&'static str>) -> Result<Vec<Worker>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(parent).with_context(|| format!("read {}", parent.display()))? {
        let folder = entry?.path();
        let name = folder.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        if let (Some(language), Some(name)) = (language(&folder), name) {
            found.push(Worker {
                name,
                language,
                folder,
                group,
            });
        }
    }
    Ok(found)
}

fn language(folder: &Path) -> Option<Language> {
    let marks = [
        ("Cargo.toml", Language::Rust),
        ("package.json", Language::JavaScript),
        ("requirements.txt", Language::Python),
    ];
    marks
        .into_iter()
        .find(|(mark, _)| folder.join(mark).is_file())
        .map(|(_, language)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worker_is_found_in_its_language() {
        let workers = find(&cargo::root().join("workers")).unwrap();
        let language = |name: &str| {
            workers
                .iter()
                .find(|worker| worker.name == name)
                .map(|worker| worker.language)
        };
        assert_eq!(language("inventory-check"), Some(Language::Rust));
        assert_eq!(language("js-hello"), Some(Language::JavaScript));
        assert_eq!(language("py-hello"), Some(Language::Python));
        let control = workers
            .iter()
            .find(|worker| worker.name == "complete-in-handler")
            .unwrap();
        assert!(
            control
                .component()
                .ends_with("workers/controls/complete-in-handler.wasm")
        );
        for worker in workers.iter().filter(|worker| !worker.is_variant()) {
            assert!(worker.manifest().is_some(), "{} has no manifest", worker.name);
        }
    }
}
