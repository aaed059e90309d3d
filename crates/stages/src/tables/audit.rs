//! `audit.parquet` and `audit.csv`: a row per utterance, the most suspect label first.

use std::collections::BTreeMap;
use std::path::Path;

use ambivox_corpus::Utterance;
use ambivox_eval::audit::{Evidence, Suspect};
use ambivox_settings::guard;
use polars::prelude::*;

use super::{class_column, class_columns};
use crate::StageError;

/// Prefixes of the classes' columns: learned labels, and probabilities out of fold.
const PREFIXES: [&str; 2] = ["s", "p"];

/// Suspects with what the index says of them.
pub(crate) struct Table<'a> {
    pub(crate) classes: &'a [String],
    pub(crate) index: &'a BTreeMap<&'a str, &'a Utterance>,
    /// In the order of their ranks.
    pub(crate) suspects: &'a [Suspect],
    /// What the out-of-fold models did not train on.
    pub(crate) held_out: &'a str,
}

impl Table<'_> {
    /// Writes the table for programs.
    pub(crate) fn write_parquet(&self, file: &Path) -> Result<(), StageError> {
        let text = |name: &str, value: &dyn Fn(&Suspect) -> String| {
            Column::new(name.into(), self.suspects.iter().map(value).collect::<Vec<_>>())
        };
        let number = |name: &str, value: &dyn Fn(&Suspect) -> f64| {
            let values = self.suspects.iter().map(|suspect| value(suspect) as f32);
            Column::new(name.into(), values.collect::<Vec<_>>())
        };
        let cut = |name: &str, value: &dyn Fn(&Utterance) -> Option<f64>| {
            let values = self.suspects.iter().map(|s| self.utterance(s).and_then(value));
            Column::new(name.into(), values.collect::<Vec<_>>())
        };
        let ranks: Vec<u32> = self.suspects.iter().map(|suspect| suspect.rank as u32).collect();
        let mut columns = vec![
            Column::new("rank".into(), ranks),
            number("score", &|s| s.score),
            text("utterance_id", &|s| s.evidence.utterance_id.clone()),
            text("gold", &|s| self.classes[s.evidence.gold].clone()),
            text("suggestion", &|s| self.classes[s.suggestion].clone()),
            text("reason", &|s| s.evidence.reason(self.classes, self.held_out)),
            text("votes", &|s| votes(self.classes, &s.evidence)),
            text("speaker", &|s| self.utterance(s).map_or(String::new(), |u| u.speaker.clone())),
            text("path", &|s| self.utterance(s).map_or(String::new(), |u| u.path.clone())),
            cut("start_s", &|u| u.start_s),
            cut("end_s", &|u| u.end_s),
            number("weight", &|s| s.evidence.weight),
            number("loss", &|s| s.evidence.loss),
        ];
        let shares: [Vec<&[f64]>; 2] = [
            self.suspects.iter().map(|s| s.evidence.learned.as_slice()).collect(),
            self.suspects.iter().map(|s| s.evidence.out_of_fold.as_slice()).collect(),
        ];
        for (prefix, rows) in PREFIXES.into_iter().zip(&shares) {
            columns.extend(class_columns(prefix, self.classes, rows));
        }
        let mut table =
            DataFrame::new(self.suspects.len(), columns).map_err(StageError::parquet(file))?;
        super::write(file, &mut table)
    }

    /// Writes the table for a spreadsheet, with rounded numbers, and no text that is a formula.
    pub(crate) fn write_csv(&self, file: &Path) -> Result<(), StageError> {
        super::write_csv(file, self.csv_head(), self.suspects.iter().map(|one| self.csv_row(one)))
    }

    fn csv_head(&self) -> Vec<String> {
        let fixed = [
            "rank",
            "score",
            "utterance_id",
            "gold",
            "suggestion",
            "reason",
            "votes",
            "speaker",
            "path",
            "start_s",
            "end_s",
            "weight",
            "loss",
        ];
        let of_classes = PREFIXES
            .into_iter()
            .flat_map(|prefix| self.classes.iter().map(move |class| class_column(prefix, class)));
        fixed.into_iter().map(str::to_owned).chain(of_classes).collect()
    }

    fn csv_row(&self, suspect: &Suspect) -> Vec<String> {
        let evidence = &suspect.evidence;
        let utterance = self.utterance(suspect);
        let text = |text: &str| guard(text).into_owned();
        let of_index = |value: fn(&Utterance) -> &str| text(utterance.map_or("", value));
        let time = |value: fn(&Utterance) -> Option<f64>| {
            utterance.and_then(value).map_or(String::new(), |seconds| seconds.to_string())
        };
        let number = |value: f64| format!("{value:.4}");
        let mut row = vec![
            suspect.rank.to_string(),
            number(suspect.score),
            text(&evidence.utterance_id),
            text(&self.classes[evidence.gold]),
            text(&self.classes[suspect.suggestion]),
            text(&evidence.reason(self.classes, self.held_out)),
            text(&votes(self.classes, evidence)),
            of_index(|u| &u.speaker),
            of_index(|u| &u.path),
            time(|u| u.start_s),
            time(|u| u.end_s),
            number(evidence.weight),
            number(evidence.loss),
        ];
        row.extend(evidence.learned.iter().chain(&evidence.out_of_fold).copied().map(number));
        row
    }

    fn utterance(&self, suspect: &Suspect) -> Option<&Utterance> {
        self.index.get(suspect.evidence.utterance_id.as_str()).copied()
    }
}

/// `happiness 2, anger 1`.
fn votes(classes: &[String], evidence: &Evidence) -> String {
    let voted = classes.iter().zip(&evidence.votes).filter(|(_, count)| **count > 0);
    voted.map(|(class, count)| format!("{class} {count}")).collect::<Vec<_>>().join(", ")
}
