//! The state directory: private, and one host's alone.
//!
//! Two hosts over one directory would undo each other's pins without noticing. So whoever opens it locks a file in it,
//! for as long as its process lives; a lock of a process that was killed is gone with it.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    cache::{check_private, private_temporary},
    error::RuntimeError,
};

const LOCK: &str = "lock";
/// More than a process id has.
const HOLDER_MAX_BYTES: u64 = 32;

/// A directory that is this host's until it is dropped.
#[derive(Debug)]
pub(super) struct StateDir {
    path: PathBuf,
    _lock: Option<File>,
    _temporary: Option<TempDir>,
}

impl StateDir {
    /// Opens a directory, which is made if it is missing; without one, one that goes with the process.
    pub(super) fn open(dir: Option<&Path>) -> Result<Self, RuntimeError> {
        let Some(dir) = dir else {
            let temporary = private_temporary().map_err(|error| state(&std::env::temp_dir(), &error))?;
            return Ok(Self {
                path: temporary.path().to_owned(),
                _lock: None,
                _temporary: Some(temporary),
            });
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|error| state(dir, &error))?;
        private(dir)?;
        Ok(Self {
            _lock: lock(dir)?,
            path: dir.to_owned(),
            _temporary: None,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether a host that starts now could use this directory. One that is missing is not made, because whoever asks may be
/// another user than the host. Blocking.
///
/// # Errors
/// [`RuntimeError::State`]: it cannot be made, written to, or kept from others. [`RuntimeError::StateInUse`]: another host
/// has it.
pub fn check_state_dir(dir: &Path) -> Result<(), RuntimeError> {
    match fs::metadata(dir) {
        Ok(_) => {
            private(dir)?;
            lock(dir).map(drop)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = dir.ancestors().skip(1).find(|above| above.is_dir());
            let above = above
                .filter(|above| !above.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            tempfile::tempfile_in(above)
                .map(drop)
                .map_err(|error| RuntimeError::State {
                    path: dir.to_owned(),
                    reason: format!("it cannot be made in {}: {error}", above.display()),
                })
        }
        Err(error) => Err(state(dir, &error)),
    }
}

fn private(dir: &Path) -> Result<(), RuntimeError> {
    let metadata = fs::metadata(dir).map_err(|error| state(dir, &error))?;
    check_private(metadata.uid(), rustix::process::geteuid().as_raw(), metadata.mode()).map_err(|reason| {
        RuntimeError::State {
            path: dir.to_owned(),
            reason,
        }
    })
}

/// None where the file system has no locks.
fn lock(dir: &Path) -> Result<Option<File>, RuntimeError> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(dir.join(LOCK))
        .map_err(|error| state(dir, &error))?;
    match file.try_lock() {
        Ok(()) => {
            // For people: who has the lock is told by the lock.
            let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
            Ok(Some(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let read = file.take(HOLDER_MAX_BYTES).read_to_string(&mut holder);
            let known = read.is_ok() && !holder.is_empty() && holder.bytes().all(|byte| byte.is_ascii_digit());
            Err(RuntimeError::StateInUse {
                path: dir.to_owned(),
                holder: if known {
                    format!("process {holder}")
                } else {
                    "another process".to_owned()
                },
            })
        }
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            tracing::warn!(dir = %dir.display(), "no locks on this file system: a second host over this state directory would not be noticed");
            Ok(None)
        }
        Err(TryLockError::Error(error)) => Err(state(dir, &error)),
    }
}

fn state(dir: &Path, error: &io::Error) -> RuntimeError {
    RuntimeError::State {
        path: dir.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_second_host_is_refused_until_the_first_has_gone() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("a/state");
        check_state_dir(&state).unwrap();
        assert!(!state.exists(), "a check makes nothing");
        let first = StateDir::open(Some(&state)).unwrap();
        for refused in [StateDir::open(Some(&state)).map(drop), check_state_dir(&state)] {
            let refused = refused.unwrap_err();
            assert!(matches!(refused, RuntimeError::StateInUse { .. }), "{refused}");
            for said in [&format!("process {}", std::process::id()), "state-dir"] {
                assert!(refused.to_string().contains(said), "{refused}");
            }
        }
        drop(first);
        check_state_dir(&state).unwrap();
        StateDir::open(Some(&state)).unwrap();
    }

    #[test]
    fn a_folder_that_others_can_reach_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for refused in [StateDir::open(Some(dir.path())).map(drop), check_state_dir(dir.path())] {
            let refused = refused.unwrap_err();
            assert!(refused.to_string().contains("chmod 700"), "{refused}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_or_written_to_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(check_state_dir(&dir.path().join("file/state")).is_err());
        // Not a file that could be opened for writing, whoever runs this.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::create_dir(dir.path().join(LOCK)).unwrap();
        for refused in [StateDir::open(Some(dir.path())).map(drop), check_state_dir(dir.path())] {
            assert!(matches!(refused.unwrap_err(), RuntimeError::State { .. }));
        }
    }
}
