//! What logistic regression makes small, and where it is smallest.

use std::borrow::Cow;

use ambivox_nn::{Targets, read};
use argmin::core::{CostFunction, Error, Executor, Gradient};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use rayon::prelude::*;

use crate::predict::log_shares;
use crate::{ModelError, Round};

/// Utterances that are worked on and summed as one piece, whatever the number of threads.
const PIECE: usize = 64;

/// Steps whose curvature L-BFGS remembers.
const MEMORY: usize = 10;

/// Most steps; a warm start needs few.
const MOST_STEPS: u64 = 2000;

/// Length of the gradient, of the objective per utterance, at which an optimum is reached.
const FLAT: f64 = 1e-7;

/// Length of the gradient at which what was found is none.
const STEEP: f64 = 1e-4;

/// `½‖W‖² + C · Σ_n (1/w_n) · CE(s_n, y_n)` over the utterances of a round, divided by C times their
/// number; the biases are not penalised.
pub(super) struct Objective<'a> {
    utterances: Vec<Cow<'a, [f32]>>,
    targets: &'a Targets,
    positions: &'a [usize],
    c: f64,
    inputs: usize,
}

impl<'a> Objective<'a> {
    pub(super) fn new(round: &Round<'a>, positions: &'a [usize], c: f64, inputs: usize) -> Self {
        let Round { utterances, targets, .. } = *round;
        let utterances = read(utterances);
        Self { utterances, targets, positions, c, inputs }
    }

    /// The mean of `CE/w`, without the penalty.
    pub(super) fn mean_loss(&self, theta: &[f64]) -> f64 {
        let piece = |positions: &[usize]| {
            let mut loss = 0.0;
            self.said(theta, positions, |_, s, scale, log_y| loss -= scale * dot(s, log_y));
            loss
        };
        let pieces: Vec<f64> = self.positions.par_chunks(PIECE).map(piece).collect();
        pieces.iter().sum::<f64>() / self.positions.len() as f64
    }

    /// The gradient of the sum of `CE/w`, without the penalty.
    fn slope(&self, theta: &[f64]) -> Vec<f64> {
        let piece = |positions: &[usize]| {
            let mut slope = vec![0.0; theta.len()];
            self.said(theta, positions, |x, s, scale, log_y| {
                for ((slope, s), log_y) in slope.chunks_exact_mut(x.len()).zip(s).zip(log_y) {
                    let residual = scale * (libm::exp(*log_y) - s);
                    slope.iter_mut().zip(x).for_each(|(slope, x)| *slope += residual * x);
                }
            });
            slope
        };
        let pieces: Vec<Vec<f64>> = self.positions.par_chunks(PIECE).map(piece).collect();
        let mut sum = vec![0.0; theta.len()];
        for piece in pieces {
            sum.iter_mut().zip(piece).for_each(|(sum, value)| *sum += value);
        }
        sum
    }

    /// Shows of each utterance x with a 1 behind it for the bias, s, 1/w, and log y.
    fn said(
        &self,
        theta: &[f64],
        positions: &[usize],
        mut see: impl FnMut(&[f64], &[f64], f64, &[f64]),
    ) {
        let mut x = vec![1.0; self.inputs + 1];
        for &n in positions {
            // The last entry stays 1.
            x.iter_mut().zip(&*self.utterances[n]).for_each(|(x, &value)| *x = f64::from(value));
            let logits: Vec<f64> = theta.chunks_exact(x.len()).map(|row| dot(row, &x)).collect();
            let scale = 1.0 / self.targets.weights[n];
            see(&x, &self.targets.distributions[n], scale, &log_shares(&logits));
        }
    }

    /// The penalty's share of the objective per utterance: 1/(C·N).
    fn penalty(&self) -> f64 {
        1.0 / (self.c * self.positions.len() as f64)
    }

    /// The weights of every class, without its bias.
    fn weights<'t>(&self, theta: &'t [f64]) -> impl Iterator<Item = &'t f64> {
        let inputs = self.inputs;
        theta.chunks_exact(inputs + 1).flat_map(move |row| &row[..inputs])
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl CostFunction for &Objective<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, theta: &Vec<f64>) -> Result<f64, Error> {
        let squares: f64 = self.weights(theta).map(|w| w * w).sum();
        Ok(self.mean_loss(theta) + 0.5 * self.penalty() * squares)
    }
}

impl Gradient for &Objective<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, theta: &Vec<f64>) -> Result<Vec<f64>, Error> {
        let count = self.positions.len() as f64;
        let mut gradient = self.slope(theta);
        let rows = gradient.chunks_exact_mut(self.inputs + 1);
        for (gradient, row) in rows.zip(theta.chunks_exact(self.inputs + 1)) {
            for (i, (g, w)) in gradient.iter_mut().zip(row).enumerate() {
                let penalty = if i < self.inputs { self.penalty() * w } else { 0.0 };
                *g = *g / count + penalty;
            }
        }
        Ok(gradient)
    }
}

/// Where an objective is smallest, by L-BFGS (Liu and Nocedal 1989) from `theta` on.
pub(super) fn minimum(objective: &Objective<'_>, theta: Vec<f64>) -> Result<Vec<f64>, ModelError> {
    let failed = |error: Error| ModelError::Solver {
        model: "logistic regression",
        message: error.to_string(),
    };
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY).with_tolerance_grad(FLAT);
    let executor = Executor::new(objective, solver.map_err(failed)?).timer(false);
    let executor = executor.configure(|state| state.param(theta).max_iters(MOST_STEPS));
    let mut result = executor.run().map_err(failed)?;
    let found = result.state.take_best_param();
    let found = found.ok_or_else(|| failed(Error::msg("the loss is no number")))?;
    // Rounding may end a good search early; one that has not come near the optimum is no solution.
    let slope = objective.gradient(&found).map_err(failed)?;
    let slope = dot(&slope, &slope).sqrt();
    if slope > STEEP || !slope.is_finite() {
        return Err(failed(Error::msg(format!("the gradient's length is {slope:.1e} at the end"))));
    }
    Ok(found)
}
