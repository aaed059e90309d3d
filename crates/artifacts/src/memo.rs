//! Digests of files, remembered by what `stat` says of them.
//!
//! A digest is reused while file system, device, inode, size, time of modification and time of status
//! change are all the same; `touch -r` can restore the modification time, but not the time of change.
//! That holds on the file systems that `promise` lists alone: files on others are read every time. As
//! in git's index, an entry does not count where the file changed so shortly before it was hashed that
//! a later write could fall on the same clock tick: such a file is hashed again next time.

mod promise;
mod table;

use std::collections::BTreeMap;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use fs_err as fs;

use crate::{ArtifactError, Digest, atomic};
use promise::{FileSystem, Promise};
use table::{Entry, FileId, Stamp, Table};

/// Coarser than the clock of any file system in use (FAT counts in steps of two seconds).
const RACY_NS: i64 = 2_000_000_000;

/// Length and digest of a file's contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileDigest {
    /// Length in bytes.
    pub bytes: u64,
    /// BLAKE3 of the contents, as `b3sum` prints it.
    pub digest: Digest,
}

/// Digests of files by their `stat`, kept in one file from run to run. Shared between threads.
#[derive(Debug)]
pub struct StatMemo {
    file: Option<PathBuf>,
    /// What tells the file system of a path; tests have their own.
    file_system: fn(&Path) -> Option<FileSystem>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    table: Table,
    changed: bool,
    /// Number of the file system and its promise, by device, where anything is promised: asked once,
    /// since a corpus has thousands of files on one device.
    devices: BTreeMap<u64, Option<(u64, Promise)>>,
}

impl StatMemo {
    /// A memo that remembers nothing before and keeps nothing after.
    pub fn in_memory() -> Self {
        Self { file: None, file_system: promise::file_system, state: Mutex::default() }
    }

    /// The memo kept in `file`. One that is missing or damaged is an empty one: it only saves time.
    pub fn load(file: PathBuf) -> Self {
        let table = fs::read(&file).ok().and_then(|bytes| Table::from_bytes(&bytes));
        let state = State { table: table.unwrap_or_default(), ..State::default() };
        Self { file: Some(file), state: Mutex::new(state), ..Self::in_memory() }
    }

    /// Keeps what was learned, if anything was.
    pub fn save(&self) -> Result<(), ArtifactError> {
        let mut state = self.state();
        if let (Some(file), true) = (&self.file, state.changed) {
            atomic::write_atomically(file, &state.table.to_bytes())?;
            state.changed = false;
        }
        Ok(())
    }

    /// Length and digest of a file's contents; reads it only where the memo cannot tell.
    pub fn file(&self, path: &Path) -> Result<FileDigest, ArtifactError> {
        let before = self.stat(path)?;
        if let Some(digest) = before.and_then(|(id, stamp)| self.known(id, stamp)) {
            return Ok(digest);
        }
        let seen_ns = now_ns();
        let found = hash_file(path)?;
        if let Some((id, stamp)) = before
            && self.stat(path)? == before
        {
            let mut state = self.state();
            state.table.insert(id, Entry { stamp, seen_ns, digest: found.digest });
            state.changed = true;
        }
        Ok(found)
    }

    /// Forgets a file, or every file below a folder, so that it is read when it is next asked for.
    /// What `stat` cannot tell now is not found in the memo later either.
    pub fn forget(&self, path: &Path) {
        for entry in walkdir::WalkDir::new(path).into_iter().flatten() {
            if let Ok(Some((id, _))) = self.stat(entry.path()) {
                let mut state = self.state();
                state.changed |= state.table.remove(id);
            }
        }
    }

    /// What identifies a file and its state, where that can be relied on.
    #[cfg(unix)]
    fn stat(&self, path: &Path) -> Result<Option<(FileId, Stamp)>, ArtifactError> {
        use std::os::unix::fs::MetadataExt as _;
        let mut meta = fs::metadata(path)?;
        let device = meta.dev();
        let Some((file_system, promise)) = self.promise(device, path) else { return Ok(None) };
        if promise == Promise::Opened && meta.is_file() {
            meta = fs::File::open(path)?.metadata()?;
        }
        let ns =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        let id = FileId { file_system, device, inode: meta.ino() };
        let stamp = Stamp {
            bytes: meta.size(),
            modified_ns: ns(meta.mtime(), meta.mtime_nsec()),
            changed_ns: ns(meta.ctime(), meta.ctime_nsec()),
        };
        Ok(Some((id, stamp)))
    }

    /// Without a time of status change nothing can be remembered safely.
    #[cfg(not(unix))]
    fn stat(&self, _path: &Path) -> Result<Option<(FileId, Stamp)>, ArtifactError> {
        Ok(None)
    }

    /// The number of the file system on a device and what it promises; a path on it tells.
    fn promise(&self, device: u64, path: &Path) -> Option<(u64, Promise)> {
        if let Some(known) = self.state().devices.get(&device) {
            return *known;
        }
        let asked = (self.file_system)(path).and_then(|file_system| {
            let promise = promise::promise(file_system, promise::major(device))?;
            Some((file_system.id, promise))
        });
        self.state().devices.insert(device, asked);
        asked
    }

    fn known(&self, id: FileId, stamp: Stamp) -> Option<FileDigest> {
        let entry = self.state().table.get(id)?;
        let settled = stamp.changed_ns.saturating_add(RACY_NS) < entry.seen_ns;
        (entry.stamp == stamp && settled)
            .then_some(FileDigest { bytes: stamp.bytes, digest: entry.digest })
    }

    /// A thread that panicked left the table whole: every change to it is one insertion.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash_file(path: &Path) -> Result<FileDigest, ArtifactError> {
    let mut file = fs::File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 17];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(FileDigest { bytes, digest: hasher.finalize().into() }),
            read => {
                hasher.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
}

fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
impl StatMemo {
    /// Makes the memo believe that a file, as it is now, has this digest; says whether it remembers
    /// anything on that file system.
    pub(crate) fn believe(&self, path: &Path, digest: Digest) -> bool {
        let Ok(Some((id, stamp))) = self.stat(path) else { return false };
        self.state().table.insert(id, Entry { stamp, seen_ns: i64::MAX, digest });
        true
    }
}

#[cfg(test)]
mod tests;
