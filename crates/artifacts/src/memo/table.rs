//! The memo's table and its form on disk: fixed-size entries in order, then their BLAKE3.

use std::collections::BTreeMap;

use crate::Digest;

const MAGIC: &[u8; 16] = b"ambivox memo v2\n";
const ENTRY: usize = 7 * 8 + Digest::BYTES;

/// Which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileId {
    /// By the number of its own: that of a device is given to another when the one goes.
    pub(super) file_system: u64,
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// In what state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) bytes: u64,
    pub(super) modified_ns: i64,
    pub(super) changed_ns: i64,
}

/// What is remembered of a file: its digest, when in that state, and when the hashing began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) stamp: Stamp,
    pub(super) seen_ns: i64,
    pub(super) digest: Digest,
}

/// Entries by file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table(BTreeMap<FileId, Entry>);

impl Table {
    pub(super) fn get(&self, id: FileId) -> Option<Entry> {
        self.0.get(&id).copied()
    }

    pub(super) fn insert(&mut self, id: FileId, entry: Entry) {
        self.0.insert(id, entry);
    }

    /// Whether there was anything to remove.
    pub(super) fn remove(&mut self, id: FileId) -> bool {
        self.0.remove(&id).is_some()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        self.0.iter().for_each(|(id, entry)| put(&mut bytes, *id, entry));
        let check = blake3::hash(&bytes);
        bytes.extend_from_slice(check.as_bytes());
        bytes
    }

    /// `None` for anything that [`Self::to_bytes`] did not write, whole.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (body, check) = bytes.split_last_chunk::<{ Digest::BYTES }>()?;
        if blake3::hash(body).as_bytes() != check {
            return None;
        }
        let entries = body.strip_prefix(MAGIC)?.chunks_exact(ENTRY);
        if !entries.remainder().is_empty() {
            return None;
        }
        entries.map(take).collect::<Option<_>>().map(Self)
    }
}

fn put(bytes: &mut Vec<u8>, id: FileId, entry: &Entry) {
    let Stamp { bytes: size, modified_ns, changed_ns } = entry.stamp;
    for natural in [id.file_system, id.device, id.inode, size] {
        bytes.extend_from_slice(&natural.to_le_bytes());
    }
    for signed in [modified_ns, changed_ns, entry.seen_ns] {
        bytes.extend_from_slice(&signed.to_le_bytes());
    }
    bytes.extend_from_slice(entry.digest.as_bytes());
}

fn take(bytes: &[u8]) -> Option<(FileId, Entry)> {
    let word = |i: usize| bytes[8 * i..].first_chunk::<8>().copied();
    let natural = |i| word(i).map(u64::from_le_bytes);
    let signed = |i| word(i).map(i64::from_le_bytes);
    let id = FileId { file_system: natural(0)?, device: natural(1)?, inode: natural(2)? };
    let stamp = Stamp { bytes: natural(3)?, modified_ns: signed(4)?, changed_ns: signed(5)? };
    let digest = Digest::from_bytes(*bytes.last_chunk()?);
    Some((id, Entry { stamp, seen_ns: signed(6)?, digest }))
}
