//! A network and its optimiser: one update per mini-batch.

use ambivox_model::{Batch, Network};
use ambivox_settings::TrainingSettings;
use candle_core::{Device, Tensor, Var};
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::loss::cross_entropy;
use crate::optimiser::{Memory, Optimiser};

/// The values of a network's parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parameters(Vec<Vec<f32>>);

impl Parameters {
    /// Those that the variables of a network have now.
    pub(crate) fn of(variables: &[Var]) -> candle_core::Result<Self> {
        let values = |variable: &Var| variable.flatten_all()?.to_vec1::<f32>();
        variables.iter().map(values).collect::<candle_core::Result<_>>().map(Self)
    }

    /// Gives them to the variables of a network; whether they fit.
    pub(crate) fn put_into(self, variables: &[Var]) -> candle_core::Result<bool> {
        let fits = variables.iter().map(|v| v.elem_count()).eq(self.0.iter().map(Vec::len));
        if fits {
            for (variable, values) in variables.iter().zip(self.0) {
                variable.set(&Tensor::from_vec(values, variable.shape(), &Device::Cpu)?)?;
            }
        }
        Ok(fits)
    }
}

/// A network in training.
#[derive(Debug)]
pub struct Learner {
    network: Network,
    optimiser: Optimiser,
}

impl Learner {
    /// Takes a network into training; of the settings, learning rate and clipping count.
    pub fn new(network: Network, settings: &TrainingSettings) -> Self {
        let optimiser =
            Optimiser::new(network.variables(), settings.learning_rate, settings.gradient_clip);
        Self { network, optimiser }
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What the optimiser keeps from step to step.
    pub(crate) fn memory(&self) -> Memory {
        self.optimiser.memory()
    }

    /// Goes on with the parameters and the optimiser's memory of another learner; whether they fit.
    pub(crate) fn resume(
        &mut self,
        parameters: Parameters,
        memory: Memory,
    ) -> candle_core::Result<bool> {
        Ok(parameters.put_into(&self.network.variables())? && self.optimiser.resume(memory))
    }

    /// One update, down the gradient of `Σ −target · log y` over a batch (METHOD, eq. 4); returns
    /// that loss as it was before. Where it is not finite, the network is left as it is.
    ///
    /// `targets` are `[utterances, classes]`, row-major, with weights and the mean over the batch
    /// multiplied in. `dropout_seed` selects the masks and must differ from step to step.
    pub fn step(
        &mut self,
        batch: &Batch,
        targets: Vec<f32>,
        dropout_seed: u64,
    ) -> Result<f64, TrainError> {
        let logits = self.network.training_logits(batch, dropout_seed)?;
        let loss = cross_entropy(&logits, targets)?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        if value.is_finite() {
            self.optimiser.step(&loss)?;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use ambivox_settings::{AttentionOver, NetworkSettings};

    use super::*;

    fn learner() -> Learner {
        let attention_over = AttentionOver::Blstm;
        let network = NetworkSettings { linear: 4, lstm: 2, dropout: 0.0, attention_over };
        let settings = TrainingSettings {
            seeds: vec![],
            batch_size: 1,
            learning_rate: 0.01,
            gradient_clip: 0.0,
            max_epochs: 1,
            patience: 1,
        };
        Learner::new(Network::new(&network, 3, 2, 1).unwrap(), &settings)
    }

    fn batch() -> Batch {
        Batch::new(&[&[0.5; 6], &[-1.0; 3]], 3).unwrap()
    }

    #[test]
    fn steps_lower_the_loss() {
        let (mut learner, targets) = (learner(), vec![0.5, 0.0, 0.0, 0.5]);
        let first = learner.step(&batch(), targets.clone(), 0).unwrap();
        let second = learner.step(&batch(), targets, 1).unwrap();
        assert!(second < first, "{first} {second}");
    }

    #[test]
    fn a_loss_that_is_not_finite_moves_nothing() {
        let mut learner = learner();
        let before = learner.network().predict_batch(&batch()).unwrap();
        let loss = learner.step(&batch(), vec![f32::INFINITY, 0.0, 0.0, 0.5], 0).unwrap();
        assert!(!loss.is_finite(), "{loss}");
        assert_eq!(learner.network().predict_batch(&batch()).unwrap(), before);
    }
}
