//! Files that are either whole or not there.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use fs_err as fs;

use crate::ArtifactError;

/// Writes `bytes` to `path` so that a reader, or a crash at any moment, finds the old file or the
/// new one, never a part: into a file beside it, synced, then renamed. Makes the folder if needed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", unique_suffix()));
    let beside = folder.join(name);
    write_synced(&beside, bytes).and_then(|()| Ok(fs::rename(&beside, path)?)).inspect_err(
        |_| {
            // The first error is the one to tell; a leftover file is never read.
            fs::remove_file(&beside).ok();
        },
    )?;
    sync_folder(folder)
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

/// A name no other process that is alive, and no other call in this one, uses.
pub(crate) fn unique_suffix() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// Makes renames in a folder outlast a crash.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), ArtifactError> {
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// Makes a folder's whole contents outlast a crash.
pub(crate) fn sync_tree(folder: &Path) -> Result<(), ArtifactError> {
    for entry in walkdir::WalkDir::new(folder).contents_first(true) {
        let entry = entry?;
        if entry.file_type().is_dir() {
            sync_folder(entry.path())?;
        } else {
            fs::File::open(entry.path())?.sync_all()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/record.json");
        write_atomically(&file, b"one").unwrap();
        write_atomically(&file, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }
}
