//! Locks that spare work being done twice, where the file system has any.
//!
//! Nothing is sound because of them: results are placed whole, checked by content, and two processes
//! that make the same key end with one record. A network file system may have no locks, or such as
//! reach no other machine; a file `without-locks` in the store's folder says not to try.

use std::fs::TryLockError;
use std::io::ErrorKind;
use std::path::Path;

use fs_err as fs;

use super::Store;
use crate::ArtifactError;

/// Where this lies in a store, nobody locks.
const WITHOUT: &str = "without-locks";
/// What Linux answers where the server of a network file system has no locks (`ENOLCK`).
const NO_LOCKS: i32 = 37;

/// A lock that is held; the operating system lets go of it if the process dies.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, never read")] fs::File);

/// What came of asking for a lock.
pub(super) enum Asked {
    Held(Lock),
    /// Another process has it.
    Taken(fs::File),
    /// This file system has none.
    None,
}

impl Store {
    /// Whether this store's users do without locks.
    pub(super) fn is_without_locks(&self) -> bool {
        self.root().join(WITHOUT).exists()
    }

    /// The lock of a key, or of a part of one, waited for if need be; `None` where there are no locks.
    pub(super) fn lock(
        &self,
        stage: &str,
        name: &str,
        waiting: impl FnOnce(),
    ) -> Result<Option<Lock>, ArtifactError> {
        if self.is_without_locks() {
            return Ok(None);
        }
        let folder = self.root().join("locks");
        fs::create_dir_all(&folder)?;
        match ask(open(&folder.join(format!("{stage}-{name}")))?)? {
            Asked::Held(lock) => Ok(Some(lock)),
            Asked::None => Ok(None),
            Asked::Taken(file) => {
                waiting();
                file.lock()?;
                Ok(Some(Lock(file)))
            }
        }
    }
}

/// Opens a file to be locked, making it if need be.
pub(super) fn open(path: &Path) -> Result<fs::File, ArtifactError> {
    let mut options = fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    Ok(options.open(path)?)
}

/// Asks for a lock that nobody else has any beside.
pub(super) fn ask(file: fs::File) -> Result<Asked, ArtifactError> {
    // The inner file, whose errors have their numbers still.
    match file.file().try_lock() {
        Ok(()) => Ok(Asked::Held(Lock(file))),
        Err(TryLockError::WouldBlock) => Ok(Asked::Taken(file)),
        Err(TryLockError::Error(error)) if has_none(&error) => Ok(Asked::None),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// A lock that others may have beside.
pub(super) fn share(file: fs::File) -> Result<Option<Lock>, ArtifactError> {
    match file.file().lock_shared() {
        Ok(()) => Ok(Some(Lock(file))),
        Err(error) if has_none(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn has_none(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::Unsupported || error.raw_os_error() == Some(NO_LOCKS)
}
