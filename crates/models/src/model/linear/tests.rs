//! Optima against scikit-learn's, the gradient against finite differences, and checkpoints.

use std::path::Path;

use ambivox_nn::{CrossEntropy, Loss, Targets};
use ambivox_settings::Choice;
use argmin::core::{CostFunction as _, Gradient as _};
use candle_core::Tensor;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::Checkpoint;
use crate::checkpoint::tests::{TRAINING, assert_reads_back, features_of};

const CLASSES: usize = 3;

/// What `tests-data/logistic.py` makes.
#[derive(Deserialize)]
struct Reference {
    x: Vec<Vec<f32>>,
    gold: Vec<usize>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    c: f64,
    balanced: bool,
    log_y: Vec<Vec<f64>>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../../../tests-data/logistic.json")).unwrap()
}

fn one_hot(gold: usize) -> Vec<f64> {
    (0..CLASSES).map(|class| f64::from(u8::from(class == gold))).collect()
}

/// The gold labels; of weight 1, or so that every class counts as much.
fn targets(gold: &[usize], balanced: bool) -> Targets {
    let count = |class: usize| gold.iter().filter(|&&gold| gold == class).count() as f64;
    let weight = |&class: &usize| CLASSES as f64 * count(class) / gold.len() as f64;
    Targets {
        distributions: gold.iter().map(|&gold| one_hot(gold)).collect(),
        weights: gold.iter().map(|class| if balanced { weight(class) } else { 1.0 }).collect(),
    }
}

fn learner(c: f64, inputs: usize) -> Box<dyn Learner> {
    LinearSettings { c: Choice::One(c) }.start(Shape::of(inputs), CLASSES, &TRAINING, 0).unwrap()
}

fn round<'a>(x: &'a [&'a Rows<'a>], targets: &'a Targets, loss: &'a dyn Loss) -> Round<'a> {
    let sample = &|_: &mut _| (0..60).collect();
    Round {
        number: 1,
        seed: 0,
        utterances: x,
        groups: &[0; 60],
        targets,
        sample,
        loss,
        normalise_weights: false,
    }
}

/// scikit-learn penalises as we do: its tolerance is 1e-10, ours and single precision of what is said
/// leave 2e-6 of a logarithm.
#[test]
fn optima_are_those_of_scikit_learn() {
    let Reference { x, gold, cases } = reference();
    let rows: Vec<Rows<'_>> = x.iter().map(|x| x.as_slice().into()).collect();
    let x: Vec<&Rows<'_>> = rows.iter().collect();
    for Case { c, balanced, log_y } in cases {
        let mut learner = learner(c, 5);
        let targets = targets(&gold, balanced);
        learner.round(&round(&x, &targets, &CrossEntropy)).unwrap();
        let said = learner.predictor().predict(&x[..10]).unwrap();
        for (said, expected) in said.iter().zip(&log_y) {
            for (said, expected) in said.log_probabilities.iter().zip(expected) {
                let error = (said - expected).abs();
                assert!(error < 2e-6 * expected.abs().max(1.0), "C = {c}: {said} {expected}");
            }
        }
    }
}

#[test]
fn a_second_round_finds_nothing_better_and_other_targets_do() {
    let Reference { x, gold, .. } = reference();
    let rows: Vec<Rows<'_>> = x.iter().map(|x| x.as_slice().into()).collect();
    let x: Vec<&Rows<'_>> = rows.iter().collect();
    let mut learner = learner(1.0, 5);
    let mut targets = targets(&gold, false);
    let first = learner.round(&round(&x, &targets, &CrossEntropy)).unwrap();
    let before = learner.predictor().predict(&x).unwrap();
    let kept = learner.state().unwrap();
    assert_eq!(learner.round(&round(&x, &targets, &CrossEntropy)).unwrap(), first);
    assert_eq!(learner.predictor().predict(&x).unwrap(), before);
    targets.distributions[0] = one_hot(2);
    learner.round(&round(&x, &targets, &CrossEntropy)).unwrap();
    let after = learner.predictor().predict(&x[..1]).unwrap();
    assert!(after[0].log_probabilities[2] > before[0].log_probabilities[2]);
    assert!(learner.restore(&kept).unwrap());
    assert_eq!(learner.predictor().predict(&x).unwrap(), before);
}

#[test]
fn the_gradient_is_the_slope() {
    let Reference { x, gold, .. } = reference();
    let rows: Vec<Rows<'_>> = x.iter().map(|x| x.as_slice().into()).collect();
    let x: Vec<&Rows<'_>> = rows.iter().collect();
    let mut targets = targets(&gold, true);
    targets.distributions[3] = vec![0.2, 0.5, 0.3];
    let positions: Vec<usize> = (0..60).chain([3, 3, 7]).collect();
    let round = round(&x, &targets, &CrossEntropy);
    let objective = &Objective::new(&round, &positions, 0.5, 5);
    let theta: Vec<f64> = (0..18).map(|i| f64::from(i * 7 % 11) / 10.0 - 0.5).collect();
    let gradient = objective.gradient(&theta).unwrap();
    for (i, gradient) in gradient.into_iter().enumerate() {
        let at = |shift: f64| {
            let mut theta = theta.clone();
            theta[i] += shift;
            objective.cost(&theta).unwrap()
        };
        let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!((gradient - slope).abs() < 1e-8, "{i}: {gradient} {slope}");
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let Reference { x, gold, .. } = reference();
    let rows: Vec<Rows<'_>> = x.iter().map(|x| x.as_slice().into()).collect();
    let x: Vec<&Rows<'_>> = rows.iter().collect();
    let targets = targets(&gold, true);
    let [one, three] = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let sample = |_: &mut _| (0..60).cycle().take(500).collect();
            let round = Round { sample: &sample, ..round(&x, &targets, &CrossEntropy) };
            let mut learner = learner(1.0, 5);
            learner.round(&round).unwrap();
            learner.state().unwrap()
        })
    });
    assert!(one == three);
}

#[test]
fn another_loss_is_refused() {
    struct Other;
    impl Loss for Other {
        fn of(
            &self,
            logits: &Tensor,
            _targets: Vec<f32>,
            _positions: &[usize],
        ) -> candle_core::Result<Tensor> {
            logits.sum_all()
        }
    }
    let Reference { x, gold, .. } = reference();
    let rows: Vec<Rows<'_>> = x.iter().map(|x| x.as_slice().into()).collect();
    let x: Vec<&Rows<'_>> = rows.iter().collect();
    let error = learner(1.0, 5).round(&round(&x, &targets(&gold, true), &Other)).unwrap_err();
    assert!(error.to_string().contains("solved for the cross-entropy alone"), "{error}");
}

fn checkpoint() -> Checkpoint {
    let theta = (0..9).map(|i| 0.25 * i as f32 - 1.0).collect();
    Checkpoint {
        predictor: Box::new(Linear { inputs: 2, theta }),
        classes: ["happiness", "sadness", "anger"].map(str::to_owned).to_vec(),
        features: features_of("is09", "functionals"),
        scaling: Scaling::MeanVariance(MeanVariance { mean: vec![0.1, -3.0], sd: vec![1.0, 2.0] }),
    }
}

#[test]
fn a_checkpoint_reads_back_what_it_wrote() {
    assert_reads_back(&checkpoint());
}

proptest! {
    #[test]
    fn spoiled_bytes_never_panic(position in 0_usize..500, value: u8, cut in 0_usize..500) {
        let mut bytes = checkpoint().bytes().unwrap();
        let length = bytes.len();
        bytes[position % length] = value;
        drop(Checkpoint::parse(Path::new("file"), &bytes));
        drop(Checkpoint::parse(Path::new("file"), &bytes[..cut.min(length)]));
    }
}
