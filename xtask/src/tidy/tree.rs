//! The files of the checkout: those that git tracks or would track.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use fs_err as fs;

/// A file of the checkout.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Path relative to the root, with `/` between its parts.
    pub(crate) path: String,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// A file that is UTF-8 text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextFile<'a> {
    /// Path relative to the root.
    pub(crate) path: &'a str,
    /// Its text.
    pub(crate) text: &'a str,
}

impl TextFile<'_> {
    /// Whether the name ends in `.` and `extension`.
    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        Path::new(self.path).extension().is_some_and(|found| found == extension)
    }
}

/// All files of the checkout, sorted by path.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The files.
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// Reads every file that git tracks or does not ignore. Those deleted but still tracked are
    /// passed over.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for path in listed(root)? {
            let full = root.join(&path);
            if full.is_file() {
                files.push(File { bytes: fs::read(full)?, path });
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// The files that are text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = TextFile<'_>> {
        self.files.iter().filter_map(|file| {
            let text = str::from_utf8(&file.bytes).ok()?;
            (!text.contains('\0')).then_some(TextFile { path: &file.path, text })
        })
    }

    /// The text of one file; empty where there is none.
    pub(crate) fn text(&self, path: &str) -> &str {
        self.texts().find(|file| file.path == path).map_or("", |file| file.text)
    }
}

fn listed(root: &Path) -> anyhow::Result<Vec<String>> {
    let listing = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("failed to start git; tidy looks at the files that git tracks")?;
    let complaint = String::from_utf8_lossy(&listing.stderr);
    ensure!(listing.status.success(), "git ls-files failed: {}", complaint.trim());
    let names = String::from_utf8(listing.stdout).context("a file name is not UTF-8")?;
    Ok(names.split_terminator('\0').map(str::to_owned).collect())
}
