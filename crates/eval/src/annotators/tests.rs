//! Other libraries' figures from `tests-data/annotators.json`, and what must hold of any ratings.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    ratings: Vec<Vec<[usize; 2]>>,
    model: Vec<Vec<f64>>,
    fleiss_kappa: Option<f64>,
    krippendorff_alpha: f64,
    dawid_skene: Vec<Vec<f64>>,
    prior: Vec<f64>,
    consensus: Vec<usize>,
    consensus_quality: Vec<f64>,
    annotator_quality: Vec<f64>,
    annotator_weight: Vec<f64>,
    model_weight: f64,
}

fn cases() -> BTreeMap<String, Case> {
    serde_json::from_str(include_str!("../../tests-data/annotators.json")).unwrap()
}

fn ratings(classes: usize, utterances: &[Vec<[usize; 2]>]) -> Ratings {
    let rating = |&[annotator, class]: &[usize; 2]| Rating { annotator, class };
    let utterances = utterances.iter().map(|of| of.iter().map(rating).collect());
    Ratings::new(classes, utterances.collect()).unwrap()
}

fn assert_near(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < 1e-6, "{what} {place}: {found}, not {expected}");
    }
}

#[test]
fn agreement_is_that_of_statsmodels_and_krippendorff() {
    for (name, case) in cases() {
        let ratings = ratings(4, &case.ratings);
        if let Some(kappa) = case.fleiss_kappa {
            assert_near(&[ratings.fleiss_kappa().unwrap()], &[kappa], &name);
        }
        let alpha = ratings.krippendorff_alpha().unwrap();
        assert_near(&[alpha], &[case.krippendorff_alpha], &name);
    }
}

#[test]
fn dawid_and_skene_are_those_of_crowd_kit() {
    for (name, case) in cases() {
        let found = DawidSkene::of(&ratings(4, &case.ratings));
        assert_near(&found.probabilities.concat(), &case.dawid_skene.concat(), &name);
        assert_near(&found.prior, &case.prior, &name);
    }
}

#[test]
fn crowdlab_is_that_of_cleanlab() {
    for (name, case) in cases() {
        let found = Crowdlab::of(&ratings(4, &case.ratings), &case.model).unwrap().unwrap();
        assert_eq!(found.consensus, case.consensus, "{name}");
        assert_near(&found.quality(), &case.consensus_quality, &name);
        assert_near(&found.annotator_weight, &case.annotator_weight, &name);
        assert!(found.annotator_quality.iter().all(Option::is_some), "{name}");
        let quality: Vec<f64> = found.annotator_quality.into_iter().flatten().collect();
        assert_near(&quality, &case.annotator_quality, &name);
        assert_near(&[found.model_weight], &[case.model_weight], &name);
    }
}

#[test]
fn agreement_of_all_is_one_and_of_nobody_is_below_chance() {
    let agreed = ratings(2, &[vec![[0, 0], [1, 0]], vec![[0, 1], [1, 1]]]);
    assert_eq!((agreed.fleiss_kappa(), agreed.krippendorff_alpha()), (Some(1.0), Some(1.0)));
    let split = ratings(2, &[vec![[0, 0], [1, 1]], vec![[0, 0], [1, 1]]]);
    assert_eq!(split.fleiss_kappa(), Some(-1.0));
    assert_eq!(split.agreement_with_others(), [Some(0.0), Some(0.0)]);
    for silent in [vec![], vec![vec![[0, 1]]], vec![vec![[0, 1], [1, 1]]]] {
        let silent = ratings(2, &silent);
        assert_eq!((silent.fleiss_kappa(), silent.krippendorff_alpha()), (None, None));
    }
    assert_eq!(ratings(2, &[vec![[1, 0]]]).agreement_with_others(), [None, None]);
}

/// Two who are right against three who say 0 whatever they hear: counting would believe the three.
#[test]
fn who_always_says_the_same_is_not_believed() {
    let heard = |truth| vec![[0, truth], [1, truth], [2, 0], [3, 0], [4, 0]];
    let truths = [0, 1, 2, 1, 2, 0, 2, 1, 0, 1, 2, 2];
    let found = DawidSkene::of(&ratings(3, &truths.map(heard)));
    let named = found.probabilities.iter().map(|p| crate::argmax(p).unwrap());
    assert_eq!(named.collect::<Vec<_>>(), truths);
    let accuracy = found.accuracy(&ratings(3, &truths.map(heard)));
    let accuracy: Vec<f64> = accuracy.into_iter().flatten().collect();
    assert_near(&accuracy, &[1.0, 1.0, 0.25, 0.25, 0.25], "accuracy");
}

/// Who names two classes says half of each, and does not disagree with themselves.
#[test]
fn several_classes_of_one_annotator_share_one_rating() {
    let alone = ratings(2, &[vec![[0, 0], [0, 1]], vec![[1, 0]]]);
    assert_eq!((alone.fleiss_kappa(), alone.agreement_with_others()), (None, vec![None, None]));
    assert_eq!(Crowdlab::of(&alone, &[vec![0.5, 0.5], vec![0.1, 0.9]]), Ok(None));
    let several = ratings(3, &[vec![[0, 0], [1, 0], [2, 0], [2, 1]], vec![[0, 1], [1, 1]]]);
    // Of the others, those who name the same: half of one where somebody is in two minds.
    assert_eq!(several.counts()[0], [2.5, 0.5, 0.0]);
    let agreement: Vec<f64> = several.agreement_with_others().into_iter().flatten().collect();
    assert_near(&agreement, &[2.5 / 3.0, 2.5 / 3.0, 0.5], "with others");
    // Pairs of three annotators: one agrees, two by half. Of two: one agrees. Five ratings in all.
    let observed = 1.0 / 6.0;
    let expected = 1.0 - (0.5 * 0.5 + 0.5 * 0.5);
    let kappa = several.fleiss_kappa().unwrap();
    assert_near(&[kappa], &[1.0 - observed / expected], "kappa");
}

/// Whom nobody overlaps with is worth what the others are on average, as cleanlab has it.
#[test]
fn an_annotator_alone_has_the_mean_weight() {
    let rated = ratings(2, &[vec![[0, 0], [1, 0]], vec![[0, 1], [1, 1]], vec![[2, 0]]]);
    let model = [vec![0.9, 0.1], vec![0.2, 0.8], vec![0.6, 0.4]];
    let found = Crowdlab::of(&rated, &model).unwrap().unwrap();
    assert_eq!(found.annotator_weight, [1.0, 1.0, 1.0]);
    assert_eq!(found.annotator_quality[2], None);
}

#[test]
fn what_cannot_be_rated_is_told() {
    let one = Rating { annotator: 0, class: 2 };
    let error = Ratings::new(2, vec![vec![one]]).unwrap_err();
    assert_eq!(error, EvalError::ClassOutOfRange { index: 2, classes: 2 });
    let alone = ratings(2, &[vec![[0, 1]], vec![[1, 1]]]);
    assert_eq!(Crowdlab::of(&alone, &[vec![0.5, 0.5], vec![0.1, 0.9]]), Ok(None));
    let short = Crowdlab::of(&alone, &[vec![1.0], vec![1.0]]).unwrap_err();
    assert_eq!(short, EvalError::ProbabilityCount { found: 1, expected: 2 });
    let nobody = DawidSkene::of(&ratings(2, &[vec![], vec![]]));
    assert_eq!(nobody.probabilities, [[0.5, 0.5], [0.5, 0.5]]);
}

proptest! {
    #[test]
    fn names_of_annotators_and_classes_change_nothing(
        rated in prop::collection::vec(prop::collection::vec([0..5_usize, 0..3_usize], 1..6), 2..12),
        model in prop::collection::vec(prop::array::uniform3(0.01..1.0_f64), 12),
    ) {
        let model: Vec<Vec<f64>> = model[..rated.len()].iter().map(|row| {
            row.iter().map(|p| p / row.iter().sum::<f64>()).collect()
        }).collect();
        let turned = |class: usize| (class + 1) % 3;
        let other = rated.iter().map(|of| of.iter().map(|[who, class]| [4 - who, turned(*class)]).collect());
        let (one, two) = (ratings(3, &rated), ratings(3, &other.collect::<Vec<_>>()));
        let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-9,
            (a, b) => a == b,
        };
        prop_assert!(near(one.fleiss_kappa(), two.fleiss_kappa()));
        prop_assert!(near(one.krippendorff_alpha(), two.krippendorff_alpha()));
        let turn = |row: &Vec<f64>| vec![row[2], row[0], row[1]];
        let turned_model: Vec<Vec<f64>> = model.iter().map(turn).collect();
        let found = [Crowdlab::of(&one, &model).unwrap(), Crowdlab::of(&two, &turned_model).unwrap()];
        if let [Some(one), Some(two)] = found {
            for (one, two) in one.probabilities.iter().zip(&two.probabilities) {
                prop_assert!((one.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                prop_assert!(turn(one).iter().zip(two).all(|(a, b)| (a - b).abs() < 1e-9));
            }
        }
    }
}
