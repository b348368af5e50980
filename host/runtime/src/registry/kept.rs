//! What ran before: the last good versions of each worker and the pins on them, in a private folder, so that a rollback
//! works after the files in the workers' folder are gone, and holds across restarts.
//!
//! `components/SHA256.wasm` has the components, `workers/NAME.json` what is known of a worker: its versions with their
//! manifests, the one that ran last first, and its pin. Every file is replaced as a whole, and what is read is checked
//! against its digest. Nothing here is machine code.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{catalog::Pinned, state_dir::StateDir};
use crate::{
    error::RuntimeError,
    version::{Digest, WorkerVersion},
};

/// Versions that are kept of each worker: the one that runs and the one before it.
const VERSIONS: usize = 2;
/// What all kept components may have, in bytes. Beyond it the earlier versions that are oldest go first.
const MAX_BYTES: u64 = 1 << 30;
/// How old a file has to be that counts as left behind by an interrupted write.
const INTERRUPTED: Duration = Duration::from_secs(600);
/// Workers that something is kept of.
const MAX_WORKERS: usize = 10_000;

/// What is kept of all workers.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    records: BTreeMap<String, Record>,
}

/// What is kept of one worker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    versions: Vec<Kept>,
    #[serde(default)]
    pin: Option<Pin>,
}

/// A version that can run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) version: Digest,
    pub(super) component: Digest,
    pub(super) manifest: String,
    bytes: u64,
    /// When it was kept, in seconds since 1970.
    since: u64,
}

/// A worker is held at a version although its files are others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pin {
    pub(super) version: Digest,
    /// What the folder had when it was pinned; none where that could not be read. Anything else is newer.
    pub(super) displaced: Option<Digest>,
    /// In seconds since 1970.
    pub(super) since: u64,
}

/// The components alone, for those who read them beside the manager.
#[derive(Debug, Clone)]
pub(super) struct Components(PathBuf);

impl Store {
    /// Opens what is kept in a directory that is this host's.
    pub(super) fn open(dir: &StateDir) -> Result<Self, RuntimeError> {
        let dir = dir.path().to_owned();
        let failed = |error: io::Error| RuntimeError::State {
            path: dir.clone(),
            reason: error.to_string(),
        };
        for folder in ["components", "workers"] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir.join(folder))
                .map_err(failed)?;
        }
        let mut store = Self {
            records: read_records(&dir.join("workers")).map_err(failed)?,
            dir: dir.clone(),
        };
        store.sweep();
        Ok(store)
    }

    pub(super) fn components(&self) -> Components {
        Components(self.dir.join("components"))
    }

    /// What holds a worker.
    pub(super) fn pin(&self, worker: &str) -> Option<Pin> {
        self.records.get(worker)?.pin
    }

    /// A version of a worker.
    pub(super) fn version(&self, worker: &str, version: &Digest) -> Option<&Kept> {
        self.versions(worker).iter().find(|kept| kept.version == *version)
    }

    /// The versions of a worker, the one that ran last first.
    pub(super) fn versions(&self, worker: &str) -> &[Kept] {
        self.records.get(worker).map_or(&[], |record| &record.versions)
    }

    /// Keeps a version that took over by its files, which also ends what held the worker.
    pub(super) fn keep(&mut self, version: &WorkerVersion, component: &[u8], manifest: &str) -> io::Result<()> {
        let name = version.name();
        let mut record = self.records.get(name).cloned().unwrap_or_default();
        let kept = Kept {
            version: version.digest(),
            component: version.component_digest(),
            manifest: manifest.to_owned(),
            bytes: component.len() as u64,
            since: now(),
        };
        let path = self.components().path(&kept.component);
        if !path.is_file() {
            write_whole(&path, component, false)?;
        }
        if record.pin.is_none()
            && record
                .versions
                .first()
                .is_some_and(|first| first.version == kept.version)
        {
            return Ok(());
        }
        record.versions.retain(|known| known.version != kept.version);
        record.versions.insert(0, kept);
        record.versions.truncate(VERSIONS);
        record.pin = None;
        self.put(name, record)?;
        self.evict();
        Ok(())
    }

    /// Holds a worker at a version. What it displaces is not kept: it is in the workers' folder.
    pub(super) fn set_pin(&mut self, worker: &str, pin: Pin) -> io::Result<()> {
        let mut record = self.records.get(worker).cloned().unwrap_or_default();
        record.versions.retain(|kept| Some(kept.version) != pin.displaced);
        record.pin = Some(pin);
        self.put(worker, record)
    }

    /// Lets a worker go.
    pub(super) fn release(&mut self, worker: &str) -> io::Result<()> {
        match self.records.get(worker).cloned() {
            Some(record) if record.pin.is_some() => self.put(worker, Record { pin: None, ..record }),
            _ => Ok(()),
        }
    }

    fn put(&mut self, worker: &str, record: Record) -> io::Result<()> {
        if self.records.len() >= MAX_WORKERS && !self.records.contains_key(worker) {
            return Err(io::Error::other(format!(
                "versions of {MAX_WORKERS} workers are kept already"
            )));
        }
        let text = serde_json::to_vec_pretty(&record).map_err(io::Error::other)?;
        // A pin that was confirmed has to survive a power failure.
        write_whole(&self.dir.join("workers").join(format!("{worker}.json")), &text, true)?;
        let before = self.records.insert(worker.to_owned(), record);
        for kept in before.into_iter().flat_map(|record| record.versions) {
            self.remove_unless_used(&kept.component);
        }
        Ok(())
    }

    fn is_used(&self, component: &Digest) -> bool {
        self.records
            .values()
            .flat_map(|record| &record.versions)
            .any(|kept| kept.component == *component)
    }

    fn remove_unless_used(&self, component: &Digest) {
        if !self.is_used(component) {
            let _ = fs::remove_file(self.components().path(component));
        }
    }

    /// Keeps to the bound: earlier versions go, the oldest first, but none that holds a worker.
    fn evict(&mut self) {
        let mut sizes = BTreeMap::new();
        for kept in self.records.values().flat_map(|record| &record.versions) {
            sizes.insert(kept.component, kept.bytes);
        }
        let mut total: u64 = sizes.values().sum();
        while total > MAX_BYTES {
            let oldest = self
                .records
                .iter()
                .flat_map(|(worker, record)| {
                    let pinned = record.pin.map(|pin| pin.version);
                    let earlier = record.versions.iter().skip(1);
                    earlier
                        .filter(move |kept| Some(kept.version) != pinned)
                        .map(move |kept| (kept.since, kept.bytes, worker.clone(), kept.version))
                })
                .min();
            let Some((_, bytes, worker, version)) = oldest else {
                return;
            };
            let Some(mut record) = self.records.get(&worker).cloned() else {
                return;
            };
            record.versions.retain(|kept| kept.version != version);
            if self.put(&worker, record).is_err() {
                return;
            }
            total = total.saturating_sub(bytes);
        }
    }

    /// Removes components that nothing needs: of writes that were interrupted. Not what is new: another process may be
    /// writing it, one that is about to end.
    fn sweep(&mut self) {
        let Ok(entries) = fs::read_dir(self.dir.join("components")) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let digest = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .and_then(|stem| stem.parse::<Digest>().ok());
            let age = fs::metadata(&path)
                .and_then(|metadata| metadata.modified())
                .ok()
                .and_then(|modified| modified.elapsed().ok());
            let is_old = age.is_none_or(|age| age >= INTERRUPTED);
            if is_old && !digest.is_some_and(|digest| self.is_used(&digest)) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

impl Components {
    /// Reads a component. Blocking.
    pub(super) fn read(&self, component: &Digest) -> Result<Vec<u8>, String> {
        let bytes =
            fs::read(self.path(component)).map_err(|error| format!("its component is not kept any more: {error}"))?;
        if Digest::of(&bytes) == *component {
            Ok(bytes)
        } else {
            Err("its kept component is damaged".to_owned())
        }
    }

    fn path(&self, component: &Digest) -> PathBuf {
        self.0.join(format!("{component}.wasm"))
    }
}

impl Pin {
    /// As the catalog shows it.
    pub(super) fn shown(&self) -> Pinned {
        Pinned {
            version: self.version,
            displaced: self.displaced,
            since: SystemTime::UNIX_EPOCH + Duration::from_secs(self.since),
        }
    }

    pub(super) fn now(version: Digest, displaced: Option<Digest>) -> Self {
        Self {
            version,
            displaced,
            since: now(),
        }
    }
}

/// The records; one that cannot be read is as good as none, and is said.
fn read_records(dir: &Path) -> io::Result<BTreeMap<String, Record>> {
    let mut records = BTreeMap::new();
    for entry in fs::read_dir(dir)?.take(MAX_WORKERS) {
        let path = entry?.path();
        let Some(worker) = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_suffix(".json"))
        else {
            continue;
        };
        match fs::read(&path).map(|bytes| serde_json::from_slice(&bytes)) {
            Ok(Ok(record)) => drop(records.insert(worker.to_owned(), record)),
            Ok(Err(error)) => {
                tracing::error!(file = %path.display(), %error, "what was kept of a worker cannot be read")
            }
            Err(error) => tracing::error!(file = %path.display(), %error, "what was kept of a worker cannot be read"),
        }
    }
    Ok(records)
}

fn write_whole(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    if durable {
        file.as_file().sync_all()?;
    }
    file.persist(path).map_err(|error| error.error)?;
    if durable {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> Kept {
        Kept {
            version: Digest::of(text.as_bytes()),
            component: Digest::of(text.as_bytes()),
            manifest: text.to_owned(),
            bytes: text.len() as u64,
            since: 0,
        }
    }

    #[test]
    fn a_pin_survives_and_its_component_is_checked() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(Some(&dir.path().join("state"))).unwrap();
        let (good, bad) = (kept("good"), kept("bad"));
        let mut store = Store::open(&state).unwrap();
        for version in [&good, &bad] {
            write_whole(
                &store.components().path(&version.component),
                version.manifest.as_bytes(),
                false,
            )
            .unwrap();
        }
        let record = Record {
            versions: vec![bad.clone(), good.clone()],
            pin: None,
        };
        store.put("w", record).unwrap();
        store.set_pin("w", Pin::now(good.version, Some(bad.version))).unwrap();

        let mut store = Store::open(&state).unwrap();
        assert_eq!(store.pin("w").map(|pin| pin.version), Some(good.version));
        assert_eq!(store.versions("w"), std::slice::from_ref(&good));
        assert_eq!(store.components().read(&good.component).unwrap(), b"good");
        assert!(store.components().read(&bad.component).is_err(), "nothing needs it");
        store.release("w").unwrap();
        assert_eq!(Store::open(&state).unwrap().pin("w"), None);

        fs::write(store.components().path(&good.component), b"other").unwrap();
        assert!(
            store
                .components()
                .read(&good.component)
                .unwrap_err()
                .contains("damaged")
        );
    }
}
