//! Archives that a download brings.

use std::path::Path;

use ambivox_fetch::unpack;
use ambivox_settings::{Archive, ArchiveKind};
use fs_err as fs;

use crate::with_file;

/// What is allowed here; far more than the archives in the corpus need.
const BYTES: u64 = 1 << 16;
const ENTRIES: u64 = 20;

/// Archives of both forms: nothing but files and folders, all of it below the folder, and no more
/// bytes than allowed.
pub fn archive(bytes: &[u8]) {
    let both = [ArchiveKind::Zip, ArchiveKind::TarGz];
    for (kind, below) in both.into_iter().flat_map(|kind| [(kind, None), (kind, Some("a"))]) {
        with_file("archive", bytes, |folder| {
            let into = folder.join("into");
            fs::create_dir(&into).unwrap();
            let allowed =
                Archive { kind, bytes: BYTES, entries: ENTRIES, folder: below.map(str::to_owned) };
            drop(unpack(&folder.join("archive"), &allowed, &into));
            assert_eq!(fs::read_dir(folder).unwrap().count(), 2);
            assert!(total(&into) <= BYTES);
        });
    }
}

/// Bytes of all files below a folder, which holds only files and folders.
fn total(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let sizes = entries.map(|entry| {
        let about = entry.path().symlink_metadata().unwrap();
        assert!(about.is_file() || about.is_dir(), "{}", entry.path().display());
        if about.is_dir() { total(&entry.path()) } else { about.len() }
    });
    sizes.sum()
}
