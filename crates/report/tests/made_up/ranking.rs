//! A made-up ranking of labels: six utterances, three of them with audio.

use std::f32::consts::TAU;

use ambivox_eval::audit::{Evidence, Suspect, rank};
use ambivox_report::{AuditEntry, AuditPage, COLUMNS, PreviousDecision, SaveAs};
use ambivox_settings::Manifest;

/// Owner of what a page borrows.
pub(crate) struct Ranking {
    pub(crate) manifest: Manifest,
    pub(crate) classes: Vec<String>,
    pub(crate) suspects: Vec<Suspect>,
    pub(crate) speaker: String,
    pub(crate) path: String,
    pub(crate) earlier: Vec<PreviousDecision>,
}

impl Ranking {
    /// Of the corpus of the other records.
    pub(crate) fn new(manifest: Manifest, classes: &[String]) -> Self {
        let evidence = |(n, name): (usize, &str)| {
            let doubt = 0.9 - 0.15 * n as f64;
            let (gold, other) = (n % 4, (n + 1) % 4);
            let mut learned = vec![0.02; 4];
            (learned[gold], learned[other]) = (0.96 - doubt, doubt);
            Evidence {
                twin: None,
                utterance_id: name.to_owned(),
                gold,
                original: gold,
                out_of_fold: learned.clone(),
                learned,
                weight_initial: 1.0,
                weight: 1.0 + doubt,
                loss: doubt,
                margin: None,
                confidence: None,
                neighbours: Vec::new(),
                votes: vec![2, 1, 0, 0],
            }
        };
        let names = ["anna/03", "bert/07", "carl/01", "dora/02", "anna/11", "bert/05"];
        let suspects = rank(names.into_iter().enumerate().map(evidence).collect());
        let (speaker, path) = ("anna".to_owned(), "wav/a.wav".to_owned());
        let classes = classes.to_vec();
        Self { manifest, classes, suspects, speaker, path, earlier: Vec::new() }
    }

    /// The utterances, each a second long.
    pub(crate) fn entries(&self) -> Vec<AuditEntry<'_>> {
        let peaks =
            |n: usize| (TAU * n as f32 / 97.0).sin() * if n.is_multiple_of(2) { -0.5 } else { 1.0 };
        let entry = |(n, suspect)| AuditEntry {
            suspect,
            speaker: &self.speaker,
            path: &self.path,
            start_s: None,
            end_s: Some(1.5),
            seconds: 1.0,
            peaks: (0..2 * COLUMNS).map(peaks).collect(),
            attention: (0..98).map(|t| if t == 40 { 0.03 } else { 0.01 }).collect(),
            wav: (n < 3).then(|| vec![0; 30_000]),
        };
        self.suspects.iter().enumerate().map(entry).collect()
    }

    /// The page of these entries.
    pub(crate) fn page<'a>(&'a self, entries: &'a [AuditEntry<'a>]) -> AuditPage<'a> {
        AuditPage {
            manifest: &self.manifest,
            ranked_by: None,
            precision: &[],
            method: "lw",
            classes: &self.classes,
            held_out: "speaker",
            digest: "0123abcd",
            step_s: 0.01,
            frame_s: 0.025,
            entries,
            earlier: &self.earlier,
            save_as: SaveAs::New,
        }
    }
}
