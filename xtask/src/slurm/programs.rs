//! The programs that tasks run, kept in the store: a build that comes later does not reach them.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ambivox_artifacts::{Digest, Encoder, StatMemo, sync_tree};
use anyhow::{Context as _, Result, ensure};
use fs_err as fs;

use crate::binary::Binary;

/// Where the programs of a submission lie.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    /// This program.
    pub(super) worker: PathBuf,
    /// The stage program.
    pub(super) stages: PathBuf,
}

impl Programs {
    /// Those in use, where they lie.
    pub(super) fn here(stages: &Path) -> Result<Self> {
        Ok(Self { worker: std::env::current_exe()?, stages: stages.to_path_buf() })
    }

    /// Copies of those in use, in the store, under a digest of their contents.
    pub(super) fn kept(store: &Path, stages: &Binary) -> Result<Self> {
        let here = Self::here(stages.path())?;
        let digest = here.digest()?;
        let place = folder(store).join(digest.short());
        let kept = Self { worker: place.join("xtask"), stages: place.join("ambivox") };
        if kept.digest().is_ok_and(|there| there == digest) {
            return Ok(kept);
        }
        // Nobody else writes to this folder, and a rename shows it whole.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let beside = place.with_extension(format!("{}-{now}.new", std::process::id()));
        fs::create_dir_all(&beside)?;
        let copies = Self { worker: beside.join("xtask"), stages: beside.join("ambivox") };
        fs::copy(&here.worker, &copies.worker)?;
        fs::copy(&here.stages, &copies.stages)?;
        ensure!(copies.digest()? == digest, "the programs were rebuilt meanwhile; run again");
        sync_tree(&beside)?;
        place_whole(&beside, &place, || kept.digest().is_ok_and(|there| there == digest))?;
        Ok(kept)
    }

    /// Digest of both, every byte of them read.
    fn digest(&self) -> Result<Digest> {
        let memo = StatMemo::in_memory();
        let worker = Encoder::new("ambivox programs").digest(&memo.file(&self.worker)?.digest);
        Ok(worker.digest(&memo.file(&self.stages)?.digest).finish())
    }

    /// The name of the folder that both lie in.
    pub(super) fn name(program: &Path) -> Result<String> {
        let folder =
            program.parent().and_then(Path::file_name).context("a program in no folder")?;
        Ok(folder.to_string_lossy().into_owned())
    }
}

/// Where programs lie in a store.
pub(super) fn folder(store: &Path) -> PathBuf {
    store.join("slurm/programs")
}

/// Moves a folder to its place, unless somebody has put the same there meanwhile. What lies there and is
/// not that is damaged, and goes.
fn place_whole(beside: &Path, place: &Path, is_there: impl Fn() -> bool) -> Result<()> {
    let damaged = beside.with_extension("damaged");
    let placed = fs::rename(beside, place).or_else(|error| {
        if is_there() {
            return fs::remove_dir_all(beside);
        }
        fs::rename(place, &damaged).map_err(|_| error)?;
        fs::rename(beside, place)
    });
    // What cannot be removed is no program of any order, and is cleared up with those.
    fs::remove_dir_all(damaged).ok();
    Ok(placed?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(folder: &Path, text: &str) -> Binary {
        let file = folder.join("ambivox");
        fs::write(&file, text).unwrap();
        Binary::at(file).unwrap()
    }

    #[test]
    fn copies_are_what_was_copied_and_a_damaged_one_is_replaced() {
        let (here, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = Programs::kept(store.path(), &stages(here.path(), "one")).unwrap();
        let again = Programs::kept(store.path(), &stages(here.path(), "one")).unwrap();
        assert_eq!(first.stages, again.stages);
        assert_eq!(fs::read_to_string(&first.stages).unwrap(), "one");
        // Of the same length, as where a disk lost what was written.
        fs::write(&first.stages, "\0\0\0").unwrap();
        let mended = Programs::kept(store.path(), &stages(here.path(), "one")).unwrap();
        assert_eq!(mended.stages, first.stages);
        assert_eq!(fs::read_to_string(&first.stages).unwrap(), "one");
        let other = Programs::kept(store.path(), &stages(here.path(), "two")).unwrap();
        assert_ne!(other.stages, first.stages);
        assert_eq!(fs::read_to_string(&first.stages).unwrap(), "one", "a build reached its jobs");
        assert_eq!(
            fs::read_dir(folder(store.path())).unwrap().count(),
            2,
            "something is left over"
        );
    }
}
