//! What the script of the page reads: one JSON document, audio and curves as base64.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::{AuditEntry, AuditPage, PreviousDecision, SaveAs};

#[derive(Serialize)]
struct Data<'a> {
    digest: &'a str,
    classes: &'a [String],
    step_s: f64,
    frame_s: f64,
    entries: Vec<Entry<'a>>,
    /// Previous decisions on utterances that are not among the entries.
    others: Vec<&'a PreviousDecision>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    rank: usize,
    /// The label that was trained on.
    label: &'a str,
    /// The label before any reviewer corrected it, which a file of corrections names.
    original: &'a str,
    /// Index of the class suggested.
    suggestion: usize,
    speaker: &'a str,
    path: &'a str,
    start_s: Option<f64>,
    end_s: Option<f64>,
    seconds: f64,
    votes: &'a [u32],
    learned: Vec<f64>,
    out_of_fold: Vec<f64>,
    reason: String,
    /// A decision that the runs had read.
    earlier: Option<&'a PreviousDecision>,
    /// Lowest and highest of every column, from 0 for −1 to 255 for 1.
    wave: String,
    /// From 0 to 255 for the highest.
    attention: String,
    sound: Option<String>,
}

/// The document, fit to stand in a `script` element: no `<` is in it, so that nothing ends the
/// element and no comment begins.
pub(super) fn json(page: &AuditPage<'_>) -> String {
    let mut earlier: BTreeMap<&str, &PreviousDecision> =
        page.earlier.iter().map(|earlier| (earlier.utterance_id.as_str(), earlier)).collect();
    let mut of_entry = |entry| {
        let entry: &AuditEntry<'_> = entry;
        let id = entry.suspect.evidence.utterance_id.as_str();
        self::of_entry(page, entry, earlier.remove(id))
    };
    let entries = page.entries.iter().map(&mut of_entry).collect();
    let data = Data {
        digest: page.digest,
        classes: page.classes,
        step_s: page.step_s,
        frame_s: page.frame_s,
        entries,
        others: earlier.into_values().collect(),
    };
    // Structs of texts and numbers can always be written; keys are no maps'.
    serde_json::to_string(&data).unwrap_or_default().replace('<', "\\u003c")
}

fn of_entry<'a>(
    page: &AuditPage<'a>,
    entry: &'a AuditEntry<'_>,
    earlier: Option<&'a PreviousDecision>,
) -> Entry<'a> {
    let evidence = &entry.suspect.evidence;
    let rounded = |shares: &[f64]| shares.iter().map(|s| (s * 1e4).round() / 1e4).collect();
    Entry {
        id: &evidence.utterance_id,
        rank: entry.suspect.rank,
        label: &page.classes[evidence.gold],
        original: match (page.save_as, earlier) {
            // The file takes the place of one that corrected the labels of the table.
            (SaveAs::OfManifest(_), Some(earlier)) => &earlier.given,
            _ => &page.classes[evidence.original],
        },
        suggestion: entry.suspect.suggestion,
        speaker: entry.speaker,
        path: entry.path,
        start_s: entry.start_s,
        end_s: entry.end_s,
        seconds: (entry.seconds * 1e4).round() / 1e4,
        votes: &evidence.votes,
        learned: rounded(&evidence.learned),
        out_of_fold: rounded(&evidence.out_of_fold),
        reason: evidence.reason(page.classes, page.held_out),
        earlier,
        wave: STANDARD.encode(bytes(&entry.peaks, -1.0, 1.0)),
        attention: STANDARD.encode(attention(&entry.attention)),
        sound: entry.wav.as_ref().map(|wav| STANDARD.encode(wav)),
    }
}

/// Relative to the highest.
fn attention(weights: &[f32]) -> Vec<u8> {
    let top = weights.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    bytes(weights, 0.0, top)
}

/// Values from `low` to `high` as whole numbers from 0 to 255.
fn bytes(values: &[f32], low: f32, high: f32) -> Vec<u8> {
    values.iter().map(|value| (255.0 * (value - low) / (high - low)).round() as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fill_a_byte() {
        assert_eq!(bytes(&[-1.0, 0.0, 1.0], -1.0, 1.0), [0, 128, 255]);
        assert_eq!(attention(&[0.25, 0.5, 0.0]), [128, 255, 0]);
        assert!(attention(&[]).is_empty());
    }
}
