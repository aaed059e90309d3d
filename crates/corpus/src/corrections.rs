//! Labels that a reviewer has changed: `corrections.csv`, as `audit.html` saves it.
//!
//! One row is one decision on one utterance: the label that the reviewer was shown, the label that
//! is to hold from now on, and which of the two it came from. A file that was made for other labels
//! than those it meets is refused, row and remedy named, rather than applied in part.

use std::collections::BTreeMap;
use std::path::Path;

use ambivox_settings::{CorrectionCounts, Manifest, unguard};

use crate::error::listed;
use crate::name::nfc;
use crate::noise::NoisyLabel;
use crate::table::{Delimited, Row, Table};
use crate::{CorpusError, Place, Utterance};

const COLUMNS: [&str; 4] = ["utterance_id", "given", "label", "decision"];
/// Whoever writes the file may leave it out.
const COMMENT: &str = "comment";

/// A reviewer's decisions, by utterance.
#[derive(Debug, Clone, Default)]
pub struct Corrections(BTreeMap<String, Correction>);

#[derive(Debug, Clone)]
struct Correction {
    place: Place,
    decision: Decision,
}

/// What a reviewer decided on one utterance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The label that the reviewer was shown; `""` where there was none.
    pub given: String,
    /// The label from now on.
    pub label: String,
    /// `accept`, `reject` or `other`.
    pub word: String,
    /// What the reviewer wrote beside it.
    pub comment: String,
}

impl Corrections {
    /// Reads a file with the columns `utterance_id`, `given`, `label` and `decision`, in any order
    /// and beside any others, of which `comment` is kept. A decision is `accept` or `other`, which change the label, or
    /// `reject`, which keeps it.
    ///
    /// Errors: a column that is missing, an utterance named twice, a decision that is no such word
    /// or that contradicts its two labels.
    pub fn read(file: &Path) -> Result<Self, CorpusError> {
        let bytes = fs_err::read(file).map_err(CorpusError::Read)?;
        Self::parse(&file.display().to_string(), &bytes)
    }

    /// As [`Self::read`], from a file's content; `name` is for messages.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, CorpusError> {
        let table = Table::parse(name, bytes, Delimited::COMMA)?;
        let mut columns = [0; COLUMNS.len()];
        for (place, column) in columns.iter_mut().zip(COLUMNS) {
            *place = table.column(column)?;
        }
        let comment = table.find(COMMENT)?;
        let mut corrections = BTreeMap::new();
        for row in table.rows() {
            let comment = comment.map_or(Ok(""), |at| row.cell(at))?;
            let [id, given, label, word] = columns;
            let labels = [row.cell(given)?, row.cell(label)?];
            let correction = correction(row, labels, row.cell(word)?, comment)?;
            add(&mut corrections, nfc(unguard(row.cell(id)?)), correction)?;
        }
        Ok(Self(corrections))
    }

    /// The file of a corpus, relative to its root, that the manifest names as `csv.corrections`;
    /// `None` where it names none.
    pub fn of_corpus(root: &Path, manifest: &Manifest) -> Result<Option<Self>, CorpusError> {
        let file = manifest.csv.as_ref().and_then(|layout| layout.corrections.as_ref());
        file.map(|file| Self::read(&root.join(file))).transpose()
    }

    /// Every decision by its utterance, in the order of their ids.
    pub fn decisions(&self) -> impl Iterator<Item = (&str, &Decision)> {
        self.0.iter().map(|(id, correction)| (id.as_str(), &correction.decision))
    }

    /// How many labels are changed, and how many kept.
    pub fn counts(&self, file: &str) -> CorrectionCounts {
        let changed = self.decisions().filter(|(_, decision)| decision.changes()).count() as u64;
        let kept = self.0.len() as u64 - changed;
        CorrectionCounts { file: file.to_owned(), changed, kept }
    }

    /// Corrects the gold labels of a corpus. `known` are the labels that there may be.
    ///
    /// Errors: an utterance or a label that is not there, a given label that is not the
    /// utterance's.
    pub fn apply(&self, utterances: &mut [Utterance], known: &[String]) -> Result<(), CorpusError> {
        let mut by_id: BTreeMap<String, &mut Utterance> =
            utterances.iter_mut().map(|u| (u.utterance_id.clone(), u)).collect();
        for (id, correction) in &self.0 {
            let utterance = by_id.get_mut(id).ok_or_else(|| correction.unknown(id))?;
            correction.check(id, utterance.gold.as_deref().unwrap_or_default(), known)?;
            // A reviewer may keep that there is no label.
            if correction.decision.changes() {
                utterance.gold = Some(correction.decision.label.clone());
            }
        }
        Ok(())
    }

    /// Corrects labels that are given as indices of `classes`; otherwise as [`Self::apply`].
    pub fn apply_to_labels(
        &self,
        labels: &mut [NoisyLabel],
        classes: &[String],
    ) -> Result<(), CorpusError> {
        let mut by_id: BTreeMap<String, &mut NoisyLabel> =
            labels.iter_mut().map(|label| (label.utterance_id.clone(), label)).collect();
        for (id, correction) in &self.0 {
            let label = by_id.get_mut(id).ok_or_else(|| correction.unknown(id))?;
            correction.check(id, &classes[label.given], classes)?;
            let class = classes.iter().position(|class| *class == correction.decision.label);
            label.given = class.unwrap_or(label.given);
        }
        Ok(())
    }
}

impl Decision {
    /// Whether the label is another than the one shown.
    fn changes(&self) -> bool {
        self.label != self.given
    }
}

impl Correction {
    fn unknown(&self, utterance_id: &str) -> CorpusError {
        CorpusError::CorrectedUnknown {
            place: self.place.clone(),
            utterance_id: utterance_id.to_owned(),
        }
    }

    fn check(&self, utterance_id: &str, found: &str, known: &[String]) -> Result<(), CorpusError> {
        let place = self.place.clone();
        let Decision { given, label, .. } = &self.decision;
        if given != found {
            return Err(CorpusError::CorrectedStale {
                place,
                utterance_id: utterance_id.to_owned(),
                given: given.as_str().into(),
                found: found.into(),
            });
        }
        // What is kept may be a label that a pipeline's classes leave out.
        if label != given && !known.contains(label) {
            return Err(CorpusError::CorrectedLabel {
                place,
                label: label.clone(),
                known: listed(known),
            });
        }
        Ok(())
    }
}

fn correction(
    row: &Row,
    [given, label]: [&str; 2],
    word: &str,
    comment: &str,
) -> Result<Correction, CorpusError> {
    match (word, given == label) {
        ("accept" | "other", false) | ("reject", true) => {}
        ("accept" | "other", true) => return Err(row.malformed(label, "a label other than given")),
        ("reject", false) => return Err(row.malformed(label, "the given label, which is kept")),
        _ => return Err(row.malformed(word, "accept, reject or other")),
    }
    let [given, label, word, comment] =
        [given, label, word, comment].map(|cell| unguard(cell).to_owned());
    let decision = Decision { given, label, word, comment };
    Ok(Correction { place: row.place.clone(), decision })
}

fn add(
    corrections: &mut BTreeMap<String, Correction>,
    utterance_id: String,
    correction: Correction,
) -> Result<(), CorpusError> {
    if let Some(first) = corrections.get(&utterance_id) {
        return Err(CorpusError::CorrectedTwice {
            utterance_id,
            rows: Box::new([first.place.clone(), correction.place]),
        });
    }
    corrections.insert(utterance_id, correction);
    Ok(())
}

#[cfg(test)]
mod tests;
