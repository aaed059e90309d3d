//! A whole corpus: every file downloaded, checked, put into its place, and the root shown last.

use std::fs::TryLockError;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use ambivox_settings::{Checksum, Download, Manifest, matching_files};
use fs_err as fs;

use crate::{Client, Event, FetchError, Refusal, Watch, plain, unpack};

/// How a corpus came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// It has been downloaded.
    New,
    /// It was there, with as many files as a whole copy has, where that is on record.
    Before,
}

/// Fetches `files`, [all that the manifest names](Manifest::downloads), to a new folder `root`.
///
/// Until it is whole, everything lies in a hidden folder beside it, where the next call finds what
/// an interrupted one left. Errors: files at `root` that are not the whole corpus, or a folder that
/// cannot be replaced; another process that fetches there; what [`Client::download`] and [`unpack()`](unpack::unpack) refuse.
pub fn fetch(
    manifest: &Manifest,
    files: &[Download],
    root: &Path,
    client: &Client,
    watch: Watch<'_>,
) -> Result<Fetched, FetchError> {
    // A whole copy may lie where no folder can be put in the place of another.
    if is_occupied(root)?
        && let Ok(found) = before(manifest, root)
    {
        return Ok(found);
    }
    let root = &settled(root)?;
    if is_occupied(root)? {
        return before(manifest, root);
    }
    let hidden = hidden(root, &manifest.name);
    let Some(_lock) = lock(&hidden, root)? else { return before(manifest, root) };
    let whole = new_whole(&hidden)?;
    let part = |file: &Download| {
        let digest = file.checksum().map_or("", Checksum::hex).to_ascii_lowercase();
        hidden.join(digest).with_extension("part")
    };
    for file in files {
        client.download(file, &part(file), watch)?;
    }
    let placed = files.iter().try_for_each(|file| place(file, &part(file), &whole, watch));
    if placed.is_err() {
        // What takes up the disk in vain; should it stay, the next call removes it.
        fs::remove_dir_all(&whole).ok();
    }
    placed?;
    fs::rename(&whole, root)?;
    fs::remove_dir_all(&hidden)?;
    Ok(Fetched::New)
}

/// An empty folder for what is to be the root, in a hidden folder that must be our own: its owner could
/// put other files in the place of those that were checked.
fn new_whole(hidden: &Path) -> Result<PathBuf, FetchError> {
    let whole = hidden.join("whole");
    match fs::remove_dir_all(&whole) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir(&whole)?,
    }
    if fs::symlink_metadata(hidden)?.uid() != fs::symlink_metadata(&whole)?.uid() {
        return Err(FetchError::Foreign { hidden: hidden.to_owned() });
    }
    Ok(whole)
}

/// Where the corpus will be: what links lead to, if that can be replaced by renaming.
fn settled(root: &Path) -> Result<PathBuf, FetchError> {
    let fixed = || FetchError::Fixed { root: root.to_owned() };
    match fs::canonicalize(root) {
        Ok(found) if can_be_replaced(&found)? => Ok(found),
        Ok(_) => Err(fixed()),
        Err(_) if root.is_symlink() => Err(fixed()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(std::path::absolute(root)?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether it is neither this process's folder nor where a file system is mounted.
fn can_be_replaced(folder: &Path) -> Result<bool, FetchError> {
    let Some(parent) = folder.parent() else { return Ok(false) };
    let is_here = std::env::current_dir()?.starts_with(folder);
    Ok(!is_here && fs::metadata(folder)?.dev() == fs::metadata(parent)?.dev())
}

/// Keeps other processes from fetching to the same place; nothing if one of them just has.
fn lock(hidden: &Path, root: &Path) -> Result<Option<fs::File>, FetchError> {
    hidden.parent().map_or(Ok(()), fs::create_dir_all)?;
    plain::private(hidden)?;
    let mut options = fs::OpenOptions::new();
    let options = options.write(true).create(true).truncate(false);
    let lock = match plain::open(&hidden.join("lock"), options) {
        // It takes its hidden folder away at the end.
        Err(_) if is_occupied(root)? => return Ok(None),
        lock => lock?,
    };
    match lock.file().try_lock() {
        Err(TryLockError::WouldBlock) => return Err(FetchError::Busy { root: root.to_owned() }),
        // Where there are no locks, it is up to whoever starts two at once.
        Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => {
            return Err(Error::new(error.kind(), format!("{}: {error}", hidden.display())).into());
        }
        _ => {}
    }
    Ok(Some(lock).filter(|_| !is_occupied(root).is_ok_and(|occupied| occupied)))
}

/// Whether anything but an empty folder is there.
fn is_occupied(root: &Path) -> Result<bool, FetchError> {
    match fs::read_dir(root) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn before(manifest: &Manifest, root: &Path) -> Result<Fetched, FetchError> {
    let there = matching_files(root, &manifest.files)?.files;
    let whole = manifest.release_of(&there).and_then(|release| release.files);
    let is_whole = !there.is_empty() && whole.is_none_or(|whole| whole == there.len() as u64);
    is_whole.then_some(Fetched::Before).ok_or(FetchError::Occupied { root: root.to_owned() })
}

/// Beside the root, so that the one can be renamed to the other.
fn hidden(root: &Path, name: &str) -> PathBuf {
    let last = root.file_name().map_or_else(|| name.into(), |last| last.to_string_lossy());
    root.with_file_name(format!(".{last}.fetching"))
}

/// Puts a downloaded file or what is in it where it belongs.
fn place(file: &Download, from: &Path, whole: &Path, watch: Watch<'_>) -> Result<(), FetchError> {
    let below = Path::new(file.to.as_deref().unwrap_or_default());
    let to = whole.join(below);
    let unpacked = file.archive.as_ref().map_or(file.bytes, |archive| archive.bytes);
    let refused = |refusal| match refusal {
        Refusal::Io(error) => FetchError::from(error).needing(unpacked),
        refusal => FetchError::Refused { archive: file.url.clone(), refusal },
    };
    if let Some(archive) = &file.archive {
        watch(Event::Unpack { url: &file.url });
        plain::folders(whole, below)?;
        return unpack(from, archive, &to).map_err(refused);
    }
    if to.exists() {
        return Err(refused(Refusal::Twice(file.to.clone().unwrap_or_default())));
    }
    plain::folders(whole, below.parent().unwrap_or(below))?;
    // A copy, so that the download is still there should a later file be refused.
    let mut copy = fs::OpenOptions::new().write(true).create_new(true).open(&to)?;
    let copied = std::io::copy(&mut plain::read(from)?, &mut copy).map_err(FetchError::from);
    copied.map_err(|error| error.needing(unpacked))?;
    Ok(())
}
