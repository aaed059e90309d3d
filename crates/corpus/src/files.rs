//! Which files belong to a corpus.

use std::path::{Path, PathBuf};

use ambivox_settings::{CorpusFiles, FilesError, matching_files};

use crate::CorpusError;

/// Files below a corpus's root, by paths relative to it with `/` between folders; sorted.
#[derive(Debug)]
pub(crate) struct Listed {
    /// Those that are there.
    pub(crate) files: Vec<String>,
    /// Links to nothing: files that have yet to be fetched.
    pub(crate) dangling: Vec<String>,
}

/// Lists what matches one of the glob `patterns`, by the rules of [`matching_files`].
pub(crate) fn list(root: &Path, patterns: &[String]) -> Result<Listed, CorpusError> {
    let CorpusFiles { files, dangling } =
        matching_files(root, patterns).map_err(|error| match error {
            FilesError::Pattern(error) => CorpusError::Pattern(error),
            FilesError::Walk(error) => CorpusError::Read(error.into()),
        })?;
    Ok(Listed { files: sorted(&files)?, dangling: sorted(&dangling)? })
}

fn sorted(paths: &[PathBuf]) -> Result<Vec<String>, CorpusError> {
    let mut files: Vec<String> =
        paths.iter().map(|file| with_slashes(file)).collect::<Result<_, _>>()?;
    files.sort_unstable();
    Ok(files)
}

fn with_slashes(path: &Path) -> Result<String, CorpusError> {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    match parts {
        Some(parts) => Ok(parts.join("/")),
        None => Err(CorpusError::NotUtf8 { path: path.to_path_buf() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{folder, strings};

    #[test]
    fn a_star_stays_within_a_folder() {
        let root = folder(&["wav/a.wav", "wav/deep/b.wav", "c.wav"]);
        let files = |pattern| list(root.path(), &strings(&[pattern])).unwrap().files;
        assert_eq!(files("wav/*.wav"), ["wav/a.wav"]);
        assert_eq!(files("wav/*/*.wav"), ["wav/deep/b.wav"]);
        assert_eq!(files("**/*.wav"), ["c.wav", "wav/a.wav", "wav/deep/b.wav"]);
    }

    #[test]
    fn the_listing_is_sorted_and_names_a_file_once() {
        let root = folder(&["b.wav", "a.wav", "a/z.wav"]);
        let listed = list(root.path(), &strings(&["*.wav", "a.*", "a/*"])).unwrap().files;
        assert_eq!(listed, ["a.wav", "a/z.wav", "b.wav"]);
    }

    #[test]
    fn dot_files_and_folders_are_passed_over() {
        let root = folder(&["._a.wav", ".hidden/a.wav", "a.wav"]);
        assert_eq!(list(root.path(), &strings(&["**/*.wav"])).unwrap().files, ["a.wav"]);
    }

    #[test]
    fn a_root_that_is_hidden_itself_is_searched() {
        let outer = folder(&[".corpus/a.wav"]);
        let files = list(&outer.path().join(".corpus"), &strings(&["*.wav"])).unwrap().files;
        assert_eq!(files, ["a.wav"]);
    }

    #[test]
    fn a_broken_pattern_is_named() {
        let root = folder(&["a.wav"]);
        let error = list(root.path(), &strings(&["wav/[a.wav"])).unwrap_err();
        assert!(error.to_string().contains("wav/[a.wav"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_is_an_error_where_it_matters() {
        use std::os::unix::ffi::OsStrExt;
        let root = folder(&[]);
        fs_err::write(root.path().join(std::ffi::OsStr::from_bytes(b"\xff.wav")), "").unwrap();
        let files = |pattern| list(root.path(), &strings(&[pattern]));
        assert!(matches!(files("*.wav"), Err(CorpusError::NotUtf8 { .. })));
        assert!(files("*.txt").unwrap().files.is_empty());
    }
}
