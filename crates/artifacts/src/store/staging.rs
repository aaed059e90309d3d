//! Work in progress: a folder of its own under a lock, moved into the store when it is whole.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::locks::Lock;
use super::{Lookup, Store};
use crate::atomic::{host, sync_folder, sync_tree, unique_suffix};
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
    /// Held until the staging goes.
    _lock: Option<Lock>,
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
    /// end, and takes its result if there is one. Where locks do not reach, both do the work, and
    /// [`Self::commit`] makes one result of it.
    pub fn begin(
        &self,
        stage: &str,
        key: &Digest,
        waiting: impl FnOnce(),
    ) -> Result<Begun, ArtifactError> {
        self.begin_named(stage, key, &key.to_string(), waiting)
    }

    /// Begins a part of the work for a key: as [`Self::begin`], beside others at other parts of the same.
    /// What is made of it goes to [`Self::partial`]; it is not committed.
    pub fn begin_part(
        &self,
        stage: &str,
        key: &Digest,
        part: &str,
        waiting: impl FnOnce(),
    ) -> Result<Begun, ArtifactError> {
        self.begin_named(stage, key, &format!("{key}.{part}"), waiting)
    }

    fn begin_named(
        &self,
        stage: &str,
        key: &Digest,
        name: &str,
        waiting: impl FnOnce(),
    ) -> Result<Begun, ArtifactError> {
        let lock = self.lock(stage, name, waiting)?;
        if let Lookup::Fresh(record) = self.lookup(stage, key)? {
            return Ok(Begun::Made(record));
        }
        let staging = self.root().join("staging");
        fs::create_dir_all(&staging)?;
        if lock.is_some() {
            clear(&staging, &format!("{stage}-{name}-{}-", host()))?;
        }
        let folder = staging.join(format!("{stage}-{name}-{}", unique_suffix()));
        fs::create_dir(&folder)?;
        fs::create_dir(folder.join("out"))?;
        Ok(Begun::Staging(Staging { folder, key: *key, stage: stage.to_owned(), _lock: lock }))
    }

    /// A folder, made if need be, for what the stage can go on from if it is killed: it outlasts the
    /// staging, and goes once the key has a record. Files come there by a move from the staging's folder.
    pub fn partial(&self, staging: &Staging) -> Result<PathBuf, ArtifactError> {
        let folder = self.partial_folder(&staging.stage, &staging.key);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Where [`Self::partial`] is for a key, whether it exists or not.
    pub fn partial_folder(&self, stage: &str, key: &Digest) -> PathBuf {
        self.root().join("partial").join(format!("{stage}-{key}"))
    }

    /// Notes that a part is done.
    pub fn end_part(&self, staging: &Staging, part: &str) -> Result<(), ArtifactError> {
        write_atomically(&self.partial(staging)?.join(format!("{part}.{DONE}")), &[])
    }

    /// Whether a part was noted to be done, and what it left still waits to be put together. What is not
    /// whole there is for the whole to find.
    pub fn is_part_done(&self, stage: &str, key: &Digest, part: &str) -> bool {
        self.partial_folder(stage, key).join(format!("{part}.{DONE}")).exists()
    }

    /// Forgets which parts were done; what they left stays, for them to be done sooner again.
    pub fn forget_parts(&self, stage: &str, key: &Digest) -> Result<(), ArtifactError> {
        let entries = match fs::read_dir(self.partial_folder(stage, key)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == DONE) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Makes staged outputs the result of their key: syncs them, moves them into place, and writes
    /// the record last. `names` are the outputs' names by role; what the stage wrote must be these.
    /// Where another process has made a whole result in the meantime, that one stays and is returned.
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
        let record = Record::new(parts.clone(), outputs, provenance)?;
        if let Some(theirs) = self.place(&staging, &record)? {
            return Ok(theirs);
        }
        let file = self.record_file(&staging.stage, &key);
        write_atomically(&file, &serde_json::to_vec_pretty(&record)?)?;
        // The result stands; what cannot be removed is old one day.
        self.remove_whole(&self.partial_folder(&staging.stage, &key)).ok();
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

    /// Moves the outputs into place; or returns the record of another process that was faster.
    fn place(&self, staging: &Staging, record: &Record) -> Result<Option<Record>, ArtifactError> {
        let (stage, key) = (&staging.stage, &staging.key);
        let place = self.outputs(stage, key);
        let folder = place.parent().unwrap_or(self.root());
        fs::create_dir_all(folder)?;
        for attempt in 0..ATTEMPTS {
            if let Lookup::Fresh(theirs) = self.lookup(stage, key)? {
                return Ok(Some(*theirs));
            }
            // The same bytes are left alone: somebody may have begun to read them.
            if self.lies_there(record)? {
                return Ok(None);
            }
            self.make_room(staging, attempt)?;
            match fs::rename(staging.out(), &place) {
                Ok(()) => return sync_folder(folder).map(|()| None),
                Err(error) if is_taken(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(ArtifactError::Contended(place))
    }

    /// Whether the outputs in place are those that the record names.
    fn lies_there(&self, record: &Record) -> Result<bool, ArtifactError> {
        let folder = self.outputs(&record.parts.stage, &record.key);
        for (role, output) in &record.outputs {
            if self.damage(&folder, role, output)?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes away what lies in the place, record before outputs, so that no record ever stands
    /// beside other outputs than its own.
    fn make_room(&self, staging: &Staging, attempt: usize) -> Result<(), ArtifactError> {
        unless_gone(fs::remove_file(self.record_file(&staging.stage, &staging.key)))?;
        let place = self.outputs(&staging.stage, &staging.key);
        unless_gone(fs::rename(place, staging.folder.join(format!("damaged-{attempt}"))))
    }
}

/// What the name of a file ends with that says that a part is done.
const DONE: &str = "done";

/// How often outputs are moved to where another process keeps putting its own.
const ATTEMPTS: usize = 5;

fn is_taken(error: &std::io::Error) -> bool {
    [ErrorKind::DirectoryNotEmpty, ErrorKind::AlreadyExists].contains(&error.kind())
}

fn unless_gone(done: std::io::Result<()>) -> Result<(), ArtifactError> {
    match done {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Clears away what processes of this machine that died left of a key; its lock is held. Those of
/// other machines may be alive, where a lock does not reach them. A stage that has outlived its parent
/// may still write there: the move takes the ground from under it.
fn clear(staging: &Path, prefix: &str) -> Result<(), ArtifactError> {
    for entry in fs::read_dir(staging)? {
        let left = entry?.path();
        if left.file_name().and_then(|name| name.to_str()).is_some_and(|n| n.starts_with(prefix)) {
            let dead = left.with_file_name(format!("dead-{}", unique_suffix()));
            fs::rename(left, &dead)?;
            fs::remove_dir_all(dead).ok();
        }
    }
    Ok(())
}
