//! Which files belong to a corpus: one rule for the task runner, which hashes them, and for the
//! stages, which read them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use walkdir::{DirEntry, WalkDir};

/// A corpus's files could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A pattern is no glob; the message names it.
    #[error(transparent)]
    Pattern(#[from] globset::Error),
    /// A folder or link cannot be followed; the message names it.
    #[error(transparent)]
    Walk(#[from] walkdir::Error),
}

/// The glob patterns of a corpus's files.
pub struct Patterns(GlobSet);

impl Patterns {
    /// Errors: a pattern that is no glob.
    pub fn new(patterns: &[String]) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(GlobBuilder::new(pattern).literal_separator(true).build()?);
        }
        Ok(Self(set.build()?))
    }

    /// Whether [`matching_files`] would name the file, given by its path relative to the root, if it
    /// were there.
    pub fn cover(&self, relative: &Path) -> bool {
        let hidden = |part: &OsStr| part.as_encoded_bytes().starts_with(b".");
        self.0.is_match(relative) && !relative.iter().any(hidden)
    }
}

/// Paths, relative to `root`, of the files below it that match one of the glob `patterns`; in no
/// particular order.
///
/// `*` does not cross a `/`. Files and folders whose name starts with a dot are passed over:
/// archives packed on a Mac hold a `._…` shadow of every file. Links are followed.
pub fn matching_files(root: &Path, patterns: &[String]) -> Result<Vec<PathBuf>, FilesError> {
    let patterns = Patterns::new(patterns)?;
    let mut files = Vec::new();
    let entries = WalkDir::new(root).follow_links(true).into_iter();
    for entry in entries.filter_entry(|entry| entry.depth() == 0 || !hidden(entry)) {
        let entry = entry?;
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        if entry.file_type().is_file() && patterns.cover(relative) {
            files.push(relative.to_path_buf());
        }
    }
    Ok(files)
}

fn hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}
