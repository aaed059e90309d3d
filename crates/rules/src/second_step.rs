//! The alternation's second step: gradient descent on l and w, plain or by Adam (METHOD, "Loss and
//! alternation", 2).
//!
//! For one utterance the loss is `CE/w` with `CE = Σ_c −s_c log y_c` and `s = softmax(l)`, so that
//! `∂/∂l_c = s_c(−log y_c − CE)/w` and `∂/∂w = −CE/w²`.

use ambivox_nn::Targets;
use serde::{Deserialize, Serialize};

use crate::labels::{one_hot, scale_to_mean_one, shift_to_mean_one, softmax};

/// What makes a step of a gradient.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepBy {
    /// Rate times gradient, once an epoch.
    #[default]
    Descent,
    /// Adam (Kingma and Ba 2015), once an epoch: an epoch of mini-batches has each utterance in it once, and
    /// its l and w no others' gradient.
    Adam,
}

/// How weights come to mean 1 again after a step (eq. 6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Projection {
    /// All by one factor: a network that stood still would have them at ∛CE, up to it.
    #[default]
    Scale,
    /// To the nearest such, none below 0.001: a network that stood still would have them at √CE, where
    /// the loss is least under eq. 6.
    Shift,
}

impl Projection {
    /// No weight is shifted below this.
    pub(crate) const LEAST: f64 = 1e-3;
}

/// Setting `second_step` of rules that learn labels alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelStep {
    /// What makes a step of a gradient.
    pub by: StepBy,
}

/// Setting `second_step` of rules that learn weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightStep {
    /// What makes a step of a gradient.
    pub by: StepBy,
    /// How weights come to mean 1 again.
    pub projection: Projection,
    /// How many times itself a weight is at most after a step, before it is projected; any number of times where
    /// left out. The gradient `−CE/w²` has no bound: at a rate of 0.05 a weight of 0.08 may be 10 after one step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_growth: Option<f64>,
}

impl WeightStep {
    /// What is wrong with it first.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let bad = |growth: f64| !(growth.is_finite() && growth > 1.0);
        self.most_growth.is_some_and(bad).then_some("second_step.most_growth is above 1")
    }
}

/// Whether a setting is what it is where left out, so that keys are what they always were.
pub(crate) fn is_default<T: Default + PartialEq>(setting: &T) -> bool {
    *setting == T::default()
}

/// Steps of many numbers, each with a gradient of its own once an epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Steps {
    /// Adam's moments; none for plain descent.
    moments: Option<Moments>,
}

/// Means of gradients and of their squares, number by number.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Moments {
    first: Vec<f64>,
    second: Vec<f64>,
    /// β₁ and β₂ to the power of the epochs so far.
    powers: [f64; 2],
}

/// Adam's β₁ and β₂.
const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

impl Steps {
    pub(crate) fn new(by: StepBy, numbers: usize) -> Self {
        let moments =
            Moments { first: vec![0.0; numbers], second: vec![0.0; numbers], powers: [1.0; 2] };
        Self { moments: (by == StepBy::Adam).then_some(moments) }
    }

    /// Whether both are of as many numbers.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let numbers = |steps: &Self| steps.moments.as_ref().map(|moments| moments.first.len());
        numbers(self) == numbers(other)
    }

    /// Begins an epoch.
    fn begin(&mut self) {
        if let Some(moments) = &mut self.moments {
            let [first, second] = &mut moments.powers;
            (*first, *second) = (*first * BETAS[0], *second * BETAS[1]);
        }
    }

    /// What the number at this place loses.
    fn of(&mut self, at: usize, gradient: f64, rate: f64) -> f64 {
        let Some(Moments { first, second, powers }) = &mut self.moments else {
            return rate * gradient;
        };
        first[at] = BETAS[0] * first[at] + (1.0 - BETAS[0]) * gradient;
        second[at] = BETAS[1] * second[at] + (1.0 - BETAS[1]) * gradient * gradient;
        let (mean, square) = (first[at] / (1.0 - powers[0]), second[at] / (1.0 - powers[1]));
        rate * mean / (square.sqrt() + EPSILON)
    }
}

/// The logits l of every training utterance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LabelLogits {
    logits: Vec<Vec<f64>>,
    steps: Steps,
}

impl LabelLogits {
    /// l = K · one-hot(gold).
    pub(crate) fn new(gold: &[usize], classes: usize, scale: f64, by: StepBy) -> Self {
        let logits = |&gold: &usize| one_hot(gold, classes).iter().map(|v| scale * v).collect();
        let steps = Steps::new(by, gold.len() * classes);
        Self { logits: gold.iter().map(logits).collect(), steps }
    }

    /// s = softmax(l) of every utterance.
    pub(crate) fn distributions(&self) -> Vec<Vec<f64>> {
        self.logits.iter().map(|l| softmax(l)).collect()
    }

    /// Whether both are of as many utterances and classes.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let lengths = |of: &Self| of.logits.iter().map(Vec::len).collect::<Vec<_>>();
        lengths(self) == lengths(other) && self.steps.is_like(&other.steps)
    }

    /// One step of every utterance's l, and s after it, with the weights as they are.
    pub(crate) fn step(&mut self, labels: &mut Targets, log_y: &[Vec<f64>], rate: f64) {
        let Targets { distributions, weights } = labels;
        self.steps.begin();
        let utterances = self.logits.iter_mut().zip(distributions).zip(weights).zip(log_y);
        for (n, (((l, s), w), log_y)) in utterances.enumerate() {
            let first = n * l.len();
            for (at, (l, gradient)) in l.iter_mut().zip(label_gradient(s, log_y, *w)).enumerate() {
                *l -= self.steps.of(first + at, gradient, rate);
            }
            *s = softmax(l);
        }
    }
}

/// How the weights of a run move.
#[derive(Debug)]
pub(crate) struct WeightMoves {
    settings: WeightStep,
    rate: f64,
    pub(crate) steps: Steps,
}

impl WeightMoves {
    /// Those of so many utterances.
    pub(crate) fn new(settings: WeightStep, rate: f64, utterances: usize) -> Self {
        Self { settings, rate, steps: Steps::new(settings.by, utterances) }
    }

    /// The weights after one step of every utterance's w, projected to mean 1 (eq. 6).
    pub(crate) fn stepped(&mut self, labels: &Targets, log_y: &[Vec<f64>]) -> Vec<f64> {
        let Self { settings: WeightStep { projection, most_growth, .. }, rate, steps } = self;
        steps.begin();
        let mut weights = labels.weights.clone();
        for (n, (w, s)) in weights.iter_mut().zip(&labels.distributions).enumerate() {
            let stepped = *w - steps.of(n, weight_gradient(s, &log_y[n], *w), *rate);
            *w = most_growth.map_or(stepped, |most| stepped.min(most * *w));
        }
        match projection {
            Projection::Scale => scale_to_mean_one(&mut weights),
            Projection::Shift => shift_to_mean_one(&mut weights, Projection::LEAST),
        }
        weights
    }
}

/// `CE = Σ_c −s_c log y_c`.
pub(crate) fn cross_entropy(s: &[f64], log_y: &[f64]) -> f64 {
    -s.iter().zip(log_y).map(|(s, log_y)| s * log_y).sum::<f64>()
}

/// ∂/∂l of one utterance's loss.
fn label_gradient(s: &[f64], log_y: &[f64], weight: f64) -> Vec<f64> {
    let ce = cross_entropy(s, log_y);
    s.iter().zip(log_y).map(|(s, log_y)| s * (-log_y - ce) / weight).collect()
}

/// ∂/∂w of one utterance's loss.
fn weight_gradient(s: &[f64], log_y: &[f64], weight: f64) -> f64 {
    -cross_entropy(s, log_y) / (weight * weight)
}

#[cfg(test)]
mod tests {
    use candle_core::{D, Device, Tensor, Var};
    use candle_nn::ops::{log_softmax, softmax};

    use super::*;
    use crate::labels;

    const L: [f64; 4] = [0.3, -1.2, 2.0, 0.1];
    const Z: [f64; 4] = [1.5, 0.2, -0.7, 0.9];
    const W: f64 = 0.7;

    fn log_y() -> Vec<f64> {
        labels::softmax(&Z).iter().map(|y| y.ln()).collect()
    }

    #[test]
    fn agree_with_automatic_differentiation() {
        let l = Var::new(&L, &Device::Cpu).unwrap();
        let w = Var::new(&[W], &Device::Cpu).unwrap();
        let log_y_tensor = log_softmax(&Tensor::new(&Z, &Device::Cpu).unwrap(), D::Minus1).unwrap();
        let s = softmax(&l, D::Minus1).unwrap();
        let ce = s.mul(&log_y_tensor).unwrap().sum_keepdim(0).unwrap().neg().unwrap();
        let gradients = ce.div(&w).unwrap().backward().unwrap();

        let s = labels::softmax(&L);
        let expected = gradients.get(&l).unwrap().to_vec1::<f64>().unwrap();
        for (ours, theirs) in label_gradient(&s, &log_y(), W).iter().zip(expected) {
            assert!((ours - theirs).abs() < 1e-14);
        }
        let expected = gradients.get(&w).unwrap().to_vec1::<f64>().unwrap()[0];
        assert!((weight_gradient(&s, &log_y(), W) - expected).abs() < 1e-13);
    }

    /// Adding a constant to l changes nothing, so its gradient has no component that way.
    #[test]
    fn label_gradient_sums_to_zero() {
        let gradient = label_gradient(&labels::softmax(&L), &log_y(), W);
        assert!(gradient.iter().sum::<f64>().abs() < 1e-15);
    }

    /// Under eq. 6 the loss is least where all `∂/∂w_n` are equal: at `w_n ∝ √CE_n`.
    #[test]
    fn the_optimum_under_a_fixed_mean_is_the_root_of_the_cross_entropy() {
        let s = [labels::one_hot(0, 4), labels::one_hot(2, 4), labels::softmax(&L)];
        let log_y = log_y();
        let gradient =
            |s: &Vec<f64>| weight_gradient(s, &log_y, 1.3 * cross_entropy(s, &log_y).sqrt());
        let gradients: Vec<f64> = s.iter().map(gradient).collect();
        assert!(gradients.iter().all(|g| (g - gradients[0]).abs() < 1e-14), "{gradients:?}");
    }
    /// What weights come to, where the network stands still.
    fn settled(settings: WeightStep) -> Vec<f64> {
        let log_y: Vec<Vec<f64>> =
            [0.7_f64, 0.4, 0.2, 0.05].map(|y| vec![y.ln(), (1.0 - y).ln()]).to_vec();
        let distributions = vec![vec![1.0, 0.0]; 4];
        let mut labels = Targets { distributions, weights: vec![1.0; 4] };
        let mut moves = WeightMoves::new(settings, 0.002, 4);
        for _ in 0..20_000 {
            labels.weights = moves.stepped(&labels, &log_y);
            assert!((labels.weights.iter().sum::<f64>() - 4.0).abs() < 1e-12);
        }
        labels.weights
    }

    fn proportional(weights: &[f64], power: f64) {
        let entropies = [0.7_f64, 0.4, 0.2, 0.05].map(|y| (-y.ln()).powf(power));
        let sum: f64 = entropies.iter().sum();
        for (w, expected) in weights.iter().zip(entropies) {
            assert!((w - 4.0 * expected / sum).abs() < 1e-3, "{weights:?} for {entropies:?}");
        }
    }

    /// Scaling moves the optimum of eq. 4 under eq. 6, which is at √CE, to ∛CE; the nearest weights do not.
    #[test]
    fn weights_settle_at_the_cube_root_where_scaled_and_at_the_square_root_where_shifted() {
        let with = |projection| WeightStep { projection, ..WeightStep::default() };
        proportional(&settled(with(Projection::Scale)), 1.0 / 3.0);
        proportional(&settled(with(Projection::Shift)), 0.5);
    }

    /// Happiness has 595 of 5,531 utterances in Table 1, so that its first weight is 4 · 595 / 5531; with fewer
    /// still it would be the 0.08 below.
    #[test]
    fn a_bound_keeps_rare_classes_from_going_too_far_in_one_step() {
        let log_y = vec![vec![(0.28_f64).ln(), (0.72_f64).ln()]; 25];
        let mut weights = vec![1.038_333_333_333_333_3; 25];
        weights[0] = 0.08;
        let labels = Targets { distributions: vec![vec![1.0, 0.0]; 25], weights };
        let first = |most_growth| {
            let settings = WeightStep { most_growth, ..WeightStep::default() };
            WeightMoves::new(settings, 0.05, 25).stepped(&labels, &log_y)[0]
        };
        assert!(first(None) > 6.0, "{}", first(None));
        assert!((0.1..=0.16).contains(&first(Some(2.0))), "{}", first(Some(2.0)));
        assert!(WeightStep { most_growth: Some(1.0), ..WeightStep::default() }.fault().is_some());
    }

    /// Against the definition, with a gradient that changes.
    #[test]
    fn adam_agrees_with_its_definition() {
        let mut steps = Steps::new(StepBy::Adam, 2);
        let (mut m, mut v) = (0.0_f64, 0.0_f64);
        for (t, gradient) in (1..).zip([0.3, -0.7, 0.01, 2.0]) {
            steps.begin();
            m = 0.9 * m + 0.1 * gradient;
            v = 0.999 * v + 0.001 * gradient * gradient;
            let (mean, square) = (m / (1.0 - 0.9_f64.powi(t)), v / (1.0 - 0.999_f64.powi(t)));
            let expected = 0.05 * mean / (square.sqrt() + 1e-8);
            assert!((steps.of(1, gradient, 0.05) - expected).abs() < 1e-12);
        }
        assert!(!steps.is_like(&Steps::new(StepBy::Descent, 2)));
    }
}
