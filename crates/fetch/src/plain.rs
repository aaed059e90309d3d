//! Plain files and folders alone: where others may write too, nothing is opened through a link.

use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;

/// Opens a file. It is an error if a link lies there, no plain file, or one that has another name
/// elsewhere; so `options` must not truncate, which would come before that is known.
pub(crate) fn open(path: &Path, options: &mut fs::OpenOptions) -> Result<fs::File> {
    // Without waiting, as for a pipe that nobody writes to.
    let file = match options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path) {
        Err(_) if path.is_symlink() => return Err(planted(path)),
        opened => opened?,
    };
    let found = file.metadata()?;
    (found.is_file() && found.nlink() == 1).then_some(file).ok_or_else(|| planted(path))
}

/// As [`open`], for reading.
pub(crate) fn read(path: &Path) -> Result<fs::File> {
    open(path, fs::OpenOptions::new().read(true))
}

/// Makes a folder, and those that it lies in, from a folder `base` on. It is an error if a link lies
/// at any of these places.
pub(crate) fn folders(base: &Path, below: &Path) -> Result<()> {
    let mut path = base.to_owned();
    for part in below {
        path.push(part);
        folder(&path, || fs::create_dir(&path))?;
    }
    Ok(())
}

/// Makes a folder that no other user can write to or look into, if it is not there.
pub(crate) fn private(path: &Path) -> Result<()> {
    let named = |error: Error| Error::new(error.kind(), format!("{}: {error}", path.display()));
    folder(path, || std::fs::DirBuilder::new().mode(0o700).create(path).map_err(named))
}

fn folder(path: &Path, make: impl FnOnce() -> Result<()>) -> Result<()> {
    match make() {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            match fs::symlink_metadata(path)?.file_type() {
                kind if kind.is_dir() => Ok(()),
                kind if kind.is_symlink() => Err(planted(path)),
                _ => Err(error),
            }
        }
        made => made,
    }
}

fn planted(path: &Path) -> Error {
    let message = format!(
        "{}: a link, or no plain file; nothing is read or written through it\n\
         hint: find out who put it there, and remove it",
        path.display()
    );
    Error::new(ErrorKind::InvalidInput, message)
}
