//! The text of an `EmoEvaluation` file: a header and the annotators' lines for every turn.

use std::fmt::Write as _;

use crate::annotate::{Judgement, Rating, consensus, votes};
use crate::emotion::Emotion;
use crate::plan::{SAMPLE_RATE, Turn};

/// First line of every file.
const HEADING: &str = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n";

/// The file of one dialogue, in latin-1, in the order of the turns given.
pub(crate) fn file<'a>(turns: impl Iterator<Item = (&'a Turn, &'a Judgement)>) -> Vec<u8> {
    let mut text = String::from(HEADING);
    for (turn, judgement) in turns {
        text.push('\n');
        text.push_str(&block(turn, judgement));
    }
    text.push('\n');
    latin1(&text)
}

/// Latin-1 has a byte for each of the first 256 characters; nothing else is ever written.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
}

fn block(turn: &Turn, judgement: &Judgement) -> String {
    let mut text = header(turn, judgement);
    for (i, labels) in judgement.labels.iter().enumerate() {
        push(&mut text, &categorical(&format!("E{}", i + 1), labels, judgement.comments[i]));
    }
    let letter = turn.speaker.sex.letter();
    if let Some((label, _)) = judgement.own {
        push(&mut text, &categorical(&format!("{letter}1"), &[label], ""));
    }
    for (i, rating) in judgement.ratings.iter().enumerate() {
        push(&mut text, &attribute(&format!("E{}", i + 1), *rating));
    }
    if let Some((_, rating)) = judgement.own {
        push(&mut text, &attribute(&format!("{letter}1"), rating));
    }
    text
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn header(turn: &Turn, judgement: &Judgement) -> String {
    let seconds = |samples: usize| samples as f64 / f64::from(SAMPLE_RATE);
    let code = consensus(&votes(&judgement.labels)).map_or("xxx".to_owned(), Emotion::code);
    let [valence, activation, dominance] = means(&judgement.ratings);
    format!(
        "[{:.4} - {:.4}]\t{}\t{code}\t[{valence:.4}, {activation:.4}, {dominance:.4}]\n",
        seconds(turn.start),
        seconds(turn.start + turn.samples),
        turn.name,
    )
}

/// Means over the raters; 0 for dominance that nobody rated.
fn means(ratings: &[Rating]) -> [f64; 3] {
    [
        mean(ratings.iter().map(|rating| rating.valence)),
        mean(ratings.iter().map(|rating| rating.activation)),
        mean(ratings.iter().filter_map(|rating| rating.dominance)),
    ]
}

fn mean(values: impl Iterator<Item = u8>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, n), value| (sum + f64::from(value), n + 1));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

fn categorical(who: &str, labels: &[Emotion], comment: &str) -> String {
    let words: Vec<&str> = labels.iter().map(|label| label.word()).collect();
    format!("C-{who}:\t{};\t({comment})", words.join("; "))
}

fn attribute(who: &str, rating: Rating) -> String {
    let mut line = format!("A-{who}:\tval {}; act {}; dom  ", rating.valence, rating.activation);
    if let Some(dominance) = rating.dominance {
        // Writing to a string cannot fail.
        let _ = write!(line, "{dominance}");
    }
    line.push_str(";\t()");
    line
}

/// One evaluator's own file, as in the folders `Categorical`, `Attribute` and `Self-evaluation`,
/// which a reader of the corpus passes over. It contradicts the files above it on purpose: whoever
/// reads it by mistake finds turns whose consensus is `oth`.
pub(crate) fn decoy(turns: &[Turn]) -> String {
    let lines =
        turns.iter().map(|turn| format!("[0.0000 - 0.1000]\t{}\toth\t[1, 1, 1]\n", turn.name));
    lines.collect()
}

#[cfg(test)]
mod tests;
