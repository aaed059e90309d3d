//! The store: outputs under the keys of what made them.
//!
//! ```text
//! store/objects/<stage>/<key>/      outputs, moved here whole
//!       records/<stage>/<key>.json  written last: without it the outputs do not count
//!       slots/<digest>.json         which key a stage of a pipeline last had
//!       locks/<stage>-<key>         held by the process that works on a key, or with `.<part>` on a part
//!       staging/<stage>-<key>-…/    work in progress
//!       partial/<stage>-<key>/      what a stage can go on from if it is killed
//!       memo                        digests by stat
//!       in-use                      held by all who use the store, and by none while it is cleared up
//!       without-locks               if it is there, nobody locks
//! ```
//!
//! A process may be killed at any moment: what it had not recorded is never found, its lock dies
//! with it, and whoever begins the same key next on that machine clears its staging folder away. What
//! lies in `partial` stays, and whoever reads it checks it. It comes there whole from a staging folder,
//! so a stage that has outlived its lock's holder for a moment has lost its way there; or is appended to
//! a file that no other process writes to.
//!
//! The folder may be on a network file system that several machines see, each a little late: a record
//! counts only beside outputs of its own content, so that what is seen early or in part is not there
//! yet. Locks spare work being done twice, and no more than that.

mod garbage;
mod locks;
mod records;
mod slots;
mod staging;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::record::Found;
use crate::{ArtifactError, Digest, Output, Record, StaleReason, StatMemo};
pub use garbage::{Garbage, Hold};
pub use records::Records;
pub use staging::{Begun, Staging};

/// A folder of results by key. Shared between threads and processes.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    memo: StatMemo,
}

/// What the store has for a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// The outputs, all as they were written.
    Fresh(Box<Record>),
    /// A record that is damaged, or outputs that are missing or altered.
    Damaged(Vec<StaleReason>),
    /// Nothing.
    Absent,
}

impl Store {
    /// Opens the store at `root`, making the folder if there is none.
    pub fn open(root: &Path) -> Result<Self, ArtifactError> {
        if !root.exists() {
            fs::create_dir_all(root)?;
        }
        let root = fs::canonicalize(root)?;
        let memo = StatMemo::load(root.join("memo"));
        Ok(Self { root, memo })
    }

    /// The store's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Digests by stat, kept with the store.
    pub fn memo(&self) -> &StatMemo {
        &self.memo
    }

    /// Where the outputs of a key lie once they are made.
    pub fn outputs(&self, stage: &str, key: &Digest) -> PathBuf {
        self.root.join("objects").join(stage).join(key.to_string())
    }

    /// Where one output of a record lies; `None` if the stage has no output of that role.
    pub fn output(&self, record: &Record, role: &str) -> Option<PathBuf> {
        let folder = self.outputs(&record.parts.stage, &record.key);
        record.outputs.get(role).map(|output| folder.join(&output.name))
    }

    /// What there is for a key, every output compared with its record.
    pub fn lookup(&self, stage: &str, key: &Digest) -> Result<Lookup, ArtifactError> {
        let record = match self.found(stage, key)? {
            Some(Found::Whole(record)) => record,
            Some(Found::Damaged) => return Ok(Lookup::Damaged(vec![StaleReason::RecordDamaged])),
            Some(Found::Outdated) | None => return Ok(Lookup::Absent),
        };
        let folder = self.outputs(stage, key);
        let mut damage = Vec::new();
        for (role, output) in &record.outputs {
            damage.extend(self.damage(&folder, role, output)?);
        }
        Ok(if damage.is_empty() { Lookup::Fresh(record) } else { Lookup::Damaged(damage) })
    }

    fn damage(
        &self,
        folder: &Path,
        role: &str,
        output: &Output,
    ) -> Result<Option<StaleReason>, ArtifactError> {
        let missing = || StaleReason::OutputMissing { role: role.to_owned() };
        let path = folder.join(&output.name);
        if !path.exists() {
            return Ok(Some(missing()));
        }
        match self.memo.content(&path) {
            // Where locks do not reach, another machine may have moved it away since.
            Err(ArtifactError::Io(error)) if error.kind() == ErrorKind::NotFound => {
                Ok(Some(missing()))
            }
            Err(error) => Err(error),
            Ok(found) if found.digest == output.digest => Ok(None),
            Ok(_) => Ok(Some(StaleReason::OutputAltered { role: role.to_owned() })),
        }
    }

    /// The record of a key, its outputs not looked at. One that is not whole or not of this version
    /// does not count.
    pub fn record(&self, stage: &str, key: &Digest) -> Result<Option<Record>, ArtifactError> {
        Ok(match self.found(stage, key)? {
            Some(Found::Whole(record)) => Some(*record),
            _ => None,
        })
    }

    fn found(&self, stage: &str, key: &Digest) -> Result<Option<Found>, ArtifactError> {
        let bytes = read_if_there(&self.record_file(stage, key))?;
        Ok(bytes.map(|bytes| Record::read(&bytes, key)))
    }

    fn record_file(&self, stage: &str, key: &Digest) -> PathBuf {
        self.root.join("records").join(stage).join(format!("{key}.json"))
    }
}

fn read_if_there(file: &Path) -> Result<Option<Vec<u8>>, ArtifactError> {
    match fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
