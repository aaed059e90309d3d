//! Files that are either whole or not there.

use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;
use std::path::Path;
use std::sync::OnceLock;
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

/// A name that no other call uses, in this process or another, on this machine or another that has
/// the same files. It begins with [`host`] and `-`.
pub(crate) fn unique_suffix() -> String {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    // Numbers of processes are used again, and by every machine.
    let process = PROCESS.get_or_init(|| RandomState::new().hash_one(std::process::id()));
    format!("{}-{process:016x}-{}", host(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// This machine's name without `-`, in temporary names alone.
pub(crate) fn host() -> &'static str {
    static HOST: OnceLock<String> = OnceLock::new();
    HOST.get_or_init(|| {
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let name: String = name.trim().chars().map(plain).collect();
        if name.is_empty() { "host".to_owned() } else { name }
    })
}

/// Makes renames in a folder outlast a crash.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), ArtifactError> {
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// Makes a folder's whole contents outlast a crash.
pub fn sync_tree(folder: &Path) -> Result<(), ArtifactError> {
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
