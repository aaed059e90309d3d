//! Room on the disk, before anything is written to it.

use std::path::Path;

use crate::FeatureError;

/// An error where the disk of a table of frames has less room than they take, as far as that is known.
pub(crate) fn check_room(bytes: Option<u64>, file: Option<&Path>) -> Result<(), FeatureError> {
    let Some((bytes, folder)) = bytes.zip(file.and_then(Path::parent)) else { return Ok(()) };
    // Where the system does not tell, writing will.
    let Ok(disk) = rustix::fs::statvfs(folder) else { return Ok(()) };
    let free = disk.f_bavail * disk.f_frsize;
    let folder = folder.to_path_buf();
    if free < bytes { Err(FeatureError::NoRoom { bytes, free, folder }) } else { Ok(()) }
}
