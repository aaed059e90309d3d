//! `results.csv`: the rates of every run in a row, as tables of published results are put together from.

use std::path::Path;

use ambivox_eval::{FoldResult, Summary};
use ambivox_settings::guard;
use fs_err as fs;

use crate::StageError;

const HEAD: [&str; 12] = [
    "pipeline",
    "method",
    "seed",
    "fold",
    "n",
    "wa",
    "ua",
    "macro_f1",
    "weighted_f1",
    "ece",
    "brier",
    "nll",
];

/// Writes a row for every method, seed and fold or test set, sorted by these, methods by their ids.
/// Rates are fractions of 1 with as many digits as tell them apart, empty where undefined.
pub(crate) fn write(file: &Path, summary: &Summary) -> Result<(), StageError> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let fault = |error: csv::Error| StageError::Io(error.into());
    csv.write_record(HEAD).map_err(fault)?;
    for (method, of_method) in &summary.methods {
        for (seed, of_seed) in &of_method.seeds {
            for (name, fold) in &of_seed.folds {
                let run = [&summary.pipeline, method, &seed.to_string(), name];
                csv.write_record(row(run, fold)).map_err(fault)?;
            }
        }
    }
    let bytes = csv.into_inner().map_err(|error| StageError::Io(error.into_error()))?;
    Ok(fs::write(file, bytes)?)
}

fn row(run: [&String; 4], fold: &FoldResult) -> Vec<String> {
    let rates = [
        Some(fold.wa),
        Some(fold.ua),
        fold.macro_f1,
        fold.weighted_f1,
        fold.ece,
        fold.brier,
        fold.nll,
    ];
    let number = |rate: Option<f64>| rate.map_or_else(String::new, |rate| rate.to_string());
    let run = run.map(|text| guard(text).into_owned()).into_iter();
    run.chain([fold.n.to_string()]).chain(rates.map(number)).collect()
}

#[cfg(test)]
mod tests {
    use ambivox_eval::{EpochRecord, RunHistory, SummaryBuilder, Tested};

    use super::*;

    fn history(method: &str, seed: u64, fold: &str) -> RunHistory {
        let epoch = EpochRecord {
            epoch: 1,
            train_loss: 1.0,
            validation_loss: Some(1.0),
            ..EpochRecord::default()
        };
        RunHistory {
            schema: 1,
            method: method.to_owned(),
            seed,
            fold: fold.to_owned(),
            classes: ["calm", "angry"].map(str::to_owned).to_vec(),
            train_utterances: 2,
            validation_utterances: 1,
            test_utterances: 3,
            parameters: 1,
            best_epoch: 1,
            chosen: std::collections::BTreeMap::new(),
            initial_mean_weight: None,
            epochs: vec![epoch],
        }
    }

    #[test]
    fn a_row_for_every_run_sorted_and_to_the_last_digit() {
        let first = history("lw", 10, "=bob");
        let mut builder = SummaryBuilder::new("toy", &first.classes, false);
        let predictions: [(usize, &[f64]); 3] =
            [(0, &[0.9, 0.1]), (0, &[0.3, 0.7]), (1, &[0.25, 0.75])];
        let tested = Tested::from_probabilities(2, predictions).unwrap();
        for run in [&first, &history("lw", 9, "ann, eve"), &history("baseline", 9, "bob")] {
            builder.add_run(tested.clone(), run).unwrap();
        }
        builder.add_run(tested.confusion, &history("lw", 9, "zoe")).unwrap();
        let summary = builder.finish().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("results.csv");
        write(&file, &summary).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[0], HEAD.join(","));
        let run = |row: &&str| row.split_once(",3,0.").map(|(run, _)| run.to_owned());
        let runs: Vec<String> = rows[1..].iter().filter_map(run).collect();
        let sorted = ["baseline,9,bob", "lw,9,\"ann, eve\"", "lw,9,zoe", "lw,10,'=bob"]
            .map(|r| format!("toy,{r}"));
        assert_eq!(runs, sorted);
        let of_counts_alone = rows[3].split(',').rev().take(3).collect::<String>();
        assert_eq!(of_counts_alone, "", "no rates of probabilities: {}", rows[3]);
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        let row = csv.records().next().unwrap().unwrap();
        let fold = &summary.methods["baseline"].seeds[&9].folds["bob"];
        let wanted = [fold.macro_f1, fold.weighted_f1, fold.ece, fold.brier, fold.nll];
        let found: Vec<Option<f64>> = row.iter().skip(7).map(|cell| cell.parse().ok()).collect();
        assert_eq!(found, wanted, "to the last bit");
    }
}
