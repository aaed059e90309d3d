//! EmoDB: speaker, text, emotion and version are the seven letters of a file's name. How listeners judged it is told
//! by `erkennung.txt`, or, in the release in audformat, by its tables of emotions.

use std::collections::BTreeMap;

use super::Layout;
use crate::table::{Delimited, Table};
use crate::tree::{Tree, stem};
use crate::{CorpusError, Place, Utterance};

/// Table of the listening test. It names files that were not released, too.
const JUDGEMENTS: &str = "erkennung.txt";

/// How tables of emotions are named in audformat; each has the recordings of one part of a division.
const EMOTIONS: &str = "db.emotion.categories.";

/// The layout of EmoDB.
pub(super) struct Emodb;

/// What the 20 listeners made of a recording, as shares of 1.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Judgement {
    recognition_rate: f64,
    /// Not told in audformat.
    naturalness: Option<f64>,
}

impl Layout for Emodb {
    fn utterances(
        &self,
        tree: &Tree<'_>,
        _warnings: &mut Vec<String>,
    ) -> Result<Vec<Utterance>, CorpusError> {
        let judgements = match tree.file_named(JUDGEMENTS) {
            Some(file) => judgements(file, &tree.bytes(file)?)?,
            None => confidences(tree)?,
        };
        tree.wavs().map(|path| utterance(tree, path, &judgements)).collect()
    }
}

fn utterance(
    tree: &Tree<'_>,
    path: &str,
    judgements: &BTreeMap<String, Judgement>,
) -> Result<Utterance, CorpusError> {
    let place = Place::file(path);
    let name = stem(path);
    if name.len() != 7 || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(CorpusError::Malformed {
            place,
            found: name.to_owned(),
            expected: "a name such as 03a01Fa (speaker, text, emotion, version)".to_owned(),
        });
    }
    let mut utterance = tree.utterance(name, path, &name[..2], &place)?;
    utterance.gold = tree.label(&name[5..6], &place)?;
    utterance.sentence = Some(name[2..5].to_owned());
    if let Some(judgement) = judgements.get(name) {
        let Judgement { recognition_rate, naturalness } = *judgement;
        utterance.attributes.insert("recognition_rate".to_owned(), recognition_rate);
        let natural = naturalness.map(|share| ("naturalness".to_owned(), share));
        utterance.attributes.extend(natural);
    }
    Ok(utterance)
}

/// Judgements by file name without extension. The table is Latin-1 with tabs between its columns
/// number, file, recognised and natural, decimal commas, and non-breaking spaces round numbers.
fn judgements(file: &str, bytes: &[u8]) -> Result<BTreeMap<String, Judgement>, CorpusError> {
    let text: String = bytes.iter().copied().map(char::from).collect();
    let rows = text.lines().zip(1..).skip(1).filter(|(line, _)| !line.trim().is_empty());
    rows.map(|(line, number)| {
        judgement(line).ok_or_else(|| CorpusError::Malformed {
            place: Place::line(file, number),
            found: line.to_owned(),
            expected: "number, file, recognised and natural in percent, between tabs".to_owned(),
        })
    })
    .collect()
}

fn judgement(line: &str) -> Option<(String, Judgement)> {
    let mut cells = line.split('\t').skip(1);
    let (name, recognised, natural) = (cells.next()?, cells.next()?, cells.next()?);
    let judgement =
        Judgement { recognition_rate: share(recognised)?, naturalness: Some(share(natural)?) };
    Some((stem(name.trim()).to_owned(), judgement))
}

/// A share of 1 from a percentage such as `65,00`.
fn share(cell: &str) -> Option<f64> {
    let percent: f64 = cell.trim().replace(',', ".").parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

fn is_table(file: &str) -> bool {
    file.rsplit('/').next().is_some_and(|name| name.starts_with(EMOTIONS))
}

/// Judgements by file name without extension, of all tables in audformat: how many of the listeners recognised the
/// emotion, as a share of 1.
fn confidences(tree: &Tree<'_>) -> Result<BTreeMap<String, Judgement>, CorpusError> {
    let mut judgements = BTreeMap::new();
    for file in tree.files.iter().filter(|file| is_table(file)) {
        let table = Table::read(tree, file, Delimited::COMMA)?;
        let (recording, confidence) = (table.column("file")?, table.column("emotion.confidence")?);
        for row in table.rows() {
            let cell = row.cell(confidence)?;
            let share = cell.parse().ok().filter(|share| (0.0..=1.0).contains(share));
            let recognition_rate =
                share.ok_or_else(|| row.malformed(cell, "emotion.confidence from 0 to 1"))?;
            let judgement = Judgement { recognition_rate, naturalness: None };
            judgements.insert(stem(row.cell(recording)?).to_owned(), judgement);
        }
    }
    Ok(judgements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summarise;
    use crate::testing::{folder, manifest, put, shared, utterances_of};
    use ambivox_settings::Sex;

    #[test]
    fn a_name_says_speaker_and_emotion() {
        let root = folder(&["wav/16b10Td.wav"]);
        let table = b"Nr.\tSatz\terkannt\tnatuerlich\n\
            1\xa0\xa0\t16b10Td.wav\t95,00\xa0\xa0\t70,00\xa0\xa0\n\
            2\xa0\xa0\t16b10Wz.wav\t5,00\xa0\xa0\t7,50\xa0\xa0\n";
        put(root.path(), "erkennung.txt", table);
        let utterances = utterances_of(root.path(), &manifest("emodb")).unwrap();
        assert_eq!(utterances.len(), 1, "a row without its file is no utterance");
        let utterance = &utterances[0];
        assert_eq!(utterance.utterance_id, "16b10Td");
        assert_eq!((utterance.speaker.as_str(), utterance.sex), ("16", Some(Sex::Female)));
        assert_eq!(utterance.session, "16");
        assert_eq!(utterance.gold.as_deref(), Some("sadness"));
        assert_eq!(utterance.attributes["recognition_rate"], 0.95);
        assert_eq!(utterance.attributes["naturalness"], 0.7);
    }

    #[test]
    fn the_listening_test_may_be_missing() {
        let root = folder(&["wav/03a01Fa.wav"]);
        let utterances = utterances_of(root.path(), &manifest("emodb")).unwrap();
        assert!(utterances[0].attributes.is_empty());
    }

    #[test]
    fn the_release_in_audformat_tells_how_many_listeners_recognised_the_emotion() {
        let root = folder(&["wav/03a01Fa.wav", "wav/16b10Td.wav", "db.files.csv"]);
        let table = |part| format!("db.emotion.categories.{part}.gold_standard.csv");
        let head = "file,emotion,emotion.confidence\n";
        put(root.path(), &table("train"), format!("{head}wav/03a01Fa.wav,happiness,0.9\n"));
        put(root.path(), &table("test"), format!("{head}wav/16b10Td.wav,sadness,0.95\n"));
        let utterances = utterances_of(root.path(), &manifest("emodb")).unwrap();
        let rates = utterances.iter().map(|one| one.attributes["recognition_rate"]);
        assert_eq!(rates.collect::<Vec<_>>(), [0.9, 0.95]);
        assert!(!utterances[0].attributes.contains_key("naturalness"));
        put(root.path(), &table("test"), format!("{head}wav/16b10Td.wav,sadness,95\n"));
        let error = utterances_of(root.path(), &manifest("emodb")).unwrap_err().to_string();
        assert!(error.contains("gold_standard.csv:2: ") && error.contains("0 to 1"), "{error}");
    }

    #[test]
    fn a_name_of_another_form_is_an_error() {
        for name in ["wav/03a01F.wav", "wav/03a01Faa.wav", "wav/03a01é.wav"] {
            let root = folder(&[name]);
            let error = utterances_of(root.path(), &manifest("emodb")).unwrap_err();
            assert!(matches!(error, CorpusError::Malformed { .. }), "{error}");
        }
    }

    #[test]
    fn a_broken_row_is_named() {
        let root = folder(&["wav/03a01Fa.wav"]);
        put(root.path(), "erkennung.txt", "head\n1\t03a01Fa.wav\t90,00\t\n");
        let error = utterances_of(root.path(), &manifest("emodb")).unwrap_err();
        assert!(error.to_string().starts_with("erkennung.txt:2: "), "{error}");
    }

    #[test]
    fn the_release_is_read_whole() {
        let Some(root) = shared("data/emodb") else { return };
        let manifest = manifest("emodb");
        let utterances = utterances_of(&root, &manifest).unwrap();
        assert_eq!(utterances.len(), 535);
        assert!(utterances.iter().all(|u| u.attributes["recognition_rate"] > 0.5));
        let digest = manifest.release.as_ref().and_then(|release| release.blake3.clone()).unwrap();
        let summary = summarise(&utterances, &manifest, manifest.release.as_ref(), 536, &digest);
        assert_eq!(summary.release_differences, [""; 0]);
        let total = |label| summary.speakers.iter().map(|s| s.gold.get(label).unwrap_or(&0)).sum();
        let labels = ["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"];
        let totals: Vec<u64> = labels.into_iter().map(total).collect();
        assert_eq!(totals, [127, 81, 46, 69, 71, 79, 62]);
    }
}
