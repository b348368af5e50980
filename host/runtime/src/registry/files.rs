//! What lies in the folder, without reading it: one look that is cheap enough to be taken every second.

use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// The most workers that a folder may have.
const MAX_WORKERS: usize = 10_000;

/// The files of one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WorkerFiles {
    pub(super) name: String,
    pub(super) component: PathBuf,
    pub(super) manifest: PathBuf,
}

/// What distinguishes two states of a worker's files without reading them. It is a hint: the digest decides. The change
/// time is in it because copying tools can set every other one, and the inode because renaming does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    component: FileStamp,
    manifest: Option<FileStamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FileStamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl WorkerFiles {
    /// The stamp of the files as they are now; none if there is no component.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let stamp = |path: &Path| {
            fs::metadata(path)
                .ok()
                .filter(Metadata::is_file)
                .map(|metadata| FileStamp::of(&metadata))
        };
        Some(Stamp {
            component: stamp(&self.component)?,
            manifest: stamp(&self.manifest),
        })
    }
}

impl Stamp {
    /// How long to wait until files that changed last at their change time are unchanged for `settle`. A time in the
    /// future (the clock of a file server) counts as now.
    pub(super) fn unsettled(&self, now: SystemTime, settle: Duration) -> Duration {
        let newest = self
            .manifest
            .iter()
            .map(|stamp| stamp.changed)
            .fold(self.component.changed, Ord::max);
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let changed = Duration::new(
            u64::try_from(newest.0).unwrap_or(0),
            u32::try_from(newest.1).unwrap_or(0),
        );
        settle.saturating_sub(since_epoch.saturating_sub(changed))
    }
}

impl FileStamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// All workers of a folder by name. Links are followed; names that begin with a dot are not workers (editors' and
/// copying tools' temporary files, and the directories behind a mounted ConfigMap).
pub(super) fn scan(dir: &Path) -> io::Result<BTreeMap<String, (WorkerFiles, Stamp)>> {
    let mut workers = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        // Compiled code is taken for a worker too, so that it is refused with a reason rather than passed over.
        let compiled = match path.extension().and_then(|extension| extension.to_str()) {
            Some("wasm") => false,
            Some("cwasm") => true,
            _ => continue,
        };
        if compiled && path.with_extension("wasm").exists() {
            continue;
        }
        let Some(name) = path
            .file_stem()
            .and_then(|name| name.to_str())
            .filter(|name| !name.starts_with('.'))
        else {
            continue;
        };
        let files = WorkerFiles {
            name: name.to_owned(),
            manifest: path.with_extension("toml"),
            component: path.clone(),
        };
        if let Some(stamp) = files.stamp() {
            if workers.len() == MAX_WORKERS {
                return Err(io::Error::other(format!("it has more than {MAX_WORKERS} workers")));
            }
            workers.insert(files.name.clone(), (files, stamp));
        }
    }
    Ok(workers)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_and_dot_files_are_not_workers() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path("..data_1")).unwrap();
        fs::write(path("..data_1/a.wasm"), "1").unwrap();
        symlink("..data_1", path("..data")).unwrap();
        symlink("..data/a.wasm", path("a.wasm")).unwrap();
        fs::write(path(".b.wasm"), "1").unwrap();
        fs::write(path("c.toml"), "1").unwrap();
        let before = scan(dir.path()).unwrap();
        assert_eq!(before.keys().collect::<Vec<_>>(), ["a"]);

        // The flip of a ConfigMap: another directory, and a link renamed over the old one.
        fs::create_dir(path("..data_2")).unwrap();
        fs::write(path("..data_2/a.wasm"), "2").unwrap();
        symlink("..data_2", path("..data_tmp")).unwrap();
        fs::rename(path("..data_tmp"), path("..data")).unwrap();
        assert_ne!(scan(dir.path()).unwrap()["a"].1, before["a"].1);
    }

    #[test]
    fn a_manifest_alone_changes_the_stamp() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.wasm"), "1").unwrap();
        let before = scan(dir.path()).unwrap();
        fs::write(dir.path().join("a.toml"), "1").unwrap();
        assert_ne!(scan(dir.path()).unwrap()["a"].1, before["a"].1);
    }
}
