//! Counts of a corpus: the paper's Table 1 and what is said beside it.

use std::collections::BTreeMap;

use ambivox_settings::{IndexSummary, Manifest, Release, SpeakerSummary};

use crate::Utterance;

/// Counts utterances, seconds and gold labels per speaker, and compares with the release that the copy is of.
///
/// `files` and `blake3` are count and digest of the listing of the corpus's files. What annotators
/// and corrections did, and warnings, are for the caller to add.
pub fn summarise(
    utterances: &[Utterance],
    manifest: &Manifest,
    release: Option<&Release>,
    files: u64,
    blake3: &str,
) -> IndexSummary {
    let mut speakers: BTreeMap<&str, SpeakerSummary> = BTreeMap::new();
    for utterance in utterances {
        let speaker = speakers.entry(&utterance.speaker).or_insert_with(|| empty(utterance));
        speaker.utterances += 1;
        speaker.seconds += utterance.duration_s.unwrap_or(0.0);
        if let Some(gold) = &utterance.gold {
            *speaker.gold.entry(gold.clone()).or_default() += 1;
        }
    }
    let speakers: Vec<SpeakerSummary> = speakers.into_values().collect();
    let count = utterances.len() as u64;
    IndexSummary {
        schema: 1,
        corpus: manifest.name.clone(),
        utterances: count,
        seconds: speakers.iter().map(|speaker| speaker.seconds).sum(),
        votes: utterances.iter().any(|utterance| !utterance.votes.is_empty()),
        annotators: None,
        speakers,
        files,
        blake3: blake3.to_owned(),
        release_differences: release_differences(release, count, files, blake3),
        corrections: None,
        warnings: Vec::new(),
    }
}

fn empty(utterance: &Utterance) -> SpeakerSummary {
    SpeakerSummary {
        speaker: utterance.speaker.clone(),
        session: utterance.session.clone(),
        sex: utterance.sex,
        utterances: 0,
        seconds: 0.0,
        gold: BTreeMap::new(),
    }
}

fn release_differences(
    release: Option<&Release>,
    utterances: u64,
    files: u64,
    blake3: &str,
) -> Vec<String> {
    let Some(release) = release else { return Vec::new() };
    let count = |what: &str, found: u64, expected: Option<u64>| {
        let expected = expected.filter(|&expected| expected != found)?;
        Some(format!("{found} {what} where the release has {expected}"))
    };
    let digest =
        release.blake3.as_ref().filter(|expected| *expected != blake3).map(|expected| {
            format!("the files' digest is {blake3} where the release has {expected}")
        });
    [
        count("files", files, release.files),
        count("utterances", utterances, release.utterances),
        digest,
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{manifest_of, utterance};

    #[test]
    fn speakers_are_counted_and_sorted() {
        let mut utterances = [
            utterance("b1", "bea", Some("anger")),
            utterance("a1", "ann", Some("anger")),
            utterance("b2", "bea", Some("anger")),
            utterance("b3", "bea", None),
        ];
        utterances[0].duration_s = Some(1.5);
        utterances[1].duration_s = Some(2.0);
        utterances[3].votes.insert("anger".to_owned(), 1);
        let manifest = manifest_of("iemocap", &["*"], "[labels]\n");
        let summary = summarise(&utterances, &manifest, None, 4, "ab");
        assert_eq!((summary.utterances, summary.seconds, summary.votes), (4, 3.5, true));
        assert_eq!((summary.files, summary.blake3.as_str()), (4, "ab"));
        assert!(summary.release_differences.is_empty());
        let rows: Vec<_> = summary
            .speakers
            .iter()
            .map(|row| (row.speaker.as_str(), row.utterances, row.seconds, row.gold.get("anger")))
            .collect();
        assert_eq!(rows, [("ann", 1, 2.0, Some(&1)), ("bea", 3, 1.5, Some(&2))]);
    }

    #[test]
    fn differences_from_the_release_are_told() {
        let manifest = manifest_of("iemocap", &["*"], "[labels]\n");
        let digest = Some("cd".to_owned());
        let (file, utterances) = (None, Some(1));
        let release = Release { file, files: Some(5), utterances, blake3: digest };
        let differences = |files, blake3: &str| {
            let utterances = [utterance("a1", "ann", None)];
            summarise(&utterances, &manifest, Some(&release), files, blake3).release_differences
        };
        assert!(differences(5, "cd").is_empty());
        assert_eq!(
            differences(4, "ab"),
            ["4 files where the release has 5", "the files' digest is ab where the release has cd",]
        );
    }
}
