//! IEMOCAP's release tree, which the synthetic corpus has too.
//!
//! `SessionN/dialog/EmoEvaluation/<dialogue>.txt` holds the turns of a dialogue,
//! `SessionN/sentences/wav/<dialogue>/<turn>.wav` the sound of each. The folders below
//! `EmoEvaluation` repeat the annotators one by one and are not needed.

use super::Layout;
use super::evaluation::{Turn, parse_evaluation};
use crate::tree::Tree;
use crate::{CorpusError, Place, Utterance};

/// Folder of the evaluation files within a session's.
const EVALUATIONS: &str = "/dialog/EmoEvaluation/";

/// The layout of IEMOCAP.
pub(super) struct Iemocap;

impl Layout for Iemocap {
    fn utterances(
        &self,
        tree: &Tree<'_>,
        _warnings: &mut Vec<String>,
    ) -> Result<Vec<Utterance>, CorpusError> {
        let mut utterances = Vec::new();
        for file in &tree.files {
            if let Some(session) = session_folder(file) {
                utterances.extend(dialogue(tree, file, session)?);
            }
        }
        Ok(utterances)
    }
}

/// The session's folder of an evaluation file; `None` for any other file.
fn session_folder(file: &str) -> Option<&str> {
    let (session, name) = file.split_once(EVALUATIONS)?;
    let text = name.rsplit_once('.').is_some_and(|(_, extension)| extension == "txt");
    (text && !name.contains('/')).then_some(session)
}

fn dialogue(tree: &Tree<'_>, file: &str, session: &str) -> Result<Vec<Utterance>, CorpusError> {
    let turns = parse_evaluation(&tree.bytes(file)?).map_err(|fault| CorpusError::Malformed {
        place: Place::line(file, fault.line),
        found: fault.text,
        expected: fault.expected.to_owned(),
    })?;
    turns.iter().map(|turn| utterance(tree, file, session, turn)).collect()
}

fn utterance(
    tree: &Tree<'_>,
    file: &str,
    session: &str,
    turn: &Turn,
) -> Result<Utterance, CorpusError> {
    let place = Place::line(file, turn.line);
    let Some((dialogue, speaker)) = dialogue_and_speaker(&turn.name) else {
        return Err(CorpusError::Malformed {
            place,
            found: turn.name.clone(),
            expected: "a turn's name such as Ses01F_impro01_M003".to_owned(),
        });
    };
    let path = format!("{session}/sentences/wav/{dialogue}/{}.wav", turn.name);
    let mut utterance = tree.utterance(&turn.name, &path, &speaker, &place)?;
    utterance.gold = tree.label(&turn.emotion, &place)?;
    utterance.votes = tree.votes(turn.votes.iter().map(|(code, &n)| (code.as_str(), n)), &place)?;
    for (evaluator, codes) in &turn.ratings {
        tree.rate(&mut utterance.ratings, evaluator, codes.iter().map(String::as_str), &place)?;
    }
    utterance.attributes.extend(attributes(turn));
    Ok(utterance)
}

/// Dialogue and speaker of a turn. Who speaks is the first letter after the *last* underscore; the
/// letter after the session's number says who wore the markers, in turns of either speaker.
fn dialogue_and_speaker(turn: &str) -> Option<(&str, String)> {
    let (dialogue, token) = turn.rsplit_once('_')?;
    let session = turn.get(..5)?;
    let numbered = session.strip_prefix("Ses")?.bytes().all(|byte| byte.is_ascii_digit());
    let letter = token.chars().next().filter(|letter| ['F', 'M'].contains(letter))?;
    numbered.then(|| (dialogue, format!("{session}{letter}")))
}

fn attributes(turn: &Turn) -> impl Iterator<Item = (String, f64)> {
    let [valence, activation, dominance] = turn.attributes;
    let named = [
        ("dialogue_start_s", Some(turn.start_s)),
        ("dialogue_end_s", Some(turn.end_s)),
        ("valence", valence),
        ("activation", activation),
        ("dominance", dominance),
    ];
    named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)))
}

#[cfg(test)]
mod tests;
