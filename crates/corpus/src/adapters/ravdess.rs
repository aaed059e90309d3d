//! RAVDESS: a file's name is seven numbers: modality, vocal channel, emotion, intensity,
//! statement, repetition, actor.

use super::Layout;
use crate::tree::{Tree, stem};
use crate::{CorpusError, Place, Utterance};

/// The layout of RAVDESS.
pub(super) struct Ravdess;

impl Layout for Ravdess {
    fn utterances(
        &self,
        tree: &Tree<'_>,
        _warnings: &mut Vec<String>,
    ) -> Result<Vec<Utterance>, CorpusError> {
        tree.wavs().map(|path| utterance(tree, path)).collect()
    }
}

fn utterance(tree: &Tree<'_>, path: &str) -> Result<Utterance, CorpusError> {
    let place = Place::file(path);
    let Some(fields) = fields(stem(path)) else {
        return Err(CorpusError::Malformed {
            place,
            found: stem(path).to_owned(),
            expected: "a name of seven two-digit numbers such as 03-01-06-01-02-01-12".to_owned(),
        });
    };
    let [_modality, _channel, emotion, intensity, statement, repetition, actor] = fields;
    let mut utterance = tree.utterance(stem(path), path, actor, &place)?;
    utterance.gold = tree.label(emotion, &place)?;
    utterance.sentence = Some(statement.to_owned());
    let numbers = [("intensity", intensity), ("statement", statement), ("repetition", repetition)];
    for (name, digits) in numbers {
        let number = digits.bytes().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        utterance.attributes.insert(name.to_owned(), f64::from(number));
    }
    Ok(utterance)
}

fn fields(name: &str) -> Option<[&str; 7]> {
    let two_digits = |field: &&str| field.len() == 2 && field.bytes().all(|b| b.is_ascii_digit());
    let fields: [&str; 7] = name.split('-').collect::<Vec<_>>().try_into().ok()?;
    fields.iter().all(two_digits).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{folder, manifest, utterances_of};
    use ambivox_settings::Sex;

    #[test]
    fn a_name_says_emotion_and_actor() {
        let root = folder(&["Actor_12/03-01-06-02-01-02-12.wav"]);
        let utterance = utterances_of(root.path(), &manifest("ravdess")).unwrap().remove(0);
        assert_eq!(utterance.utterance_id, "03-01-06-02-01-02-12");
        assert_eq!((utterance.speaker.as_str(), utterance.sex), ("12", Some(Sex::Female)));
        assert_eq!(utterance.gold.as_deref(), Some("fear"));
        let attributes: Vec<_> = utterance.attributes.into_iter().collect();
        let expected = [("intensity", 2.0), ("repetition", 2.0), ("statement", 1.0)];
        assert_eq!(attributes, expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn every_emotion_has_a_name() {
        let names: Vec<_> =
            (1..=8).map(|emotion| format!("Actor_01/03-01-{emotion:02}-01-01-01-01.wav")).collect();
        let root = folder(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let utterances = utterances_of(root.path(), &manifest("ravdess")).unwrap();
        let gold: Vec<_> = utterances.iter().filter_map(|u| u.gold.as_deref()).collect();
        let expected =
            ["neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise"];
        assert_eq!(gold, expected);
    }

    #[test]
    fn song_is_no_part_of_the_corpus() {
        let speech = "Actor_01/03-01-01-01-01-01-01.wav";
        let root = folder(&[speech, "Actor_01/03-02-01-01-01-01-01.wav"]);
        let utterances = utterances_of(root.path(), &manifest("ravdess")).unwrap();
        assert_eq!(utterances.iter().map(|u| u.path.as_str()).collect::<Vec<_>>(), [speech]);
    }

    #[test]
    fn a_name_of_another_form_is_an_error() {
        for name in ["03-01-06-01-02-12", "03-01-06-01-02-01-012", "03-01-06-01-02-01-1x"] {
            let root = folder(&[&format!("Actor_12/{name}.wav")]);
            let error = utterances_of(root.path(), &manifest("ravdess")).unwrap_err();
            assert!(matches!(error, CorpusError::Malformed { .. }), "{error}");
        }
    }
}
