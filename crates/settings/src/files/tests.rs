//! What belongs to a corpus is listed, and what does not stops nobody.

use fs_err as fs;
use proptest::prelude::*;

use super::*;

struct Root(tempfile::TempDir);

impl Root {
    fn new(files: &[&str]) -> Self {
        let root = Self(tempfile::tempdir().unwrap());
        for file in files {
            fs::create_dir_all(root.path(file).parent().unwrap()).unwrap();
            fs::write(root.path(file), "").unwrap();
        }
        root
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    fn try_list(&self, patterns: &[&str]) -> Result<CorpusFiles, FilesError> {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        matching_files(self.0.path(), &patterns)
    }

    /// Files and dangling links, sorted.
    fn list(&self, patterns: &[&str]) -> [Vec<String>; 2] {
        let found = self.try_list(patterns).unwrap();
        [found.files, found.dangling].map(|paths| {
            let mut paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
            paths.sort();
            paths
        })
    }
}

const WAVS: &[&str] = &["wav/*.wav"];

#[cfg(unix)]
mod links {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_link_to_nothing_is_no_file_and_is_named_where_a_pattern_matches() {
        let root = Root::new(&["wav/a.wav"]);
        for link in ["latest", "wav/b.wav", "wav/notes", "wav/.c.wav"] {
            symlink("/no/such/target", root.path(link)).unwrap();
        }
        symlink("itself.wav", root.path("wav/itself.wav")).unwrap();
        assert_eq!(root.list(WAVS), [vec!["wav/a.wav"], vec!["wav/b.wav", "wav/itself.wav"]]);
    }

    #[test]
    fn a_link_to_a_folder_above_is_not_followed_twice() {
        let root = Root::new(&["wav/a.wav", "wav/deep/b.wav"]);
        symlink("..", root.path("wav/up")).unwrap();
        symlink(".", root.path("wav/deep/here")).unwrap();
        let files = ["wav/a.wav", "wav/deep/b.wav"];
        assert_eq!(root.list(&["**/*.wav"]), [files.to_vec(), vec![]]);
        assert_eq!(root.list(WAVS)[0], ["wav/a.wav"]);
    }

    #[test]
    fn links_to_files_and_folders_are_followed() {
        let elsewhere = Root::new(&["a.wav", "s1/b.wav"]);
        let root = Root::new(&[]);
        symlink(elsewhere.path(""), root.path("wav")).unwrap();
        symlink(elsewhere.path("a.wav"), root.path("c.wav")).unwrap();
        let files = ["c.wav", "wav/a.wav", "wav/s1/b.wav"];
        assert_eq!(root.list(&["**/*.wav"])[0], files);
        assert_eq!(root.list(&["wav/*/*.wav", "*.wav"])[0], ["c.wav", "wav/s1/b.wav"]);
    }

    /// Whether the permissions of a folder keep these tests out; root enters any.
    fn forbid(folder: &Path) -> bool {
        fs::set_permissions(folder, PermissionsExt::from_mode(0o000)).unwrap();
        fs::read_dir(folder).is_err()
    }

    #[test]
    fn a_folder_that_cannot_be_entered_matters_where_a_pattern_may_match_in_it() {
        let root = Root::new(&["wav/a.wav", "lost+found/b.wav"]);
        let is_forbidden = forbid(&root.path("lost+found"));
        assert_eq!(root.list(WAVS)[0], ["wav/a.wav"]);
        if is_forbidden {
            let error = root.try_list(&["*/*.wav"]).unwrap_err().to_string();
            assert!(error.contains("lost+found"), "{error}");
        }
        fs::set_permissions(root.path("lost+found"), PermissionsExt::from_mode(0o700)).unwrap();
    }

    #[test]
    fn a_link_that_cannot_be_followed_matters_where_a_pattern_may_match() {
        let elsewhere = Root::new(&["in/a.wav"]);
        let root = Root::new(&["wav/a.wav"]);
        symlink(elsewhere.path("in/a.wav"), root.path("b.wav")).unwrap();
        let is_forbidden = forbid(&elsewhere.path("in"));
        assert_eq!(root.list(WAVS)[0], ["wav/a.wav"]);
        if is_forbidden {
            assert!(root.try_list(&["*.wav"]).unwrap_err().to_string().contains("b.wav"));
        }
        fs::set_permissions(elsewhere.path("in"), PermissionsExt::from_mode(0o700)).unwrap();
    }
}

#[test]
fn a_missing_root_is_an_error() {
    let root = Root::new(&[]);
    assert!(matching_files(&root.path("none"), &["*.wav".to_owned()]).is_err());
}

/// Whether a pattern may match in a folder; decided without looking at it.
#[test]
fn folders_are_walked_where_a_pattern_may_match() {
    let walked = |pattern: &str, folder: &str| {
        Patterns::new(&[pattern.to_owned()]).unwrap().may_match_in(Path::new(folder))
    };
    for (pattern, folder) in [
        ("wav/*.wav", "wav"),
        ("Session*/wav/*.wav", "Session1"),
        ("Session*/wav/*.wav", "Session1/wav"),
        ("**/*.wav", "lost+found"),
        ("wav/**", "wav/a/b"),
        ("{a,b/c}/*.wav", "b/c"),
        ("[a/]x/*.wav", "ax"),
        ("*/*.wav", "lost+found"),
    ] {
        assert!(walked(pattern, folder), "{pattern} in {folder}");
    }
    for (pattern, folder) in [
        ("wav/*.wav", "lost+found"),
        ("wav/*.wav", "wav/deep"),
        ("*.wav", "wav"),
        ("Session*/wav/*.wav", "Session1/txt"),
        ("{wav,flac}/*", "txt"),
    ] {
        assert!(!walked(pattern, folder), "{pattern} in {folder}");
    }
}

/// Levels of patterns, among them halves of what is whole with a `/` in it.
const LEVELS: [&str; 12] =
    ["a", "b", "*", "?", "**", "[ab]", "[!a]", "{a,b}", "{a", "b}", "a*", "{a,b/a}"];

fn joined(levels: &[&str]) -> String {
    levels.join("/")
}

proptest! {
    #[test]
    fn no_folder_is_passed_over_that_leads_to_a_match(
        pattern in prop::collection::vec(prop::sample::select(LEVELS.to_vec()), 1..5).prop_map(|levels| joined(&levels)),
        path in prop::collection::vec(prop::sample::select(vec!["a", "b", "ab"]), 1..5).prop_map(|levels| joined(&levels)),
    ) {
        let Ok(patterns) = Patterns::new(&[pattern]) else { return Ok(()) };
        if patterns.set.is_match(&path) {
            for folder in Path::new(&path).ancestors().skip(1) {
                prop_assert!(patterns.may_match_in(folder), "{:?}", folder);
            }
        }
    }
}
