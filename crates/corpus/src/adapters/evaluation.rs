//! IEMOCAP's `EmoEvaluation` files: consensus label and annotators' lines of every turn.
//!
//! A turn is a header line and the lines of its annotators, up to the next header:
//!
//! ```text
//! [6.2901 - 8.2357]<TAB>Ses01F_impro01_F000<TAB>neu<TAB>[2.5000, 2.5000, 2.5000]
//! C-E2:<TAB>Neutral;<TAB>()
//! C-F1:<TAB>Neutral; Anger;<TAB>(free comment)
//! A-E3:<TAB>val 3; act 2; dom  2;<TAB>()
//! ```

use std::collections::{BTreeMap, BTreeSet};

/// One turn of an evaluation file, in the corpus's own codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Name, such as `Ses01F_impro01_F000`.
    pub name: String,
    /// Line of the header, counted from 1.
    pub line: u64,
    /// Start within the dialogue, in seconds.
    pub start_s: f64,
    /// End within the dialogue, in seconds.
    pub end_s: f64,
    /// Consensus code, `xxx` where there is none.
    pub emotion: String,
    /// Mean valence, activation and dominance, each where the header states it.
    pub attributes: [Option<f64>; 3],
    /// Votes of the outside evaluators by code; every label of an annotator who gives several
    /// counts 1. Self-evaluations are left out.
    pub votes: BTreeMap<String, u32>,
    /// Codes that each outside evaluator chose, by the evaluator's name, such as `E2`.
    pub ratings: BTreeMap<String, BTreeSet<String>>,
}

/// A line of an evaluation file that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {text:?} found where {expected} was expected")]
pub struct EvaluationFault {
    /// The line, counted from 1.
    pub line: u64,
    /// What stands there.
    pub text: String,
    /// What should.
    pub expected: &'static str,
}

/// Reads an evaluation file's turns in the file's order.
///
/// Bytes that are not UTF-8 are replaced: comments hold some in Latin-1. Attribute lines (`A-…`),
/// self-evaluations (`C-F…`, `C-M…`) and any other line are passed over. Errors: a header that does
/// not parse, an outside evaluator's line that has no colon or comes before any header.
pub fn parse_evaluation(bytes: &[u8]) -> Result<Vec<Turn>, EvaluationFault> {
    let text = String::from_utf8_lossy(bytes);
    let mut turns: Vec<Turn> = Vec::new();
    for (line, number) in text.trim_start_matches('\u{feff}').lines().map(str::trim).zip(1..) {
        let fault = |expected| EvaluationFault { line: number, text: line.to_owned(), expected };
        if line.starts_with('[') {
            turns.push(header(line, number).ok_or_else(|| fault("a turn's header line"))?);
        } else if let Some(annotation) = line.strip_prefix("C-E") {
            let turn = turns.last_mut().ok_or_else(|| fault("a header before any annotation"))?;
            count(annotation, turn).ok_or_else(|| fault("an annotator's line with a colon"))?;
        }
    }
    Ok(turns)
}

/// `[start - end] name code [valence, activation, dominance]`.
fn header(line: &str, number: u64) -> Option<Turn> {
    let (times, rest) = line.strip_prefix('[')?.split_once(']')?;
    let (start, end) = times.split_once('-')?;
    let (words, means) = rest.split_once('[')?;
    let mut words = words.split_whitespace();
    let (name, emotion) = (words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    Some(Turn {
        name: name.to_owned(),
        line: number,
        start_s: seconds(start)?,
        end_s: seconds(end)?,
        emotion: emotion.to_owned(),
        attributes: attributes(means.strip_suffix(']')?)?,
        votes: BTreeMap::new(),
        ratings: BTreeMap::new(),
    })
}

fn seconds(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite())
}

/// Three means between commas. An empty one and `nan` are none: nobody may have given it.
fn attributes(text: &str) -> Option<[Option<f64>; 3]> {
    let means: Option<Vec<f64>> = text.split(',').map(mean).collect();
    let means: [f64; 3] = means?.try_into().ok()?;
    Some(means.map(|mean| mean.is_finite().then_some(mean)))
}

/// One mean; not a number where it is empty.
fn mean(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.is_empty() { Some(f64::NAN) } else { text.parse().ok() }
}

/// Adds the labels of `2:<TAB>Neutral; Anger;<TAB>(comment)`. Labels end where the comment begins,
/// which may hold anything.
fn count(annotation: &str, turn: &mut Turn) -> Option<()> {
    let (number, rest) = annotation.split_once(':')?;
    let labels = rest.split('(').next().unwrap_or(rest);
    for label in labels.split(';').map(str::trim).filter(|label| !label.is_empty()) {
        *turn.votes.entry(code(label)).or_default() += 1;
        turn.ratings.entry(format!("E{}", number.trim())).or_default().insert(code(label));
    }
    Some(())
}

/// The code of an annotator's word: its first three letters in lower case.
fn code(word: &str) -> String {
    word.chars().take(3).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests;
