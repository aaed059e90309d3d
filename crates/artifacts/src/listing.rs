//! Digests of many files as one: the sorted list of (relative path, length, BLAKE3).

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::{ArtifactError, Digest, Encoder, FileDigest, StatMemo};

/// Digest of a set of files below one root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// How many files.
    pub files: u64,
    /// Their lengths together.
    pub bytes: u64,
    /// Digest of the list.
    pub digest: Digest,
}

/// Digest of the files at the given paths relative to `root`, read afresh; order and repetition do
/// not matter. It does not depend on where `root` lies.
pub fn listing_digest(root: &Path, relative: &[PathBuf]) -> Result<Listing, ArtifactError> {
    StatMemo::in_memory().listing(root, relative)
}

impl StatMemo {
    /// As [`listing_digest`], reading only files the memo cannot tell.
    pub fn listing(&self, root: &Path, relative: &[PathBuf]) -> Result<Listing, ArtifactError> {
        let mut names: Vec<String> =
            relative.iter().map(|path| portable(path)).collect::<Result<_, _>>()?;
        names.sort_unstable();
        names.dedup();
        let digests: Vec<FileDigest> =
            names.par_iter().map(|name| self.file(&root.join(name))).collect::<Result<_, _>>()?;
        let start = Encoder::new("ambivox listing v1").count(names.len() as u64);
        let digest = names.iter().zip(&digests).fold(start, |encoder, (name, file)| {
            encoder.text(name).count(file.bytes).digest(&file.digest)
        });
        Ok(Listing {
            files: names.len() as u64,
            bytes: digests.iter().map(|file| file.bytes).sum(),
            digest: digest.finish(),
        })
    }

    /// Digest of every file below a folder.
    pub fn folder(&self, root: &Path) -> Result<Listing, ArtifactError> {
        let mut files = Vec::new();
        for entry in walkdir::WalkDir::new(root).min_depth(1) {
            let entry = entry?;
            if !entry.file_type().is_dir() {
                files.push(entry.path().strip_prefix(root).unwrap_or(entry.path()).to_path_buf());
            }
        }
        self.listing(root, &files)
    }

    /// Length and digest of a file, or of everything below a folder.
    pub fn content(&self, path: &Path) -> Result<FileDigest, ArtifactError> {
        if path.is_dir() {
            let Listing { bytes, digest, .. } = self.folder(path)?;
            Ok(FileDigest { bytes, digest })
        } else {
            self.file(path)
        }
    }
}

/// A relative path in the spelling that is the same everywhere.
fn portable(path: &Path) -> Result<String, ArtifactError> {
    let text = path.to_str().ok_or_else(|| ArtifactError::Path(path.to_path_buf()))?;
    Ok(if std::path::MAIN_SEPARATOR == '/' { text.to_owned() } else { text.replace('\\', "/") })
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn digest(files: &[(&str, &str)]) -> Digest {
        StatMemo::in_memory().folder(tree(files).path()).unwrap().digest
    }

    #[test]
    fn place_order_and_repetition_do_not_matter() {
        let files = [("b/c.wav", "xyz"), ("a.wav", "1")];
        let (one, two) = (tree(&files), tree(&files));
        let forth = [PathBuf::from("a.wav"), PathBuf::from("b/c.wav")];
        let back = [PathBuf::from("b/c.wav"), PathBuf::from("a.wav"), PathBuf::from("a.wav")];
        let first = listing_digest(one.path(), &forth).unwrap();
        assert_eq!(first, listing_digest(two.path(), &back).unwrap());
        assert_eq!(first, StatMemo::in_memory().folder(one.path()).unwrap());
        assert_eq!((first.files, first.bytes), (2, 4));
    }

    #[test]
    fn names_and_contents_matter() {
        let original = digest(&[("a", "1"), ("b", "2")]);
        for other in [
            digest(&[("a", "2"), ("b", "1")]),
            digest(&[("a", "1"), ("c", "2")]),
            digest(&[("a", "1"), ("b", "2"), ("c", "")]),
            digest(&[("a", "1"), ("d/b", "2")]),
            digest(&[("a", "1")]),
        ] {
            assert_ne!(original, other);
        }
    }

    #[test]
    fn a_folder_is_never_a_file() {
        let folder = tree(&[]);
        fs::write(folder.path().join("empty"), "").unwrap();
        fs::create_dir(folder.path().join("none")).unwrap();
        let memo = StatMemo::in_memory();
        let content = |name| memo.content(&folder.path().join(name)).unwrap().digest;
        assert_ne!(content("empty"), content("none"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let folder = tree(&[]);
        let error = listing_digest(folder.path(), &[PathBuf::from("gone.wav")]).unwrap_err();
        assert!(error.to_string().contains("gone.wav"), "{error}");
    }
}
