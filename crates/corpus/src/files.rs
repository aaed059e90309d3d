//! Which files belong to a corpus.

use std::path::{Path, PathBuf};

use ambivox_settings::{CorpusFiles, FilesError, matching_files};

use crate::CorpusError;

/// Files below `root` whose relative path matches one of the glob `patterns`, by the rules of
/// [`matching_files`]; sorted, with `/` between folders.
pub fn corpus_files(root: &Path, patterns: &[String]) -> Result<Vec<String>, CorpusError> {
    sorted(&found(root, patterns)?.files)
}

/// As [`corpus_files`], those that are links to nothing: files that have yet to be fetched.
pub fn dangling_files(root: &Path, patterns: &[String]) -> Result<Vec<String>, CorpusError> {
    sorted(&found(root, patterns)?.dangling)
}

fn found(root: &Path, patterns: &[String]) -> Result<CorpusFiles, CorpusError> {
    matching_files(root, patterns).map_err(|error| match error {
        FilesError::Pattern(error) => CorpusError::Pattern(error),
        FilesError::Walk(error) => CorpusError::Read(error.into()),
    })
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
        let list = |pattern| corpus_files(root.path(), &strings(&[pattern])).unwrap();
        assert_eq!(list("wav/*.wav"), ["wav/a.wav"]);
        assert_eq!(list("wav/*/*.wav"), ["wav/deep/b.wav"]);
        assert_eq!(list("**/*.wav"), ["c.wav", "wav/a.wav", "wav/deep/b.wav"]);
    }

    #[test]
    fn the_listing_is_sorted_and_names_a_file_once() {
        let root = folder(&["b.wav", "a.wav", "a/z.wav"]);
        let listed = corpus_files(root.path(), &strings(&["*.wav", "a.*", "a/*"])).unwrap();
        assert_eq!(listed, ["a.wav", "a/z.wav", "b.wav"]);
    }

    #[test]
    fn dot_files_and_folders_are_passed_over() {
        let root = folder(&["._a.wav", ".hidden/a.wav", "a.wav"]);
        assert_eq!(corpus_files(root.path(), &strings(&["**/*.wav"])).unwrap(), ["a.wav"]);
    }

    #[test]
    fn a_root_that_is_hidden_itself_is_searched() {
        let outer = folder(&[".corpus/a.wav"]);
        let files = corpus_files(&outer.path().join(".corpus"), &strings(&["*.wav"])).unwrap();
        assert_eq!(files, ["a.wav"]);
    }

    #[test]
    fn a_broken_pattern_is_named() {
        let root = folder(&["a.wav"]);
        let error = corpus_files(root.path(), &strings(&["wav/[a.wav"])).unwrap_err();
        assert!(error.to_string().contains("wav/[a.wav"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_is_an_error_where_it_matters() {
        use std::os::unix::ffi::OsStrExt;
        let root = folder(&[]);
        fs_err::write(root.path().join(std::ffi::OsStr::from_bytes(b"\xff.wav")), "").unwrap();
        let files = |pattern| corpus_files(root.path(), &strings(&[pattern]));
        assert!(matches!(files("*.wav"), Err(CorpusError::NotUtf8 { .. })));
        assert!(files("*.txt").unwrap().is_empty());
    }
}
