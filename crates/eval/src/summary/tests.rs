//! A tiny summary with figures that can be checked by hand.

use proptest::prelude::*;

use super::*;
use crate::{EpochRecord, LabelRepair, RunHistory, SummaryBuilder};

fn classes() -> Vec<String> {
    ["happiness", "sadness"].map(str::to_owned).to_vec()
}

/// A history of three epochs.
pub(crate) fn history(method: &str, seed: u64, fold: &str, best_epoch: usize) -> RunHistory {
    let epoch = |epoch| EpochRecord {
        epoch,
        train_loss: 1.0 / epoch as f64,
        validation_loss: Some(1.5),
        validation_wa: Some(0.5),
        validation_ua: Some(0.5),
        criterion: None,
        labels_moved: Some(0.25),
        mean_weight: Some(vec![0.75, 1.25]),
    };
    RunHistory {
        schema: 1,
        method: method.to_owned(),
        seed,
        fold: fold.to_owned(),
        classes: classes(),
        train_utterances: 8,
        validation_utterances: 4,
        test_utterances: 4,
        parameters: 100,
        best_epoch,
        chosen: std::collections::BTreeMap::new(),
        initial_mean_weight: Some(vec![0.5, 1.5]),
        epochs: (1..=3).map(epoch).collect(),
    }
}

fn confusion(rows: [[u64; 2]; 2]) -> Confusion {
    Confusion::try_from(rows.map(Vec::from).to_vec()).unwrap()
}

/// Two folds by `lw` from two seeds, one fold by two other methods.
pub(crate) fn tiny() -> Summary {
    let mut builder = SummaryBuilder::new("tiny", &classes(), true);
    let runs = [
        ("lw", 0, "A", [[2, 2], [0, 4]]),
        ("lw", 0, "B", [[4, 0], [0, 0]]),
        ("lw", 1, "A", [[4, 0], [0, 4]]),
        ("lw", 1, "B", [[2, 2], [0, 0]]),
        ("baseline", 0, "A", [[4, 0], [4, 0]]),
        ("a-method", 0, "A", [[0, 4], [0, 4]]),
    ];
    for (method, seed, fold, rows) in runs {
        builder.add_run(confusion(rows), &history(method, seed, fold, 2)).unwrap();
    }
    builder.finish().unwrap()
}

#[test]
fn fold_means_and_pooled_rates_by_hand() {
    let summary = tiny();
    let seed = &summary.methods["lw"].seeds[&0];
    // Fold A: WA 6/8, UA (1/2 + 1)/2; fold B: only the first class occurs, all of it found.
    assert_eq!((seed.folds["A"].wa, seed.folds["A"].ua), (0.75, 0.75));
    assert_eq!((seed.folds["B"].wa, seed.folds["B"].ua), (1.0, 1.0));
    assert_eq!(seed.folds["B"].recall, [Some(1.0), None]);
    assert_eq!(seed.mean.ua, Some(0.875));
    assert!((seed.sd.ua.unwrap() - 0.125 * 2.0_f64.sqrt()).abs() < 1e-15);
    assert_eq!(seed.mean.recall, [Some(0.75), Some(1.0)]);
    // Pooled: [[6, 2], [0, 4]].
    assert_eq!((seed.pooled.wa, seed.pooled.ua, seed.pooled.n), (10.0 / 12.0, 0.875, 12));
    assert_eq!(seed.pooled.precision, [Some(1.0), Some(4.0 / 6.0)]);
}

/// Two folds that test the same, each validated by others, from one seed: one test set and an ensemble of two.
#[test]
fn models_of_folds_that_test_the_same_are_an_ensemble() {
    let mut builder = SummaryBuilder::new("tiny", &classes(), true);
    builder.add_run(confusion([[4, 0], [0, 4]]), &history("lw", 0, "T-1", 2)).unwrap();
    builder.add_run(confusion([[2, 2], [0, 4]]), &history("lw", 0, "T-2", 2)).unwrap();
    builder.add_ensemble("lw", "T", 2, confusion([[3, 1], [0, 4]]).into());
    let mut summary = builder.finish().unwrap();
    summary.in_turn = ["T-1", "T-2"].map(|fold| (fold.to_owned(), "T".to_owned())).into();
    assert_eq!(summary.sets(), BTreeMap::from([("T", vec!["T-1", "T-2"])]));
    let method = &summary.methods["lw"];
    let (mean, sd) = method.over_models_of(&summary.sets()["T"]);
    assert_eq!(mean.wa, Some(0.875));
    assert!((sd.wa.unwrap() - 0.125 * 2.0_f64.sqrt()).abs() < 1e-15);
    let together = method.ensemble.as_ref().unwrap();
    assert_eq!((together.seeds, together.parts, together.folds["T"].wa), (1, 2, Some(0.875)));
    let text = summary.to_json().unwrap();
    assert_eq!(Summary::from_json(&text).unwrap(), summary);
}

#[test]
fn seeds_are_averaged_fold_by_fold() {
    let summary = tiny();
    let over = &summary.methods["lw"].over_seeds;
    // Fold A: 0.75 and 1; fold B: 1 and 0.5. Seeds: 0.875 and 0.75.
    assert_eq!(over.mean.ua, Some(0.8125));
    assert!((over.sd_folds.ua.unwrap() - 0.125 / 2.0_f64.sqrt()).abs() < 1e-15);
    assert!((over.sd_seeds.ua.unwrap() - 0.125 / 2.0_f64.sqrt()).abs() < 1e-15);
    assert_eq!(over.pooled.n, 24);
    let single = &summary.methods["baseline"].over_seeds;
    assert_eq!((single.sd_folds.ua, single.sd_seeds.ua), (None, None));
}

#[test]
fn labels_are_summed_over_folds() {
    let mut builder = SummaryBuilder::new("tiny", &classes(), true);
    builder.add_run(confusion([[1, 0], [0, 1]]), &history("lw", 0, "A", 1)).unwrap();
    let moves = confusion([[1, 1], [0, 2]]);
    let repair = LabelRepair { wrong: 2, restored: 1, right: 2, broken: 0 };
    let labels = LabelMoves { moves, moves_at_last: None, repair: Some(repair) };
    builder.add_labels("lw", 0, &labels).unwrap();
    builder.add_labels("lw", 0, &labels).unwrap();
    assert!(builder.add_labels("lw", 1, &labels).is_err());
    let summary = builder.finish().unwrap();
    let sum = summary.methods["lw"].seeds[&0].labels.as_ref().unwrap();
    assert_eq!(sum.moves, confusion([[2, 2], [0, 4]]));
    assert_eq!(sum.repair.unwrap().wrong, 4);
}

#[test]
fn faulty_runs_are_named() {
    let mut builder = SummaryBuilder::new("tiny", &classes(), true);
    let run = history("lw", 7, "A", 1);
    let message = |result: Result<(), EvalError>| result.unwrap_err().to_string();
    assert!(message(builder.add_run(Confusion::new(2), &run)).contains("fold A: no utterance"));
    assert!(message(builder.add_run(Confusion::new(3), &run)).contains("2 rows"));
    let ones = confusion([[1, 1], [1, 1]]);
    builder.add_run(ones.clone(), &run).unwrap();
    assert!(message(builder.add_run(ones.clone(), &run)).contains("given twice"));
    let mut other = history("lw", 7, "B", 1);
    other.classes.reverse();
    assert!(message(builder.add_run(ones, &other)).contains("those of the pipeline"));
}

#[test]
fn methods_come_in_the_papers_order() {
    let summary = tiny();
    let ids: Vec<&str> = summary.methods_in_order().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["baseline", "lw", "a-method"]);
}

#[test]
fn json_reads_back() {
    let summary = tiny();
    let text = summary.to_json().unwrap();
    assert_eq!(Summary::from_json(&text).unwrap(), summary);
    let later = text.replacen("\"schema\": 3", "\"schema\": 4", 1);
    assert!(Summary::from_json(&later).unwrap_err().to_string().contains("schema = 4"));
    let typo = text.replacen("\"pipeline\"", "\"pipelime\"", 1);
    assert!(Summary::from_json(&typo).is_err());
}

/// Files of schema 1 have neither averages of F1 nor rates of probabilities.
#[test]
fn the_schema_before_is_read() {
    let mut json: serde_json::Value = serde_json::from_str(&tiny().to_json().unwrap()).unwrap();
    json["schema"] = 1.into();
    without(&mut json, &["macro_f1", "weighted_f1", "ece", "brier", "nll"]);
    let read = Summary::from_json(&json.to_string()).unwrap();
    let fold = &read.methods["lw"].seeds[&0].folds["A"];
    assert_eq!((fold.wa, fold.macro_f1, fold.ece), (0.75, None, None));
}

fn without(json: &mut serde_json::Value, keys: &[&str]) {
    if let Some(object) = json.as_object_mut() {
        object.retain(|key, _| !keys.contains(&key.as_str()));
        object.values_mut().for_each(|value| without(value, keys));
    }
}

#[test]
fn probabilities_are_pooled_over_folds_and_seeds_in_any_order() {
    let predictions: [(&str, u64, [f64; 2]); 4] =
        [("A", 0, [0.9, 0.1]), ("B", 0, [0.6, 0.4]), ("A", 1, [0.2, 0.8]), ("B", 1, [0.7, 0.3])];
    let summary = |order: [usize; 4]| {
        let mut builder = SummaryBuilder::new("tiny", &classes(), true);
        for (fold, seed, p) in order.map(|at| predictions[at]) {
            let tested = Tested::from_probabilities(2, [(0, p.as_slice())]).unwrap();
            builder.add_run(tested, &history("lw", seed, fold, 1)).unwrap();
        }
        builder.finish().unwrap().methods.remove("lw").unwrap()
    };
    let found = summary([0, 1, 2, 3]);
    assert_eq!(found, summary([3, 1, 2, 0]));
    let brier = [0.02, 0.32, 1.28, 0.18];
    let near = |found: Option<f64>, want: f64| assert!((found.unwrap() - want).abs() < 1e-12);
    near(found.seeds[&0].folds["A"].brier, brier[0]);
    near(found.seeds[&0].mean.brier, 0.17);
    near(found.seeds[&1].pooled.brier, 0.73);
    near(found.over_seeds.pooled.brier, brier.iter().sum::<f64>() / 4.0);
    // Each prediction is alone in its bin.
    near(found.over_seeds.pooled.ece, (0.1 + 0.4 + 0.8 + 0.3) / 4.0);
}

#[test]
fn json_has_the_documented_form() {
    let mut builder = SummaryBuilder::new("tiny", &classes(), true);
    let rows: [(usize, &[f32]); 8] = [
        (0, &[0.75, 0.25]),
        (0, &[0.75, 0.25]),
        (0, &[0.75, 0.25]),
        (0, &[0.25, 0.75]),
        (1, &[0.25, 0.75]),
        (1, &[0.25, 0.75]),
        (1, &[0.25, 0.75]),
        (1, &[0.25, 0.75]),
    ];
    let tested = Tested::from_probabilities(2, rows).unwrap();
    builder.add_run(tested, &history("lw", 0, "A", 2)).unwrap();
    let tested = Tested::from_probabilities(2, [rows[0]; 4]).unwrap();
    builder.add_run(tested, &history("lw", 0, "B", 3)).unwrap();
    insta::assert_snapshot!("summary", builder.finish().unwrap().to_json().unwrap());
}

/// Every set of rates in a summary.
fn all_rates(summary: &Summary) -> Vec<Rates> {
    let over = |m: &MethodSummary| {
        let over = &m.over_seeds;
        vec![over.mean.clone(), over.sd_folds.clone(), over.sd_seeds.clone(), over.pooled.rates()]
    };
    let per_seed = |seed: &SeedSummary| {
        let folds = seed.folds.values().map(FoldResult::rates);
        folds.chain([seed.mean.clone(), seed.sd.clone(), seed.pooled.rates()]).collect::<Vec<_>>()
    };
    let methods = summary.methods.values();
    methods.flat_map(|m| m.seeds.values().flat_map(per_seed).chain(over(m))).collect()
}

proptest! {
    /// JSON has no NaN: one would be written as null and pass for "undefined".
    #[test]
    fn every_rate_is_a_fraction_or_undefined(
        cells in prop::collection::vec(prop::collection::vec(0u64..5, 4), 1..6)
    ) {
        let mut builder = SummaryBuilder::new("p", &classes(), false);
        let mut added = 0;
        for (fold, c) in cells.iter().enumerate() {
            let matrix = confusion([[c[0], c[1]], [c[2], c[3]]]);
            let run = history("lw", 0, &fold.to_string(), 1);
            added += usize::from(builder.add_run(matrix, &run).is_ok());
        }
        prop_assume!(added > 0);
        for rates in all_rates(&builder.finish().unwrap()) {
            let single = vec![rates.wa, rates.ua, rates.macro_f1, rates.weighted_f1];
            let lists = [rates.precision, rates.recall, rates.f1, single];
            for rate in lists.into_iter().flatten().flatten() {
                prop_assert!((0.0..=1.0).contains(&rate), "{rate}");
            }
        }
    }
}
