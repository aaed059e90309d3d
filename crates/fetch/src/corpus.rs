//! A whole corpus: every file downloaded, checked, put into its place, and the root shown last.

use std::path::{Path, PathBuf};

use ambivox_settings::{Download, Manifest, matching_files};
use fs_err as fs;

use crate::{Client, Event, FetchError, Refusal, Watch, unpack};

/// How a corpus came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// It has been downloaded.
    New,
    /// It was there, with as many files as a whole copy has.
    Before,
}

/// Fetches all that the manifest names to a new folder `root`.
///
/// Until it is whole, everything lies in a hidden folder beside it, where the next call finds what
/// an interrupted one left. Errors: files at `root` that are not the whole corpus; another process
/// that fetches there; what [`Client::download`] and [`unpack()`](unpack::unpack) refuse.
pub fn fetch(
    manifest: &Manifest,
    root: &Path,
    client: &Client,
    watch: Watch<'_>,
) -> Result<Fetched, FetchError> {
    if is_occupied(root)? {
        return before(manifest, root);
    }
    let hidden = hidden(root, &manifest.name);
    fs::create_dir_all(&hidden)?;
    let lock = fs::File::create(hidden.join("lock"))?;
    if lock.file().try_lock().is_err() {
        return Err(FetchError::Busy { root: root.to_owned() });
    }
    let part =
        |file: &Download| hidden.join(file.sha256.to_ascii_lowercase()).with_extension("part");
    for file in &manifest.fetch {
        client.download(file, &part(file), watch)?;
    }
    let whole = hidden.join("whole");
    if whole.exists() {
        fs::remove_dir_all(&whole)?;
    }
    fs::create_dir(&whole)?;
    manifest.fetch.iter().try_for_each(|file| place(file, &part(file), &whole, watch))?;
    fs::rename(&whole, root)?;
    fs::remove_dir_all(&hidden)?;
    Ok(Fetched::New)
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
    let whole = manifest.release.as_ref().and_then(|release| release.files);
    let there = matching_files(root, &manifest.files).map_or(0, |files| files.len() as u64);
    let is_whole = whole == Some(there);
    is_whole.then_some(Fetched::Before).ok_or(FetchError::Occupied { root: root.to_owned() })
}

/// Beside the root, so that the one can be renamed to the other.
fn hidden(root: &Path, name: &str) -> PathBuf {
    let last = root.file_name().map_or_else(|| name.into(), |last| last.to_string_lossy());
    root.with_file_name(format!(".{last}.fetching"))
}

/// Puts a downloaded file or what is in it where it belongs.
fn place(file: &Download, from: &Path, whole: &Path, watch: Watch<'_>) -> Result<(), FetchError> {
    let to = file.to.as_ref().map_or_else(|| whole.to_owned(), |to| whole.join(to));
    let refused = |refusal| FetchError::Refused { archive: file.url.clone(), refusal };
    if let Some(archive) = &file.archive {
        watch(Event::Unpack { url: &file.url });
        fs::create_dir_all(&to)?;
        return unpack(from, archive, &to).map_err(refused);
    }
    if to.exists() {
        return Err(refused(Refusal::Twice(file.to.clone().unwrap_or_default())));
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    // A copy, so that the download is still there should a later file be refused.
    fs::copy(from, &to)?;
    Ok(())
}
