//! What is no error in a corpus and yet worth a look.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ambivox_settings::{Sex, counted};

use crate::Utterance;
use crate::error::some_listed;
use crate::tree::Tree;

/// Endings of audio files, in lower case.
const AUDIO: [&str; 18] = [
    "aac", "aif", "aifc", "aiff", "flac", "m4a", "mka", "mkv", "mp2", "mp3", "mp4", "oga", "ogg",
    "opus", "sph", "wav", "wave", "webm",
];

/// Audio files of the corpus that no utterance is in.
pub(super) fn of_files(tree: &Tree<'_>, utterances: &[Utterance]) -> Option<String> {
    let used: BTreeSet<&str> = utterances.iter().map(|u| u.path.as_str()).collect();
    let unused = tree.files.iter().filter(|file| is_audio(file) && !used.contains(file.as_str()));
    let unused: Vec<String> = unused.cloned().collect();
    let count = counted(unused.len(), "audio file");
    (!unused.is_empty()).then(|| {
        let files = some_listed(&unused);
        format!("no row or label file names {count} that the manifest's patterns match: {files}")
    })
}

fn is_audio(file: &str) -> bool {
    let ending = Path::new(file).extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| AUDIO.contains(&ending.to_ascii_lowercase().as_str()))
}

/// Speakers of two sexes, and speakers whose names differ in capitals alone.
pub(super) fn of_speakers(utterances: &[Utterance]) -> Vec<String> {
    let mut sexes: BTreeMap<&str, BTreeMap<Sex, usize>> = BTreeMap::new();
    let mut alike: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for utterance in utterances {
        let Some(speaker) = utterance.known_speaker() else { continue };
        alike.entry(speaker.to_lowercase()).or_default().insert(speaker);
        if let Some(sex) = utterance.sex {
            *sexes.entry(speaker).or_default().entry(sex).or_default() += 1;
        }
    }
    let two = sexes.iter().filter_map(|(speaker, sexes)| two_sexes(speaker, sexes));
    let alike = alike.values().filter(|names| names.len() > 1).map(|names| {
        let names: Vec<&str> = names.iter().copied().collect();
        format!("the speakers {} differ in capitals alone; are they one person?", names.join(", "))
    });
    two.chain(alike).collect()
}

fn two_sexes(speaker: &str, sexes: &BTreeMap<Sex, usize>) -> Option<String> {
    let [(a, n), (b, m)] = sexes.iter().collect::<Vec<_>>()[..] else { return None };
    let (a, b, n) = (a.as_str(), b.as_str(), counted(*n, "utterance"));
    Some(format!("speaker {speaker} is {a} in {n} and {b} in {m}; is this one person?"))
}
