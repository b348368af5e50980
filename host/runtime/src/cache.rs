//! Compiled components, kept in a private directory.
//!
//! An entry is machine code that is run as it is, so the directory has to belong to this user alone. The key is the
//! component's digest and everything that the compiler's output depends on, the exact version of wasmtime included:
//! after a security patch nothing that was compiled before it is used. An entry that cannot be used is a miss.

use std::{
    fs::{self, DirBuilder, Permissions},
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use tempfile::{NamedTempFile, TempDir};
use wasmtime::{Engine, component::Component};

use crate::{error::RuntimeError, version::Digest};

/// Entries that are kept, and their bytes; beyond either the ones that were unused for longest go.
const MAX_ENTRIES: usize = 512;
const MAX_BYTES: u64 = 4 << 30;

const EXTENSION: &str = "cwasm";

/// The directory of compiled components.
pub(crate) struct Cache {
    dir: PathBuf,
    compatibility: u64,
    /// Where no directory was configured: one that goes with the process.
    _temporary: Option<TempDir>,
}

impl Cache {
    /// Opens a directory, which is made if it is missing.
    pub(crate) fn open(dir: Option<&Path>, engine: &Engine) -> Result<Self, RuntimeError> {
        let compatibility = compatibility(engine);
        let Some(dir) = dir else {
            let temporary = private_temporary().map_err(|error| RuntimeError::Cache {
                path: std::env::temp_dir(),
                reason: error.to_string(),
            })?;
            return Ok(Self {
                dir: temporary.path().to_owned(),
                compatibility,
                _temporary: Some(temporary),
            });
        };
        let failed = |reason: String| RuntimeError::Cache {
            path: dir.to_owned(),
            reason,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|error| failed(error.to_string()))?;
        let metadata = fs::metadata(dir).map_err(|error| failed(error.to_string()))?;
        check_private(metadata.uid(), rustix::process::geteuid().as_raw(), metadata.mode()).map_err(failed)?;
        Ok(Self {
            dir: dir.to_owned(),
            compatibility,
            _temporary: None,
        })
    }

    /// The compiled component of this digest, if there is one that can be used.
    pub(crate) fn load(&self, engine: &Engine, component: &Digest) -> Option<Component> {
        let path = self.path(component);
        match deserialize(engine, &path)? {
            Ok(component) => {
                // The time of use, by which entries age.
                if let Ok(file) = fs::File::options().write(true).open(&path) {
                    let _ = file.set_modified(SystemTime::now());
                }
                Some(component)
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), error = format!("{error:#}"), "compiled component unusable; compiling anew");
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// A file beside the entries, to be given to [`Self::keep`] when it is complete.
    pub(crate) fn temporary(&self) -> std::io::Result<NamedTempFile> {
        NamedTempFile::new_in(&self.dir)
    }

    /// Makes a complete file the entry of a digest, at once or not at all.
    pub(crate) fn keep(&self, file: NamedTempFile, component: &Digest) -> std::io::Result<()> {
        file.persist(self.path(component)).map_err(|error| error.error)?;
        self.evict(MAX_ENTRIES, MAX_BYTES);
        Ok(())
    }

    fn path(&self, component: &Digest) -> PathBuf {
        self.dir
            .join(format!("{component}-{:016x}.{EXTENSION}", self.compatibility))
    }

    /// The newest entry stays whatever its size: it is about to be loaded.
    fn evict(&self, max_entries: usize, max_bytes: u64) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = entries
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|extension| extension == EXTENSION))
            .filter_map(|entry| {
                let metadata = entry.metadata().ok()?;
                let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                Some((used, metadata.len(), entry.path()))
            })
            .collect();
        entries.sort_unstable_by(|one, other| other.cmp(one));
        let mut bytes = 0_u64;
        for (position, (_, size, path)) in entries.iter().enumerate() {
            bytes = bytes.saturating_add(*size);
            if position > 0 && (position >= max_entries || bytes > max_bytes) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

fn compatibility(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

/// A directory that goes with the process, and that nobody else can reach.
pub(crate) fn private_temporary() -> std::io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix("handoff-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
}

/// Whether nobody but this user can write to the directory.
pub(crate) fn check_private(owner: u32, user: u32, mode: u32) -> Result<(), String> {
    if owner != user {
        return Err(format!(
            "it belongs to user {owner}, not to {user}, who runs this; what is in it would be run as code"
        ));
    }
    if mode & 0o077 != 0 {
        return Err(format!(
            "others can reach it (mode {:o}); what is in it is run as code. `chmod 700` it, or name another directory",
            mode & 0o777
        ));
    }
    Ok(())
}

/// Maps a compiled component. None if there is no such file.
#[allow(unsafe_code, reason = "the one place where compiled code is loaded; see SAFETY")]
fn deserialize(engine: &Engine, path: &Path) -> Option<wasmtime::Result<Component>> {
    if !path.is_file() {
        return None;
    }
    // SAFETY: the bytes are run as machine code, so they have to come from wasmtime's compiler, and the file must not
    // change while it is mapped. Both hold: `Cache::open` has seen to it that the directory belongs to this user and is
    // closed to others (or is a fresh temporary one, which is made that way); only `Cache::keep` puts entries into it,
    // by renaming files that `Compiler::compile` wrote; entries are replaced or removed as a whole, never written to.
    // Output of another version or configuration of wasmtime is rejected by `deserialize_file` itself.
    Some(unsafe { Component::deserialize_file(engine, path) })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_directory_that_others_can_reach_is_refused() {
        assert!(check_private(1000, 1000, 0o40700).is_ok());
        assert!(check_private(1000, 1000, 0o40755).unwrap_err().contains("755"));
        assert!(check_private(0, 1000, 0o40700).unwrap_err().contains("user 0"));
    }

    #[test]
    fn what_was_unused_for_longest_goes_first() {
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::for_compiling().unwrap();
        let cache = Cache::open(Some(&dir.path().join("c")), &engine).unwrap();
        let digests = [b"1", b"2", b"3", b"4"].map(|name| Digest::of(name));
        for (age, digest) in digests.iter().rev().enumerate() {
            let file = cache.temporary().unwrap();
            fs::write(file.path(), [0; 100]).unwrap();
            let used = SystemTime::now() - Duration::from_secs(60 * age as u64);
            file.as_file().set_modified(used).unwrap();
            cache.keep(file, digest).unwrap();
        }
        let kept = || digests.iter().filter(|digest| cache.path(digest).exists()).count();
        cache.evict(3, 400);
        assert_eq!((kept(), cache.path(&digests[0]).exists()), (3, false));
        cache.evict(3, 250);
        assert_eq!((kept(), cache.path(&digests[1]).exists()), (2, false));
        cache.evict(0, 0);
        assert_eq!((kept(), cache.path(&digests[3]).exists()), (1, true));
    }

    #[test]
    fn a_spoilt_entry_is_a_miss_and_goes() {
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::for_compiling().unwrap();
        let cache = Cache::open(Some(&dir.path().join("a/b")), &engine).unwrap();
        let digest = Digest::of(b"x");
        assert!(cache.load(&engine, &digest).is_none());
        let file = cache.temporary().unwrap();
        fs::write(file.path(), b"not machine code").unwrap();
        cache.keep(file, &digest).unwrap();
        assert!(cache.path(&digest).exists());
        assert!(cache.load(&engine, &digest).is_none());
        assert!(!cache.path(&digest).exists());
    }
}
