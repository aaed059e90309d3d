//! The model `linear`: multinomial logistic regression with an L2 penalty, solved to its optimum in
//! every round.

mod objective;

use std::collections::BTreeMap;

use ambivox_nn::State;
use ambivox_settings::{Choice, TrainingSettings};

use serde::{Deserialize, Serialize};

use super::{fault_of_c, one};
use crate::checkpoint::{Fault, LARGEST, Metadata, NamedTensor, Tensors, key};
use crate::predict::{log_shares, of_vectors, product};
use crate::{
    Learner, MeanVariance, Model, ModelError, ModelKind, Prediction, Predictor, Round, Rows,
    Scaling, ScalingKind, Shape,
};

use objective::{Objective, minimum};

pub(super) const KIND: ModelKind = ModelKind::new::<LinearSettings>(NAME, NAME, read);

/// Its name, also in a checkpoint's metadata.
const NAME: &str = "linear";

/// Section `[model]` with `kind = "linear"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearSettings {
    /// C: the weight of the loss, summed over the training utterances, against half the squares of the
    /// weights. The lower, the smoother.
    pub c: Choice<f64>,
}

impl Model for LinearSettings {
    fn fault(&self) -> Option<String> {
        fault_of_c(&self.c)
    }

    fn choice(&self) -> Option<(&'static str, &Choice<f64>)> {
        Some(("c", &self.c))
    }

    fn scaling(&self) -> Option<ScalingKind> {
        Some(ScalingKind::MeanVariance)
    }

    /// All weights begin at 0, and the optimum is one: no seed has a part in it, but for the utterances
    /// of a round.
    fn start(
        &self,
        shape: Shape,
        classes: usize,
        _training: &TrainingSettings,
        _seed: u64,
    ) -> Result<Box<dyn Learner>, ModelError> {
        let linear = Linear::new(shape.single(NAME)?, classes);
        let theta = vec![0.0; linear.theta.len()];
        Ok(Box::new(Solver { c: one(&self.c, NAME)?, theta, linear }))
    }
}

/// `W·x + b`, a logit of every class.
#[derive(Debug, Clone)]
pub struct Linear {
    inputs: usize,
    /// Of each class its row of W, then its entry of b.
    theta: Vec<f32>,
}

/// A regression in training.
struct Solver {
    /// C, the weight of the loss against the penalty.
    c: f64,
    theta: Vec<f64>,
    /// What is said by it: the numbers as a checkpoint has them.
    linear: Linear,
}

impl Learner for Solver {
    /// One optimum of `½‖W‖² + C · Σ_n (1/w_n) · CE(s_n, y_n)` over the utterances drawn, from the last
    /// one on; the mean of `CE/w` there.
    fn round(&mut self, round: &Round<'_>) -> Result<f64, ModelError> {
        if !round.loss.is_cross_entropy() {
            return Err(ModelError::Loss { kind: NAME });
        }
        let positions = (round.sample)(&mut round.order());
        let c = self.c / round.divisor(&positions);
        let objective = Objective::new(round, &positions, c, self.linear.inputs);
        self.theta = minimum(&objective, self.theta.clone())?;
        self.linear.theta = narrow(&self.theta);
        Ok(objective.mean_loss(&self.theta))
    }

    fn predictor(&self) -> &dyn Predictor {
        &self.linear
    }

    fn fitted(&self) -> Result<Box<dyn Predictor>, ModelError> {
        Ok(Box::new(self.linear.clone()))
    }

    fn state(&self) -> Result<State, ModelError> {
        Ok(State::of(&self.theta))
    }

    fn restore(&mut self, state: &State) -> Result<bool, ModelError> {
        let theta = state.read::<Vec<f64>>().filter(|theta| theta.len() == self.theta.len());
        let fits = theta.is_some();
        if let Some(theta) = theta {
            self.linear.theta = narrow(&theta);
            self.theta = theta;
        }
        Ok(fits)
    }

    fn revive(&self, state: &State) -> Result<Option<Box<dyn Predictor>>, ModelError> {
        let theta = state.read::<Vec<f32>>().filter(|theta| theta.len() == self.theta.len());
        let inputs = self.linear.inputs;
        Ok(theta.map(|theta| Box::new(Linear { inputs, theta }) as Box<dyn Predictor>))
    }
}

fn narrow(theta: &[f64]) -> Vec<f32> {
    theta.iter().map(|&value| value as f32).collect()
}

impl Linear {
    /// One that has learned nothing: all its numbers are 0.
    pub fn new(inputs: usize, classes: usize) -> Self {
        Self { inputs, theta: vec![0.0; classes * (inputs + 1)] }
    }

    fn rows(&self) -> impl Iterator<Item = (&[f32], f32)> {
        self.theta.chunks_exact(self.inputs + 1).map(|row| (&row[..self.inputs], row[self.inputs]))
    }

    fn logits(&self, x: &[f32]) -> Vec<f64> {
        let logit = |(row, bias): (&[f32], f32)| f64::from(bias) + product(row, x);
        self.rows().map(logit).collect()
    }
}

impl Predictor for Linear {
    fn inputs(&self) -> usize {
        self.inputs
    }

    fn classes(&self) -> usize {
        self.theta.len() / (self.inputs + 1)
    }

    fn parameters(&self) -> usize {
        self.theta.len()
    }

    fn reads_vectors(&self) -> bool {
        true
    }

    fn sizes(&self) -> Vec<(&'static str, usize)> {
        Vec::new()
    }

    fn predict(&self, utterances: &[&Rows<'_>]) -> Result<Vec<Prediction>, ModelError> {
        of_vectors(utterances, self.inputs, |x| log_shares(&self.logits(x)))
    }

    fn state(&self) -> Result<State, ModelError> {
        Ok(State::of(&self.theta))
    }

    fn metadata(&self) -> serde_json::Result<BTreeMap<&'static str, String>> {
        Ok(BTreeMap::from([(key::KIND, NAME.to_owned())]))
    }

    fn tensors(&self) -> candle_core::Result<Vec<NamedTensor>> {
        let weight = self.rows().flat_map(|(row, _)| row.iter().copied()).collect();
        let bias = self.rows().map(|(_, bias)| bias).collect();
        let classes = self.classes();
        Ok(vec![
            ("weight".to_owned(), vec![classes, self.inputs], weight),
            ("bias".to_owned(), vec![classes], bias),
        ])
    }
}

/// Reads one from a checkpoint.
pub(crate) fn read(
    metadata: &Metadata,
    tensors: &Tensors<'_>,
    classes: usize,
) -> Result<(Box<dyn Predictor>, Scaling), Fault> {
    let scaling = metadata.json::<MeanVariance>(key::NORMALISER)?.checked()?;
    let inputs = scaling.mean.len();
    if !(1..=LARGEST).contains(&inputs) || !(2..=LARGEST).contains(&classes) {
        return Err(format!(
            "{inputs} values and {classes} classes; expected up to {LARGEST} of each, from 1 and 2"
        ));
    }
    tensors.check_count(2)?;
    let weight = tensors.values("weight", &[classes, inputs])?;
    let bias = tensors.values("bias", &[classes])?;
    let rows = weight.chunks_exact(inputs).zip(bias);
    let theta = rows.flat_map(|(row, bias)| row.iter().copied().chain([bias])).collect();
    Ok((Box::new(Linear { inputs, theta }), Scaling::MeanVariance(scaling)))
}

#[cfg(test)]
mod tests;
