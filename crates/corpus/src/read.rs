//! From a folder and a manifest to the list of utterances.

mod warnings;

use std::collections::BTreeSet;
use std::path::Path;

use ambivox_settings::Manifest;

use crate::adapters::layout_of;
use crate::error::{listed, some_listed};
use crate::tree::Tree;
use crate::{CorpusError, Utterance};

/// What a corpus holds.
#[derive(Debug)]
pub struct Corpus {
    /// All utterances, sorted by id.
    pub utterances: Vec<Utterance>,
    /// What is no error and yet worth a look, a sentence each.
    pub warnings: Vec<String>,
    /// The files that match the manifest's patterns, by paths relative to the root; sorted.
    pub files: Vec<String>,
    /// Links that match them and lead to nothing, such as files that git-annex has not fetched; sorted.
    pub dangling: Vec<String>,
}

/// Reads the corpus below `root`.
///
/// Audio files are not opened; one that is missing keeps its utterance, so that extraction can report it
/// with all the others that cannot be used. Whether it is missing is read off the list of files that
/// match the manifest's patterns: nothing else on the disk is an input. Errors: a missing root, no
/// utterance at all, two utterances of one id, an emotion code or a speaker that the manifest does
/// not list, a malformed label file, an audio file that the manifest's `files` patterns miss.
pub fn read_corpus(root: &Path, manifest: &Manifest) -> Result<Corpus, CorpusError> {
    let tree = Tree::open(root, manifest)?;
    let mut warnings = Vec::new();
    let mut utterances = layout_of(manifest.adapter).utterances(&tree, &mut warnings)?;
    if utterances.is_empty() {
        return Err(CorpusError::NoUtterances {
            corpus: manifest.name.clone(),
            root: root.to_path_buf(),
            root_env: manifest.root_env.clone(),
            patterns: listed(&manifest.files),
        });
    }
    utterances.sort_by(|a, b| a.utterance_id.cmp(&b.utterance_id));
    check_ids(&utterances)?;
    if manifest.has_recordings() {
        check_covered(&tree, &utterances)?;
    }
    warnings.extend(warnings::of_files(&tree, &utterances));
    warnings.extend(warnings::of_speakers(&utterances));
    Ok(Corpus { utterances, warnings, files: tree.files, dangling: tree.dangling })
}

fn check_ids(sorted: &[Utterance]) -> Result<(), CorpusError> {
    match sorted.windows(2).find(|pair| pair[0].utterance_id == pair[1].utterance_id) {
        None => Ok(()),
        Some(pair) => Err(CorpusError::DuplicateId {
            utterance_id: pair[0].utterance_id.clone(),
            first: pair[0].path.clone(),
            second: pair[1].path.clone(),
        }),
    }
}

fn check_covered(tree: &Tree<'_>, utterances: &[Utterance]) -> Result<(), CorpusError> {
    let paths: BTreeSet<&str> = utterances.iter().map(|u| u.path.as_str()).collect();
    let missed = paths.into_iter().filter(|path| !tree.lists(path) && !tree.covers(path));
    let missed: Vec<String> = missed.map(str::to_owned).collect();
    if missed.is_empty() {
        return Ok(());
    }
    let patterns = listed(&tree.manifest.files);
    Err(CorpusError::NotCovered { path: some_listed(&missed), patterns })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{folder, manifest_of};

    const EMODB: &str = "[labels]\nF = \"happiness\"\n[speakers.03]\n";

    #[test]
    fn a_missing_root_names_variable_and_address() {
        let manifest = manifest_of("emodb", &["*.wav"], EMODB);
        let error = read_corpus(Path::new("no/such/folder"), &manifest).unwrap_err();
        insta::assert_snapshot!(error, @r"
        corpus toy: there is no folder no/such/folder
        hint: set TOY_ROOT to the corpus's root folder; the corpus comes from https://toy.example
        ");
        assert_eq!(error.exit_code(), ambivox_settings::exit::DATA);
    }

    #[test]
    fn an_empty_corpus_names_what_was_looked_for() {
        let root = folder(&["notes.txt"]);
        let error = read_corpus(root.path(), &manifest_of("emodb", &["*.wav"], EMODB)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("no utterance in") && text.contains("*.wav"), "{text}");
        assert!(text.contains("TOY_ROOT"), "{text}");
    }

    #[test]
    fn two_utterances_of_one_id_name_both_files() {
        let root = folder(&["a/03a01Fa.wav", "b/03a01Fa.wav"]);
        let error =
            read_corpus(root.path(), &manifest_of("emodb", &["*/*.wav"], EMODB)).unwrap_err();
        insta::assert_snapshot!(error, @r"
        two utterances have the id 03a01Fa: a/03a01Fa.wav and b/03a01Fa.wav
        hint: rename one of the files, or leave one out by the manifest's files patterns
        ");
    }

    #[test]
    fn an_unknown_code_names_file_and_remedy() {
        let root = folder(&["03a01Wa.wav"]);
        let error = read_corpus(root.path(), &manifest_of("emodb", &["*.wav"], EMODB)).unwrap_err();
        insta::assert_snapshot!(error, @r#"
        03a01Wa.wav: emotion code "W" is not among the manifest's labels (F)
        hint: add it to [labels]; a code that maps to "" is no emotion
        "#);
    }

    #[test]
    fn an_unknown_speaker_names_file_and_remedy() {
        let root = folder(&["99a01Fa.wav"]);
        let error = read_corpus(root.path(), &manifest_of("emodb", &["*.wav"], EMODB)).unwrap_err();
        insta::assert_snapshot!(error, @r#"
        99a01Fa.wav: speaker "99" is not among the manifest's speakers (03)
        hint: add them to [speakers]
        "#);
    }
}
