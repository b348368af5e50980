//! What a crash can leave on disk, made of a record of operations.
//!
//! What was synced is there. Of what was written since, a disk may have kept nothing, all, all but the end of the last
//! write, or any of its sectors in any order. A file that was never synced may be missing as a whole.

use std::collections::BTreeMap;
use std::path::Path;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::Op;

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// The files of a crashed process, by name.
pub(crate) type Image = BTreeMap<String, Vec<u8>>;

/// What became of the writes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsynced {
    /// Nothing reached the disk.
    Dropped,
    /// All did.
    Kept,
    /// All did, but the second half of the last write.
    Torn,
    /// Any sectors did, chosen by this seed.
    Scattered(u64),
}

#[derive(Clone, Default)]
struct File {
    /// None: not yet synced into its folder.
    durable: Option<Vec<u8>>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { size: usize },
    Delete,
}

impl Change {
    fn apply(&self, content: &mut Option<Vec<u8>>) {
        match self {
            Self::Write { at, bytes } => {
                let content = content.get_or_insert_default();
                if content.len() < at + bytes.len() {
                    content.resize(at + bytes.len(), 0);
                }
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Self::Truncate { size } => content.get_or_insert_default().resize(*size, 0),
            Self::Delete => *content = None,
        }
    }

    /// The same change in pieces that a disk writes whole.
    fn sectors(&self) -> Vec<Self> {
        match self {
            Self::Write { at, bytes } => (0..)
                .step_by(SECTOR)
                .zip(bytes.chunks(SECTOR))
                .map(|(offset, piece)| Self::Write {
                    at: at + offset,
                    bytes: piece.to_vec(),
                })
                .collect(),
            other => vec![other.clone()],
        }
    }
}

/// The disk, operation by operation.
#[derive(Default)]
pub(crate) struct Disk {
    files: BTreeMap<String, File>,
}

impl Disk {
    /// Follows an operation.
    pub(crate) fn follow(&mut self, op: &Op) {
        match op {
            Op::Write { file, at, bytes } => self.change(
                file,
                Change::Write {
                    at: usize::try_from(*at).unwrap(),
                    bytes: bytes.clone(),
                },
            ),
            Op::Truncate { file, size } => self.change(
                file,
                Change::Truncate {
                    size: usize::try_from(*size).unwrap(),
                },
            ),
            Op::Sync { file } => self.settle(file),
            Op::Delete { file, durable } => {
                self.change(file, Change::Delete);
                if *durable {
                    self.settle(file);
                }
            }
            Op::SyncFolder => {
                for file in self.files.values_mut() {
                    if let Some(Change::Delete) = file.pending.last() {
                        file.pending.clear();
                        file.durable = None;
                    } else {
                        file.durable.get_or_insert_default();
                    }
                }
            }
            Op::Mark => {}
        }
    }

    fn change(&mut self, file: &str, change: Change) {
        self.files.entry(file.to_owned()).or_default().pending.push(change);
    }

    fn settle(&mut self, file: &str) {
        let file = self.files.entry(file.to_owned()).or_default();
        for change in std::mem::take(&mut file.pending) {
            change.apply(&mut file.durable);
        }
    }

    /// Whether anything is written but not synced.
    pub(crate) fn is_unsynced(&self) -> bool {
        self.files.values().any(|file| !file.pending.is_empty())
    }

    /// What a crash leaves now.
    pub(crate) fn crash(&self, unsynced: Unsynced) -> Image {
        let mut random = match unsynced {
            Unsynced::Scattered(seed) => Some(StdRng::seed_from_u64(seed)),
            _ => None,
        };
        let left = self.files.iter().filter_map(|(name, file)| {
            let mut content = file.durable.clone();
            for change in survivors(&file.pending, unsynced, random.as_mut()) {
                change.apply(&mut content);
            }
            Some((name.clone(), content?))
        });
        left.collect()
    }
}

fn survivors(pending: &[Change], unsynced: Unsynced, random: Option<&mut StdRng>) -> Vec<Change> {
    match (unsynced, random) {
        (Unsynced::Dropped, _) => Vec::new(),
        (Unsynced::Torn, _) => {
            let mut kept = pending.to_vec();
            if let Some(Change::Write { bytes, .. }) = kept.last_mut() {
                bytes.truncate(bytes.len() / 2);
            }
            kept
        }
        (Unsynced::Scattered(_), Some(random)) => pending
            .iter()
            .flat_map(Change::sectors)
            .filter(|_| random.random_bool(0.5))
            .collect(),
        (Unsynced::Kept | Unsynced::Scattered(_), _) => pending.to_vec(),
    }
}

/// Writes an image into an empty folder.
pub(crate) fn write(image: &Image, folder: &Path) {
    for (name, content) in image {
        std::fs::write(folder.join(name), content).unwrap();
    }
}
