//! Support vector machines of two classes by sequential minimal optimisation, with the choice of pairs of Fan,
//! Chen and Lin (2005), which LIBSVM makes too.

use std::borrow::Cow;

use crate::ModelError;
use crate::predict::product;

/// By how much the conditions of an optimum may be missed; LIBSVM's own tolerance is a hundred times that.
const TOLERANCE: f64 = 1e-5;

/// Stands for a curvature that is none, of two equal utterances.
const FLAT: f64 = 1e-12;

/// Steps at most, as LIBSVM has them, or so many for each sample; far above what a reasonable C takes.
const MOST_STEPS: usize = 10_000_000;
const MOST_STEPS_A_SAMPLE: usize = 100;

/// Products of all utterances of a round with one another, of single precision as LIBSVM keeps them.
pub(super) struct Gram {
    count: usize,
    products: Vec<f32>,
}

impl Gram {
    pub(super) fn new(utterances: &[Cow<'_, [f32]>]) -> Self {
        use rayon::prelude::*;
        let row = |a: &Cow<'_, [f32]>| {
            utterances.iter().map(|b| product(a, b) as f32).collect::<Vec<_>>()
        };
        let products = utterances.par_iter().flat_map_iter(row).collect();
        Self { count: utterances.len(), products }
    }

    fn row(&self, at: usize) -> &[f32] {
        &self.products[at * self.count..(at + 1) * self.count]
    }
}

/// A sample of a problem.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// Which utterance.
    pub(super) utterance: usize,
    /// 1 or −1.
    pub(super) y: f64,
    /// C times its weight, above 0.
    pub(super) bound: f64,
}

/// What is left of a problem: `f(x) = Σ_i factor_i · x_i·x − rho`.
#[derive(Debug, PartialEq)]
pub(super) struct Solution {
    /// α·y of every sample.
    pub(super) factors: Vec<f64>,
    pub(super) rho: f64,
}

/// The smallest of `½ Σ α_i α_j y_i y_j x_i·x_j − Σ α_i` with `0 ≤ α_i ≤ bound_i` and `Σ α_i y_i = 0`.
pub(super) fn solve(gram: &Gram, samples: &[Sample]) -> Result<Solution, ModelError> {
    let mut state = State::new(gram, samples);
    let most = MOST_STEPS.max(MOST_STEPS_A_SAMPLE * samples.len());
    for _ in 0..most {
        match state.pair() {
            Some((i, j)) => state.step(i, j),
            None => return Ok(state.solution()),
        }
    }
    let message = format!("no optimum after {most} steps");
    Err(ModelError::Solver { model: "a support vector machine", message })
}

struct State<'a> {
    gram: &'a Gram,
    samples: &'a [Sample],
    alpha: Vec<f64>,
    /// −y·∂/∂α of every sample: at an optimum those that may rise are not above those that may fall.
    slope: Vec<f64>,
}

impl<'a> State<'a> {
    fn new(gram: &'a Gram, samples: &'a [Sample]) -> Self {
        let slope = samples.iter().map(|sample| sample.y).collect();
        Self { gram, samples, alpha: vec![0.0; samples.len()], slope }
    }

    /// How far α·y of a sample may rise.
    fn rise(&self, i: usize) -> f64 {
        let Sample { y, bound, .. } = self.samples[i];
        if y > 0.0 { bound - self.alpha[i] } else { self.alpha[i] }
    }

    /// How far it may fall.
    fn fall(&self, i: usize) -> f64 {
        let Sample { y, bound, .. } = self.samples[i];
        if y > 0.0 { self.alpha[i] } else { bound - self.alpha[i] }
    }

    /// The sample that rises steepest, and the one whose fall with it gains most; of equal ones the first.
    /// Nothing at an optimum.
    fn pair(&self) -> Option<(usize, usize)> {
        let all = 0..self.samples.len();
        let mut up = None;
        for i in all.clone().filter(|&i| self.rise(i) > 0.0) {
            if up.is_none_or(|up: usize| self.slope[i] > self.slope[up]) {
                up = Some(i);
            }
        }
        let i = up?;
        let mut best = None;
        let (mut gain, mut lowest) = (0.0, f64::INFINITY);
        for j in all.filter(|&j| self.fall(j) > 0.0) {
            lowest = self.slope[j].min(lowest);
            let difference = self.slope[i] - self.slope[j];
            if difference > 0.0 {
                let gained = difference * difference / self.curvature(i, j);
                if gained > gain {
                    (gain, best) = (gained, Some(j));
                }
            }
        }
        (self.slope[i] - lowest > TOLERANCE).then_some((i, best?))
    }

    fn product(&self, i: usize, j: usize) -> f64 {
        f64::from(self.gram.row(self.samples[i].utterance)[self.samples[j].utterance])
    }

    fn curvature(&self, i: usize, j: usize) -> f64 {
        let squared = self.product(i, i) + self.product(j, j) - 2.0 * self.product(i, j);
        squared.max(FLAT)
    }

    /// α·y of one sample rises and that of another falls by as much, as far as it pays.
    fn step(&mut self, i: usize, j: usize) {
        let length = (self.slope[i] - self.slope[j]) / self.curvature(i, j);
        let (rise, fall) = (self.rise(i), self.fall(j));
        let length = length.min(rise).min(fall);
        self.alpha[i] = moved(self.samples[i], self.alpha[i], length, length >= rise);
        self.alpha[j] = moved(self.samples[j], self.alpha[j], -length, length >= fall);
        let [of_i, of_j] = [i, j].map(|at| self.gram.row(self.samples[at].utterance));
        for (slope, sample) in self.slope.iter_mut().zip(self.samples) {
            let at = sample.utterance;
            *slope -= length * (f64::from(of_i[at]) - f64::from(of_j[at]));
        }
    }

    fn solution(&self) -> Solution {
        let (mut sum, mut free) = (0.0, 0_usize);
        let (mut highest, mut lowest) = (f64::NEG_INFINITY, f64::INFINITY);
        for i in 0..self.samples.len() {
            let (rises, falls) = (self.rise(i) > 0.0, self.fall(i) > 0.0);
            if rises && falls {
                sum += self.slope[i];
                free += 1;
            }
            if rises {
                highest = self.slope[i].max(highest);
            }
            if falls {
                lowest = self.slope[i].min(lowest);
            }
        }
        let offset = if free > 0 { sum / free as f64 } else { f64::midpoint(highest, lowest) };
        let factors = self.alpha.iter().zip(self.samples).map(|(alpha, sample)| alpha * sample.y);
        Solution { factors: factors.collect(), rho: -offset }
    }
}

/// α after α·y has moved so far; at a limit to the bit, where it has met it.
fn moved(sample: Sample, alpha: f64, by: f64, to_the_limit: bool) -> f64 {
    let Sample { y, bound, .. } = sample;
    let moved = alpha + y * by;
    match (to_the_limit, y * by > 0.0) {
        (false, _) => moved.clamp(0.0, bound),
        (true, true) => bound,
        (true, false) => 0.0,
    }
}
