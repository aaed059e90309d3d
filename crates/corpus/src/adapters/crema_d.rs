//! CREMA-D: a file's name holds actor, sentence, intended emotion and level; a table holds what
//! the crowd perceived.
//!
//! The gold label is the actor's *intent*. Listeners often disagree with it: only 41.6 % of the
//! clips have the intended emotion as unique plurality of the votes of those who heard the voice
//! alone, so the votes are the better truth about the sound.

use std::collections::BTreeMap;

use ambivox_settings::{Sex, counted};

use super::Layout;
use crate::table::{Delimited, Row, Table};
use crate::tree::{Ratings, Tree, stem};
use crate::{CorpusError, Place, Utterance};

/// Votes of the crowd, by clip and presentation.
const VOTES: &str = "tabulatedVotes.csv";
/// Every answer of every listener; some copies lack it.
const ANSWERS: &str = "finishedResponses.csv";
/// In the column `queryType`: the voice alone.
const VOICE: &str = "1";
/// Age, sex and origin of the actors.
const ACTORS: &str = "VideoDemographics.csv";
/// Columns of votes; the manifest's labels name them too.
const VOTE_COLUMNS: [&str; 6] = ["A", "D", "F", "H", "N", "S"];

/// The layout of CREMA-D.
pub(super) struct CremaD;

/// Votes by label, of clips by name.
type Votes = BTreeMap<String, BTreeMap<String, u32>>;

impl Layout for CremaD {
    fn utterances(
        &self,
        tree: &Tree<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Utterance>, CorpusError> {
        let (mut votes, mut ratings) = (voice_votes(tree)?, voice_ratings(tree)?);
        let sexes = sexes(tree)?;
        let mut utterances = Vec::new();
        for path in tree.wavs() {
            let mut utterance = utterance(tree, path)?;
            utterance.votes = votes.remove(&utterance.utterance_id).unwrap_or_default();
            utterance.ratings = ratings.remove(&utterance.utterance_id).unwrap_or_default();
            utterance.sex = utterance.sex.or(sexes.get(&utterance.speaker).copied());
            utterances.push(utterance);
        }
        if !ratings.is_empty() {
            let clips = counted(ratings.len(), "clip");
            warnings.push(format!("{ANSWERS}: answers to {clips} of which there is no sound"));
        }
        Ok(utterances)
    }
}

fn utterance(tree: &Tree<'_>, path: &str) -> Result<Utterance, CorpusError> {
    let place = Place::file(path);
    let name = stem(path);
    let fields: Vec<&str> = name.split('_').collect();
    let [actor, sentence, emotion, _level] = fields[..] else {
        return Err(CorpusError::Malformed {
            place,
            found: name.to_owned(),
            expected: "a name such as 1001_IEO_ANG_XX (actor, sentence, emotion, level)".to_owned(),
        });
    };
    let mut utterance = tree.utterance(name, path, actor, &place)?;
    utterance.gold = tree.label(emotion, &place)?;
    utterance.sentence = Some(sentence.to_owned());
    Ok(utterance)
}

/// Votes of those who heard the voice alone; empty where the copy lacks the table.
fn voice_votes(tree: &Tree<'_>) -> Result<Votes, CorpusError> {
    let Some(file) = tree.file_named(VOTES) else { return Ok(Votes::new()) };
    let table = Table::read(tree, file, Delimited::COMMA)?;
    let (row_name, clip) = (table.column("")?, table.column("fileName")?);
    let mut columns = Vec::new();
    for code in VOTE_COLUMNS {
        columns.push((code, table.column(code)?));
    }
    let mut votes = Votes::new();
    for row in table.rows() {
        if heard_alone(row.cell(row_name)?) {
            votes.insert(row.cell(clip)?.to_owned(), row_votes(tree, row, &columns)?);
        }
    }
    Ok(votes)
}

/// Answers of those who heard the voice alone, by clip, the slow ones among them that the table of votes leaves
/// out; empty where the copy lacks the file.
fn voice_ratings(tree: &Tree<'_>) -> Result<BTreeMap<String, Ratings>, CorpusError> {
    let Some(file) = tree.file_named(ANSWERS) else { return Ok(BTreeMap::new()) };
    let table = Table::read(tree, file, Delimited::COMMA)?;
    let [who, heard, clip, answer] =
        ["localid", "queryType", "clipName", "respEmo"].map(|name| table.column(name));
    let (who, heard, clip, answer) = (who?, heard?, clip?, answer?);
    let mut ratings: BTreeMap<String, Ratings> = BTreeMap::new();
    for row in table.rows() {
        if row.cell(heard)? == VOICE {
            let of_clip = ratings.entry(stem(row.cell(clip)?).to_owned()).or_default();
            tree.rate(of_clip, row.cell(who)?, [row.cell(answer)?], &row.place)?;
        }
    }
    Ok(ratings)
}

/// Row names are 1xxxxx for the voice alone, 2xxxxx for the face alone, 3xxxxx for both.
fn heard_alone(row_name: &str) -> bool {
    row_name.len() == 6 && row_name.starts_with('1')
}

fn row_votes(
    tree: &Tree<'_>,
    row: &Row,
    columns: &[(&str, usize)],
) -> Result<BTreeMap<String, u32>, CorpusError> {
    let mut counts = Vec::new();
    for &(code, column) in columns {
        let cell = row.cell(column)?;
        let count = cell.parse().map_err(|_| row.malformed(cell, "a number of votes"))?;
        counts.push((code, count));
    }
    tree.votes(counts, &row.place)
}

/// Sex by actor; empty where the copy lacks the table.
fn sexes(tree: &Tree<'_>) -> Result<BTreeMap<String, Sex>, CorpusError> {
    let Some(file) = tree.file_named(ACTORS) else { return Ok(BTreeMap::new()) };
    let table = Table::read(tree, file, Delimited::COMMA)?;
    let (actor, sex) = (table.column("ActorID")?, table.column("Sex")?);
    table.rows().iter().map(|row| Ok((row.cell(actor)?.to_owned(), row_sex(row, sex)?))).collect()
}

fn row_sex(row: &Row, column: usize) -> Result<Sex, CorpusError> {
    match row.cell(column)? {
        "Female" => Ok(Sex::Female),
        "Male" => Ok(Sex::Male),
        other => Err(row.malformed(other, "Female or Male")),
    }
}

#[cfg(test)]
mod tests;
