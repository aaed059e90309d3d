//! The program that tasks run, kept in the store: a build that comes later does not reach them.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ambivox_artifacts::{Digest, StatMemo, sync_tree};
use anyhow::{Context as _, Result, ensure};
use fs_err as fs;

/// The program's name.
const NAME: &str = "ambivox";

/// A copy of a program, in the store, under a digest of its contents.
pub(super) fn kept(store: &Path, program: &Path) -> Result<PathBuf> {
    let digest = digest(program)?;
    let place = folder(store).join(digest.short());
    let kept = place.join(NAME);
    let is_there = || self::digest(&kept).is_ok_and(|there| there == digest);
    if is_there() {
        return Ok(kept);
    }
    // Nobody else writes to this folder, and a rename shows it whole.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let beside = place.with_extension(format!("{}-{now}.new", std::process::id()));
    fs::create_dir_all(&beside)?;
    fs::copy(program, beside.join(NAME))?;
    let copied = self::digest(&beside.join(NAME))?;
    ensure!(copied == digest, "the program was rebuilt meanwhile; run again");
    sync_tree(&beside)?;
    place_whole(&beside, &place, is_there)?;
    Ok(kept)
}

/// Digest of every byte.
fn digest(program: &Path) -> Result<Digest> {
    Ok(StatMemo::in_memory().file(program)?.digest)
}

/// The name of the folder that a program lies in.
pub(super) fn name(program: &Path) -> Result<String> {
    let folder = program.parent().and_then(Path::file_name).context("a program in no folder")?;
    Ok(folder.to_string_lossy().into_owned())
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

    fn program(folder: &Path, text: &str) -> PathBuf {
        let file = folder.join("built");
        fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn copies_are_what_was_copied_and_a_damaged_one_is_replaced() {
        let (here, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = kept(store.path(), &program(here.path(), "one")).unwrap();
        let again = kept(store.path(), &program(here.path(), "one")).unwrap();
        assert_eq!(first, again);
        assert_eq!(fs::read_to_string(&first).unwrap(), "one");
        // Of the same length, as where a disk lost what was written.
        fs::write(&first, "\0\0\0").unwrap();
        let mended = kept(store.path(), &program(here.path(), "one")).unwrap();
        assert_eq!(mended, first);
        assert_eq!(fs::read_to_string(&first).unwrap(), "one");
        let other = kept(store.path(), &program(here.path(), "two")).unwrap();
        assert_ne!(other, first);
        assert_eq!(fs::read_to_string(&first).unwrap(), "one", "a build reached its jobs");
        assert_eq!(
            fs::read_dir(folder(store.path())).unwrap().count(),
            2,
            "something is left over"
        );
    }
}
