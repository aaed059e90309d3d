//! The programs that tasks run, kept in the store: a build that comes later does not reach them.

use std::path::{Path, PathBuf};

use ambivox_artifacts::{Digest, Encoder, StatMemo};
use anyhow::{Context as _, Result};
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
    pub(super) fn kept(store: &Path, memo: &StatMemo, stages: &Binary) -> Result<Self> {
        let here = Self::here(stages.path())?;
        let digest = here.digest(memo)?;
        let place = folder(store).join(digest.short());
        let kept = Self { worker: place.join("xtask"), stages: place.join("ambivox") };
        if !place.is_dir() {
            // Nobody else writes to a folder named by this process, and a rename shows it whole.
            let beside = place.with_extension(format!("{}.new", std::process::id()));
            fs::create_dir_all(&beside)?;
            fs::copy(&here.worker, beside.join("xtask"))?;
            fs::copy(&here.stages, beside.join("ambivox"))?;
            // Whoever was faster has the same there.
            if let Err(error) = fs::rename(&beside, &place) {
                fs::remove_dir_all(&beside).ok();
                place.is_dir().then_some(()).ok_or(error)?;
            }
            stages.check()?;
        }
        Ok(kept)
    }

    fn digest(&self, memo: &StatMemo) -> Result<Digest> {
        let start = Encoder::new("ambivox programs");
        let worker = start.digest(&memo.file(&self.worker)?.digest);
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
