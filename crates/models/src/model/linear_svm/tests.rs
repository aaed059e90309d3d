//! Machines and sigmoids against scikit-learn's, couplings against their definition, and checkpoints.

use std::path::Path;

use ambivox_nn::{CrossEntropy, Loss, Targets};
use ambivox_settings::Choice;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::Checkpoint;
use crate::checkpoint::tests::{TRAINING, assert_reads_back, features_of};

const CLASSES: usize = 3;

/// What `tests-data/svm.py` makes.
#[derive(Deserialize)]
struct Reference {
    x: Vec<Vec<f32>>,
    gold: Vec<usize>,
    soft: Vec<Vec<f64>>,
    cases: Vec<Case>,
    /// What the machine of hard targets and C = 0.1 predicts of all.
    voted: Vec<usize>,
    sigmoids: Vec<Fitted>,
}

#[derive(Deserialize)]
struct Case {
    c: f64,
    targets: String,
    values: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Fitted {
    values: Vec<f64>,
    first: Vec<u8>,
    weights: Vec<f64>,
    slope: f64,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../../../tests-data/svm.json")).unwrap()
}

/// Hard labels, those so that every class counts as much, or soft ones.
fn targets(of: &Reference, kind: &str) -> Targets {
    let Reference { gold, soft, .. } = of;
    let count = |class: usize| gold.iter().filter(|&&gold| gold == class).count() as f64;
    let weight = |&class: &usize| CLASSES as f64 * count(class) / gold.len() as f64;
    let one_hot = |&gold: &usize| (0..CLASSES).map(|c| f64::from(u8::from(c == gold))).collect();
    Targets {
        distributions: if kind == "soft" {
            soft.clone()
        } else {
            gold.iter().map(one_hot).collect()
        },
        weights: gold.iter().map(|c| if kind == "balanced" { weight(c) } else { 1.0 }).collect(),
    }
}

/// Six groups of ten.
fn groups() -> Vec<usize> {
    (0..60).map(|n| n / 10).collect()
}

fn round<'a>(x: &'a [&'a Rows<'a>], targets: &'a Targets, groups: &'a [usize]) -> Round<'a> {
    let (sample, loss): (_, &dyn Loss) = (&|_: &mut _| (0..60).collect(), &CrossEntropy);
    Round {
        number: 1,
        seed: 0,
        utterances: x,
        groups,
        targets,
        sample,
        loss,
        normalise_weights: false,
    }
}

/// LIBSVM's tolerance is 1e-9 here, ours and the products' single precision leave 2e-4 of a margin.
#[test]
fn machines_are_those_of_scikit_learn() {
    let reference = reference();
    let rows: Vec<Rows<'_>> = reference.x.iter().map(|x| x.as_slice().into()).collect();
    let x: Vec<&Rows<'_>> = rows.iter().collect();
    for Case { c, targets: kind, values } in &reference.cases {
        let (targets, groups) = (targets(&reference, kind), groups());
        let mut solver =
            Solver { c: *c, machines: LinearSvm::new(5, CLASSES), before: None, drawn: None };
        solver.round(&round(&x, &targets, &groups)).unwrap();
        for (x, expected) in x.iter().zip(values) {
            for (value, expected) in solver.machines.values(&x.read()).iter().zip(expected) {
                assert!((value - expected).abs() < 2e-4, "{kind}, C = {c}: {value} {expected}");
            }
        }
    }
}

/// SciPy minimises the same loss.
#[test]
fn sigmoids_are_the_most_likely_ones() {
    for Fitted { values, first, weights, slope } in reference().sigmoids {
        let said = values.iter().zip(first).zip(weights);
        let said = said.map(|((&value, first), weight)| Said { value, first: first == 1, weight });
        let found = Sigmoid::fit(&said.collect::<Vec<_>>());
        assert!((found.slope - slope).abs() < 1e-5, "{found:?} {slope}");
    }
}

#[test]
fn certainty_is_finite_and_nothing_said_is_one_half() {
    let said = |value, first| Said { value, first, weight: 1.0 };
    let sure = Sigmoid::fit(&[said(1000.0, true), said(-1000.0, false)]);
    assert!(sure.of(1000.0) > 0.6 && sure.of(f64::MAX) < 1.0 && sure.of(f64::MIN) > 0.0);
    let far = Sigmoid::fit(&[said(1e-6, true), said(-1e-6, false)]);
    assert!(far.slope.is_finite() && far.of(1e-6) > 0.6, "{far:?}");
    assert_eq!(Sigmoid::fit(&[]).of(5.0), 0.5);
}

/// The class of the highest probability is the one that LIBSVM's votes name, where they are not tied.
#[test]
fn whom_the_machines_favour_is_most_probable() {
    let reference = reference();
    let rows: Vec<Rows<'_>> = reference.x.iter().map(|x| x.as_slice().into()).collect();
    let x: Vec<&Rows<'_>> = rows.iter().collect();
    let (targets, groups) = (targets(&reference, "hard"), groups());
    let mut solver = LinearSvmSettings { c: Choice::One(0.1) }
        .start(Shape::of(5), CLASSES, &TRAINING, 0)
        .unwrap();
    solver.round(&round(&x, &targets, &groups)).unwrap();
    let said = solver.predictor().predict(&x).unwrap();
    let mut agreeing = 0;
    for (said, voted) in said.iter().zip(&reference.voted) {
        let p = said.probabilities();
        agreeing += usize::from((0..CLASSES).all(|class| p[class] <= p[*voted]));
    }
    assert!(agreeing >= 58, "{agreeing} of 60");
}

#[test]
fn probabilities_follow_the_labels_and_other_targets_change_them() {
    let reference = reference();
    let rows: Vec<Rows<'_>> = reference.x.iter().map(|x| x.as_slice().into()).collect();
    let x: Vec<&Rows<'_>> = rows.iter().collect();
    let (mut targets, groups) = (targets(&reference, "balanced"), groups());
    let mut solver = LinearSvmSettings { c: Choice::One(1.0) }
        .start(Shape::of(5), CLASSES, &TRAINING, 0)
        .unwrap();
    let first = solver.round(&round(&x, &targets, &groups)).unwrap();
    let said = solver.predictor().predict(&x).unwrap();
    let mut right = 0;
    for (said, gold) in said.iter().zip(&reference.gold) {
        let p = said.probabilities();
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9 && p.iter().all(|p| *p > 0.0));
        right += usize::from((0..CLASSES).all(|class| p[class] <= p[*gold]));
    }
    assert!(right > 36, "{right} of 60");
    let kept = solver.state().unwrap();
    assert_eq!(solver.round(&round(&x, &targets, &groups)).unwrap(), first);
    targets.distributions[0] = vec![0.0, 0.0, 1.0];
    solver.round(&round(&x, &targets, &groups)).unwrap();
    let after = solver.predictor().predict(&x[..1]).unwrap();
    assert!(after[0].log_probabilities[2] > said[0].log_probabilities[2]);
    assert!(solver.restore(&kept).unwrap());
    assert_eq!(solver.predictor().predict(&x).unwrap(), said);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let reference = reference();
    let rows: Vec<Rows<'_>> = reference.x.iter().map(|x| x.as_slice().into()).collect();
    let x: Vec<&Rows<'_>> = rows.iter().collect();
    let (targets, groups) = (targets(&reference, "soft"), groups());
    let [one, three] = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut solver = LinearSvmSettings { c: Choice::One(1.0) }
                .start(Shape::of(5), CLASSES, &TRAINING, 0)
                .unwrap();
            solver.round(&round(&x, &targets, &groups)).unwrap();
            solver.state().unwrap()
        })
    });
    assert!(one == three);
}

#[test]
fn groups_are_never_divided_by_inner_folds() {
    assert_eq!(inner_folds(&[7, 7, 3, 9, 3], INNER_FOLDS), [1, 1, 0, 2, 0]);
    assert_eq!(inner_folds(&[4, 4, 4], INNER_FOLDS), [0, 1, 2]);
    assert_eq!(inner_folds(&[0, 1, 2, 3, 4, 5, 6], INNER_FOLDS), [0, 1, 2, 3, 4, 0, 1]);
}

/// Speakers who say one class each tell nothing of one another; probabilities follow the machines all the
/// same.
#[test]
fn groups_of_one_class_do_not_turn_probabilities_round() {
    let reference = reference();
    let rows: Vec<Rows<'_>> = reference.x.iter().map(|x| x.as_slice().into()).collect();
    let x: Vec<&Rows<'_>> = rows.iter().collect();
    let targets = targets(&reference, "balanced");
    let mut solver = LinearSvmSettings { c: Choice::One(1.0) }
        .start(Shape::of(5), CLASSES, &TRAINING, 0)
        .unwrap();
    solver.round(&round(&x, &targets, &reference.gold)).unwrap();
    let said = solver.predictor().predict(&x).unwrap();
    let right = said.iter().zip(&reference.gold).filter(|(said, gold)| {
        let p = said.probabilities();
        (0..CLASSES).all(|class| p[class] <= p[**gold])
    });
    assert!(right.count() > 36);
}

/// A class that one inner fold alone has, and utterances that are all alike.
#[test]
fn odd_rounds_have_a_result() {
    let reference = reference();
    let same = Rows::from(vec![0.5_f32; 5]);
    let x: Vec<&Rows<'_>> = vec![&same; 60];
    let mut targets = targets(&reference, "hard");
    let groups = groups();
    for (n, distribution) in targets.distributions.iter_mut().enumerate() {
        *distribution = if n < 10 { vec![0.0, 0.0, 1.0] } else { vec![1.0, 0.0, 0.0] };
    }
    let mut solver = LinearSvmSettings { c: Choice::One(1.0) }
        .start(Shape::of(5), CLASSES, &TRAINING, 0)
        .unwrap();
    let loss = solver.round(&round(&x, &targets, &groups)).unwrap();
    assert!(loss.is_finite(), "{loss}");
    let said = solver.predictor().predict(&x[..1]).unwrap()[0].probabilities();
    assert!(said.iter().all(|p| p.is_finite() && *p > 0.0), "{said:?}");
}

proptest! {
    /// Pairs that agree with one another are said by the probabilities that they come of.
    #[test]
    fn coupling_gives_back_what_pairs_were_made_of(shares in prop::collection::vec(0.05..1.0_f64, 2..7)) {
        let sum: f64 = shares.iter().sum();
        let p: Vec<f64> = shares.iter().map(|share| share / sum).collect();
        let first: Vec<Vec<f64>> =
            p.iter().map(|a| p.iter().map(|b| a / (a + b)).collect()).collect();
        for (found, expected) in coupled(&first).iter().zip(&p) {
            prop_assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn spoiled_bytes_never_panic(position in 0_usize..700, value: u8, cut in 0_usize..700) {
        let mut bytes = checkpoint().bytes().unwrap();
        let length = bytes.len();
        bytes[position % length] = value;
        drop(Checkpoint::parse(Path::new("file"), &bytes));
        drop(Checkpoint::parse(Path::new("file"), &bytes[..cut.min(length)]));
    }
}

fn checkpoint() -> Checkpoint {
    let theta = (0..12).map(|i| 0.25 * i as f32 - 1.0).collect();
    Checkpoint {
        predictor: Box::new(LinearSvm { inputs: 2, classes: 3, theta }),
        classes: ["happiness", "sadness", "anger"].map(str::to_owned).to_vec(),
        features: features_of("is09", "functionals"),
        scaling: Scaling::MeanVariance(MeanVariance { mean: vec![0.1, -3.0], sd: vec![1.0, 2.0] }),
    }
}

#[test]
fn a_checkpoint_reads_back_what_it_wrote() {
    assert_reads_back(&checkpoint());
}
