//! What logistic regression makes small, and where it is smallest.

use ambivox_nn::Targets;
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
    utterances: &'a [&'a [f32]],
    targets: &'a Targets,
    positions: &'a [usize],
    c: f64,
    inputs: usize,
}

/// Loss and gradient of some utterances.
struct Sum {
    loss: f64,
    gradient: Vec<f64>,
}

impl<'a> Objective<'a> {
    pub(super) fn new(round: &Round<'a>, positions: &'a [usize], c: f64, inputs: usize) -> Self {
        let Round { utterances, targets, .. } = *round;
        Self { utterances, targets, positions, c, inputs }
    }

    /// The mean of `CE/w`, without the penalty.
    pub(super) fn mean_loss(&self, theta: &[f64]) -> f64 {
        self.sum(theta).loss / self.positions.len() as f64
    }

    fn sum(&self, theta: &[f64]) -> Sum {
        let piece = |positions: &[usize]| self.piece(theta, positions);
        let pieces: Vec<Sum> = self.positions.par_chunks(PIECE).map(piece).collect();
        let mut sum = Sum { loss: 0.0, gradient: vec![0.0; theta.len()] };
        for piece in pieces {
            sum.loss += piece.loss;
            sum.gradient.iter_mut().zip(piece.gradient).for_each(|(sum, value)| *sum += value);
        }
        sum
    }

    fn piece(&self, theta: &[f64], positions: &[usize]) -> Sum {
        let mut sum = Sum { loss: 0.0, gradient: vec![0.0; theta.len()] };
        let mut x = vec![1.0; self.inputs + 1];
        for &n in positions {
            // The last entry stays 1, for the bias.
            x.iter_mut().zip(self.utterances[n]).for_each(|(x, &value)| *x = f64::from(value));
            let (s, scale) = (&self.targets.distributions[n], 1.0 / self.targets.weights[n]);
            let logits: Vec<f64> = theta.chunks_exact(x.len()).map(|row| dot(row, &x)).collect();
            let log_y = log_shares(&logits);
            sum.loss -= scale * dot(s, &log_y);
            for ((gradient, s), log_y) in sum.gradient.chunks_exact_mut(x.len()).zip(s).zip(log_y) {
                let residual = scale * (libm::exp(log_y) - s);
                gradient.iter_mut().zip(&x).for_each(|(g, x)| *g += residual * x);
            }
        }
        sum
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
        let mut gradient: Vec<f64> = self.sum(theta).gradient;
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
    let failed = |error: Error| ModelError::Solver { message: error.to_string() };
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
