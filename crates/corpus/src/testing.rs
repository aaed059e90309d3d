//! Helpers that tests of several modules share.

use std::path::{Path, PathBuf};

use ambivox_settings::Manifest;
use tempfile::TempDir;

use crate::{CorpusError, Utterance, read_corpus};

/// Owned strings from literals.
pub(crate) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// Writes one file below `root`, with the folders on the way.
pub(crate) fn put(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let file = root.join(path);
    fs_err::create_dir_all(file.parent().unwrap()).unwrap();
    fs_err::write(file, content).unwrap();
}

/// A temporary folder with empty files.
pub(crate) fn folder(files: &[&str]) -> TempDir {
    let root = TempDir::new().unwrap();
    for file in files {
        put(root.path(), file, "");
    }
    root
}

/// The utterances of a corpus.
pub(crate) fn utterances_of(
    root: &Path,
    manifest: &Manifest,
) -> Result<Vec<Utterance>, CorpusError> {
    read_corpus(root, manifest).map(|corpus| corpus.utterances)
}

/// The folder `data-manifests` of the workspace.
pub(crate) fn manifests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data-manifests")
}

/// A manifest of the project.
pub(crate) fn manifest(name: &str) -> Manifest {
    Manifest::read(&manifests().join(format!("{name}.toml"))).unwrap()
}

/// A manifest from the lines that matter in a test.
pub(crate) fn manifest_of(adapter: &str, files: &[&str], rest: &str) -> Manifest {
    let text = format!(
        "schema = 1\nname = \"toy\"\ntitle = \"Toy\"\nsynthetic = false\nlicence = \"none\"\n\
         source = \"https://toy.example\"\ncitation = \"none\"\nroot_env = \"TOY_ROOT\"\n\
         adapter = \"{adapter}\"\nfiles = {files:?}\n{rest}"
    );
    Manifest::parse(Path::new("toy.toml"), &text).unwrap()
}

/// Data shared between checkouts, which a machine may lack; says so where it does.
#[expect(clippy::print_stderr, reason = "a test that is passed over says so")]
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root = env_or("AMBIVOX_SHARED", "../../../shared");
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: there is no {}", found.display());
    None
}

fn env_or(name: &str, fallback: &str) -> PathBuf {
    std::env::var_os(name)
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(fallback), PathBuf::from)
}

/// An utterance of a made-up corpus.
pub(crate) fn utterance(id: &str, speaker: &str, gold: Option<&str>) -> Utterance {
    let utterance = Utterance::of("toy", id, &format!("wav/{id}.wav"), speaker);
    Utterance { gold: gold.map(str::to_owned), ..utterance }
}

/// Table 1 of the paper: utterances of happiness, sadness, neutral and anger per speaker.
pub(crate) const TABLE_1: [(&str, [usize; 4]); 10] = [
    ("Ses01F", [69, 78, 171, 147]),
    ("Ses01M", [66, 116, 213, 82]),
    ("Ses02F", [70, 113, 135, 67]),
    ("Ses02M", [47, 84, 227, 70]),
    ("Ses03F", [80, 172, 130, 92]),
    ("Ses03M", [55, 133, 190, 148]),
    ("Ses04F", [31, 62, 76, 205]),
    ("Ses04M", [34, 81, 182, 122]),
    ("Ses05F", [77, 132, 221, 78]),
    ("Ses05M", [66, 113, 163, 92]),
];

/// Utterances as many as Table 1 has, by speaker and class.
pub(crate) fn table_1() -> Vec<Utterance> {
    let mut utterances = Vec::new();
    for (speaker, counts) in TABLE_1 {
        for (class, count) in ["happiness", "sadness", "neutral", "anger"].iter().zip(counts) {
            let id = |n| format!("{speaker}_{class}_{n:03}");
            let of_class = (0..count).map(|n| utterance(&id(n), speaker, Some(class)));
            utterances
                .extend(of_class.map(|u| Utterance { session: speaker[..5].to_owned(), ..u }));
        }
    }
    utterances
}
