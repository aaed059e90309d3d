//! Copies of results where people and other programs look for them: `results/<pipeline>/`.

use std::path::{Path, PathBuf};

use ambivox_artifacts::{StatMemo, write_atomically};
use anyhow::Result;
use fs_err as fs;

/// Copies `from` to `to` unless it is there already; a reader finds the old file or the new one.
pub(crate) fn publish(memo: &StatMemo, from: &Path, to: &Path) -> Result<PathBuf> {
    let same = to.is_file() && memo.file(to)? == memo.file(from)?;
    if !same {
        write_atomically(to, &fs::read(from)?)?;
    }
    Ok(fs::canonicalize(to)?)
}

/// Makes a results folder and keeps other processes from publishing there while the file lives.
pub(crate) fn lock(folder: &Path) -> Result<fs::File> {
    fs::create_dir_all(folder)?;
    let mut options = fs::OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(folder.join(".lock"))?;
    // Where a network file system has no locks, two may publish by turns, every file of it whole.
    file.lock().ok();
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_publishes() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path().join("results/demo");
        let held = lock(&results).unwrap();
        let other = fs::File::open(results.join(".lock")).unwrap();
        assert!(other.try_lock().is_err());
        drop(held);
        assert!(other.try_lock().is_ok());
    }

    #[test]
    fn copies_what_changed_and_mends_what_was_edited() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("results/demo/a"));
        let memo = StatMemo::in_memory();
        for text in ["one", "two"] {
            fs::write(&from, text).unwrap();
            publish(&memo, &from, &to).unwrap();
            assert_eq!(fs::read_to_string(&to).unwrap(), text);
        }
        fs::write(&to, "edited").unwrap();
        publish(&memo, &from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "two");
        let unchanged = fs::metadata(&to).unwrap().modified().unwrap();
        publish(&memo, &from, &to).unwrap();
        assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), unchanged);
    }
}
