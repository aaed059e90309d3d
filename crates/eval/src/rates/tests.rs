//! Means by hand, and every rate against scikit-learn's.

use serde::Deserialize;

use super::*;
use crate::Tested;

/// What `tests-data/rates.py` makes.
#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    gold: Vec<usize>,
    probabilities: Vec<Vec<f64>>,
    wa: f64,
    ua: f64,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    support: Vec<u64>,
    macro_f1: f64,
    weighted_f1: f64,
    ece: f64,
    brier: f64,
    nll: f64,
}

fn near(name: &str, found: Option<f64>, want: f64) {
    let found = found.unwrap();
    assert!((found - want).abs() < 1e-12, "{name}: {found} where scikit-learn has {want}");
}

#[test]
fn rates_are_those_of_scikit_learn() {
    let reference: Reference =
        serde_json::from_str(include_str!("../../tests-data/rates.json")).unwrap();
    assert!(reference.cases.iter().any(|case| case.support.contains(&0)), "a class is missing");
    for case in reference.cases {
        let rows = case.probabilities.iter().map(Vec::as_slice);
        let pairs = case.gold.iter().copied().zip(rows);
        let tested = Tested::from_probabilities(case.support.len(), pairs).unwrap();
        let rates = tested.rates();
        let single = [
            ("wa", rates.wa, case.wa),
            ("ua", rates.ua, case.ua),
            ("macro F1", rates.macro_f1, case.macro_f1),
            ("weighted F1", rates.weighted_f1, case.weighted_f1),
            ("ECE", rates.ece, case.ece),
            ("Brier score", rates.brier, case.brier),
            ("NLL", rates.nll, case.nll),
        ];
        for (name, found, want) in single {
            near(name, found, want);
        }
        for (class, support) in case.support.iter().enumerate() {
            let found = [rates.precision[class], rates.recall[class], rates.f1[class]];
            // scikit-learn has numbers for a class that does not occur; here it has none.
            if *support == 0 {
                assert_eq!(found, [None; 3]);
                continue;
            }
            let want = [case.precision[class], case.recall[class], case.f1[class]];
            for (found, want) in found.into_iter().zip(want) {
                near("per class", found, want);
            }
        }
    }
}

#[test]
fn mean_and_sample_deviation_by_hand() {
    let over = mean_sd([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
    assert_eq!(over.mean, 5.0);
    // Σ(x − 5)² = 32, over 7.
    assert!((over.sd.unwrap() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-15);
}

#[test]
fn too_few_values_have_no_deviation() {
    assert_eq!(mean_sd([]), None);
    assert_eq!(mean_sd([0.25]), Some(MeanSd { mean: 0.25, sd: None }));
}

#[test]
fn undefined_rates_are_passed_over() {
    let fold = |ua: f64, recall: Option<f64>| Rates {
        wa: Some(0.5),
        ua: Some(ua),
        precision: vec![Some(0.5)],
        recall: vec![recall],
        f1: vec![None],
        macro_f1: Some(ua),
        ..Rates::default()
    };
    let folds = [fold(0.25, Some(0.5)), fold(0.5, None), fold(0.75, Some(1.0))];
    let (mean, sd) = Rates::mean_and_sd(&folds);
    assert_eq!((mean.ua, sd.ua), (Some(0.5), Some(0.25)));
    assert_eq!((mean.macro_f1, sd.macro_f1, mean.ece), (Some(0.5), Some(0.25), None));
    assert_eq!(mean.recall, [Some(0.75)]);
    assert_eq!((mean.f1, sd.f1), (vec![None], vec![None]));
}
