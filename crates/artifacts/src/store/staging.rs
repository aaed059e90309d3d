//! Work in progress: a folder of its own under a lock, moved into the store when it is whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::TryLockError;
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::{Lookup, Store};
use crate::atomic::{sync_folder, sync_tree, unique_suffix};
use crate::{ArtifactError, Digest, KeyParts, Output, Provenance, Record, write_atomically};

/// What comes of beginning a key.
#[derive(Debug)]
pub enum Begun {
    /// The work is the caller's.
    Staging(Staging),
    /// Another process did it in the meantime.
    Made(Box<Record>),
}

/// A folder to work in. Dropped without [`Store::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct Staging {
    folder: PathBuf,
    key: Digest,
    stage: String,
    /// Held until the staging goes; the operating system lets go of it if the process dies.
    _lock: fs::File,
}

impl Staging {
    /// A folder for the caller's own files, such as the request; it goes with the staging.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder for the outputs; it exists and is empty at first.
    pub fn out(&self) -> PathBuf {
        self.folder.join("out")
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Whoever begins this key next clears what could not be removed here.
        fs::remove_dir_all(&self.folder).ok();
    }
}

impl Store {
    /// Begins the work for a key. Where another process is at it, calls `waiting`, waits for it to
    /// end, and takes its result if there is one.
    pub fn begin(
        &self,
        stage: &str,
        key: &Digest,
        waiting: impl FnOnce(),
    ) -> Result<Begun, ArtifactError> {
        let lock = self.lock(stage, key)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting();
                lock.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        if let Lookup::Fresh(record) = self.lookup(stage, key)? {
            return Ok(Begun::Made(record));
        }
        self.clear(stage, key)?;
        let name = format!("{stage}-{key}-{}", unique_suffix());
        let folder = self.root().join("staging").join(name);
        fs::create_dir_all(folder.join("out"))?;
        Ok(Begun::Staging(Staging { folder, key: *key, stage: stage.to_owned(), _lock: lock }))
    }

    fn lock(&self, stage: &str, key: &Digest) -> Result<fs::File, ArtifactError> {
        let folder = self.root().join("locks");
        fs::create_dir_all(&folder)?;
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(false).write(true);
        Ok(options.open(folder.join(format!("{stage}-{key}")))?)
    }

    /// Clears away what processes that died left of this key; its lock is held. A stage that has
    /// outlived its parent may still write there: the move takes the ground from under it.
    fn clear(&self, stage: &str, key: &Digest) -> Result<(), ArtifactError> {
        let prefix = format!("{stage}-{key}-");
        let staging = self.root().join("staging");
        fs::create_dir_all(&staging)?;
        for entry in fs::read_dir(staging)? {
            let left = entry?.path();
            if left
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|n| n.starts_with(&prefix))
            {
                let dead = left.with_file_name(format!("dead-{}", unique_suffix()));
                fs::rename(left, &dead)?;
                fs::remove_dir_all(dead).ok();
            }
        }
        Ok(())
    }

    /// Makes staged outputs the result of their key: syncs them, moves them into place, and writes
    /// the record last. `names` are the outputs' names by role; what the stage wrote must be these.
    pub fn commit(
        &self,
        staging: Staging,
        parts: &KeyParts,
        names: &[(&str, &str)],
        provenance: Provenance,
    ) -> Result<Record, ArtifactError> {
        let (key, out) = (staging.key, staging.out());
        let outputs = self.staged_outputs(&out, names)?;
        sync_tree(&out)?;
        self.replace(&staging)?;
        let record =
            Record { schema: Record::SCHEMA, key, parts: parts.clone(), outputs, provenance };
        let file = self.record_file(&staging.stage, &key);
        write_atomically(&file, &serde_json::to_vec_pretty(&record)?)?;
        // Only now may a process that waits for the lock look for the record.
        drop(staging);
        Ok(record)
    }

    fn staged_outputs(
        &self,
        out: &Path,
        names: &[(&str, &str)],
    ) -> Result<BTreeMap<String, Output>, ArtifactError> {
        let expected: BTreeSet<&str> = names.iter().map(|(_, name)| *name).collect();
        for entry in fs::read_dir(out)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !expected.contains(name.as_str()) {
                return Err(ArtifactError::UnexpectedOutput(name));
            }
        }
        names.iter().map(|(role, name)| self.staged_output(out, role, name)).collect()
    }

    fn staged_output(
        &self,
        out: &Path,
        role: &str,
        name: &str,
    ) -> Result<(String, Output), ArtifactError> {
        let (role, name, path) = (role.to_owned(), name.to_owned(), out.join(name));
        if !path.exists() {
            return Err(ArtifactError::OutputNotWritten { role, name });
        }
        let content = self.memo().content(&path)?;
        Ok((role, Output { name, bytes: content.bytes, digest: content.digest }))
    }

    /// Moves the outputs into place. A damaged result that lies there goes first, record before
    /// outputs, so that no record ever stands beside other outputs than its own.
    fn replace(&self, staging: &Staging) -> Result<(), ArtifactError> {
        let record = self.record_file(&staging.stage, &staging.key);
        if record.exists() {
            fs::remove_file(&record)?;
        }
        let place = self.outputs(&staging.stage, &staging.key);
        if place.exists() {
            fs::rename(&place, staging.folder.join("damaged"))?;
        }
        let folder = place.parent().unwrap_or(self.root());
        fs::create_dir_all(folder)?;
        fs::rename(staging.out(), &place)?;
        sync_folder(folder)
    }
}
