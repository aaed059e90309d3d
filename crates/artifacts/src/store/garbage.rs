//! What nobody needs any more, and its removal.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::SystemTime;

use fs_err as fs;

use super::Store;
use super::locks::{Asked, Lock, ask, open, share};
use super::records::entries;
use crate::atomic::unique_suffix;
use crate::{ArtifactError, Digest};

/// Outputs that can go, with their record if they have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Garbage {
    /// The stage that made them.
    pub stage: String,
    /// Their key.
    pub key: Digest,
    /// Their length.
    pub bytes: u64,
}

/// Held by those who use a store, or by the one who clears it up.
#[derive(Debug)]
pub struct Hold {
    _lock: Lock,
}

impl Store {
    /// Keeps others from clearing up while the hold lives. `None` where the store cannot be written,
    /// so that nobody can clear it up either, or has no locks, so that nobody will.
    pub fn hold(&self) -> Result<Option<Hold>, ArtifactError> {
        let Ok(lock) = self.lock_of_all() else { return Ok(None) };
        if self.is_without_locks() {
            return Ok(None);
        }
        Ok(share(lock)?.map(|lock| Hold { _lock: lock }))
    }

    /// A hold that nobody else has any beside; `None` where somebody uses the store. Where locks do
    /// not tell, that is an error.
    pub fn hold_alone(&self) -> Result<Option<Hold>, ArtifactError> {
        let lock = self.lock_of_all()?;
        if self.is_without_locks() {
            return Err(ArtifactError::NoLocks(self.root().to_path_buf()));
        }
        match ask(lock)? {
            Asked::Held(lock) => Ok(Some(Hold { _lock: lock })),
            Asked::Taken(_) => Ok(None),
            Asked::None => Err(ArtifactError::NoLocks(self.root().to_path_buf())),
        }
    }

    fn lock_of_all(&self) -> Result<fs::File, ArtifactError> {
        open(&self.root().join("in-use"))
    }

    /// The keys that places of a pipeline had last, where `is_place` still knows the place.
    pub fn last_keys(
        &self,
        pipeline: &str,
        is_place: impl Fn(&str) -> bool,
    ) -> Result<BTreeSet<Digest>, ArtifactError> {
        let slots = self.slots()?.into_iter().map(|(_, slot)| slot);
        let kept = slots.filter(|slot| slot.pipeline == pipeline && is_place(&slot.place));
        Ok(kept.map(|slot| slot.key).collect())
    }

    /// Outputs under other keys than these, and older than `since`; by stage and key.
    pub fn garbage(
        &self,
        keep: &BTreeSet<Digest>,
        since: SystemTime,
    ) -> Result<Vec<Garbage>, ArtifactError> {
        let mut garbage = Vec::new();
        for (stage, folder) in entries(&self.root().join("objects"))? {
            for (name, outputs) in entries(&folder)? {
                let Ok(key) = name.parse::<Digest>() else { continue };
                if !keep.contains(&key) && fs::metadata(&outputs)?.modified()? < since {
                    garbage.push(Garbage { stage: stage.clone(), key, bytes: size(&outputs)? });
                }
            }
        }
        Ok(garbage)
    }

    /// Removes outputs, their record first; `alone` makes sure that nobody reads them.
    pub fn discard(&self, garbage: &Garbage, _alone: &Hold) -> Result<(), ArtifactError> {
        let record = self.record_file(&garbage.stage, &garbage.key);
        if record.exists() {
            fs::remove_file(record)?;
        }
        self.remove_whole(&self.outputs(&garbage.stage, &garbage.key))
    }

    /// Removes what is left over once outputs are gone: staging folders of dead processes, what they
    /// could have gone on from if that is older than `since`, and slots without a record.
    pub fn sweep(&self, since: SystemTime, _alone: &Hold) -> Result<(), ArtifactError> {
        for (_, folder) in entries(&self.root().join("staging"))? {
            fs::remove_dir_all(folder)?;
        }
        for (_, folder) in entries(&self.root().join("partial"))? {
            if fs::metadata(&folder)?.modified()? < since {
                fs::remove_dir_all(folder)?;
            }
        }
        for (file, slot) in self.slots()? {
            if self.record(&slot.stage, &slot.key)?.is_none() {
                fs::remove_file(file)?;
            }
        }
        // What earlier versions kept there, keys name no more.
        for (_, file) in entries(&self.root().join("code"))? {
            fs::remove_file(file)?;
        }
        Ok(())
    }

    /// Moves a folder out of the way before it is taken apart, so that no part of it is ever found.
    pub(super) fn remove_whole(&self, folder: &Path) -> Result<(), ArtifactError> {
        let staging = self.root().join("staging");
        fs::create_dir_all(&staging)?;
        let dead = staging.join(format!("dead-{}", unique_suffix()));
        fs::rename(folder, &dead)?;
        Ok(fs::remove_dir_all(dead)?)
    }
}

fn size(folder: &Path) -> Result<u64, ArtifactError> {
    let mut bytes = 0;
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry?;
        if entry.file_type().is_file() {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
