//! Which files belong to a corpus: one rule for the task runner, which hashes them, and for the
//! stages, which read them.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};
use walkdir::{DirEntry, WalkDir};

/// What Linux, or BSD and macOS, answer of a link that leads to itself (`ELOOP`).
const TOO_MANY_LINKS: i32 = if cfg!(target_os = "linux") { 40 } else { 62 };

/// A corpus's files could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A pattern is no glob; the message names it.
    #[error(transparent)]
    Pattern(#[from] globset::Error),
    /// A folder or link in which a pattern may match cannot be followed; the message names it.
    #[error(transparent)]
    Walk(#[from] walkdir::Error),
}

/// The files of a corpus, relative to its root; in no particular order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct CorpusFiles {
    /// Those that are there.
    pub files: Vec<PathBuf>,
    /// Links that match a pattern and lead to nothing, such as files that git-annex has not fetched.
    pub dangling: Vec<PathBuf>,
}

/// The files below `root` that match one of the glob `patterns`.
///
/// `*` does not cross a `/`. Files and folders whose name starts with a dot are passed over:
/// archives packed on a Mac hold a `._…` shadow of every file. Links are followed, but not to a
/// folder that they lie in. What no pattern can match, such as a `lost+found` that nobody may enter,
/// is not looked at.
pub fn matching_files(root: &Path, patterns: &[String]) -> Result<CorpusFiles, FilesError> {
    let patterns = Patterns::new(patterns)?;
    let mut found = CorpusFiles::default();
    let below = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_path_buf();
    let entries = WalkDir::new(root).follow_links(true).into_iter();
    let is_of_interest = |entry: &DirEntry| {
        let leads_on =
            || !entry.file_type().is_dir() || patterns.may_match_in(&below(entry.path()));
        entry.depth() == 0 || (!hidden(entry) && leads_on())
    };
    for entry in entries.filter_entry(is_of_interest) {
        match entry {
            Ok(entry) => {
                let path = below(entry.path());
                if entry.file_type().is_file() && patterns.set.is_match(&path) {
                    found.files.push(path);
                }
            }
            Err(error) => found.dangling.extend(patterns.pass_over(error, below)?),
        }
    }
    Ok(found)
}

/// The glob patterns of a corpus's files, and which folders lead to what they match.
pub struct Patterns {
    set: GlobSet,
    branches: Vec<Branch>,
}

/// A pattern's levels, from the root on.
struct Branch {
    levels: Vec<GlobMatcher>,
    /// Whether anything may be below these.
    open: bool,
}

impl Patterns {
    /// Errors: a pattern that is no glob.
    pub fn new(patterns: &[String]) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(GlobBuilder::new(pattern).literal_separator(true).build()?);
        }
        let branches = patterns.iter().map(|pattern| Branch::new(pattern)).collect();
        Ok(Self { set: set.build()?, branches })
    }

    /// Whether [`matching_files`] would name the file, given by its path relative to the root, if it
    /// were there.
    pub fn cover(&self, relative: &Path) -> bool {
        self.set.is_match(relative) && !relative.iter().any(is_hidden)
    }

    fn may_match_in(&self, folder: &Path) -> bool {
        self.branches.iter().any(|branch| branch.may_match_in(folder))
    }

    /// What could not be followed, where it is a link to nothing that a pattern matches. An error
    /// where the machine is at fault and files may be missing for it.
    fn pass_over(
        &self,
        error: walkdir::Error,
        below: impl Fn(&Path) -> PathBuf,
    ) -> Result<Option<PathBuf>, walkdir::Error> {
        // Whatever such a link leads to is being walked already.
        if error.loop_ancestor().is_some() {
            return Ok(None);
        }
        // The root is not to be missing.
        let path = error.path().filter(|_| error.depth() > 0).map(below);
        let Some(path) = path else { return Err(error) };
        if path.file_name().is_some_and(is_hidden) {
            return Ok(None);
        }
        let matched = self.set.is_match(&path);
        let leads_nowhere = error.io_error().is_some_and(|error| {
            error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(TOO_MANY_LINKS)
        });
        if leads_nowhere {
            return Ok(matched.then_some(path));
        }
        if matched || self.may_match_in(&path) { Err(error) } else { Ok(None) }
    }
}

impl Branch {
    fn new(pattern: &str) -> Self {
        let mut levels = Vec::new();
        for level in pattern.split('/') {
            // Part of an alternative or a class that has a `/` in it is no glob by itself.
            let glob = GlobBuilder::new(level).literal_separator(true).build();
            match glob {
                Ok(glob) if !level.contains("**") => levels.push(glob.compile_matcher()),
                _ => return Self { levels, open: true },
            }
        }
        Self { levels, open: false }
    }

    fn may_match_in(&self, folder: &Path) -> bool {
        let depth = folder.iter().count();
        let fits = folder.iter().zip(&self.levels).all(|(name, level)| level.is_match(name));
        fits && (self.open || depth < self.levels.len())
    }
}

fn hidden(entry: &DirEntry) -> bool {
    is_hidden(entry.file_name())
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests;
