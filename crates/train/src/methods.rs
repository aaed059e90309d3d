//! The methods: what the targets and weights of the training utterances are.
//!
//! A method is an object behind [`Method`]; the training loop knows nothing else of it. Each has a
//! file here; what several need of the alternation's second step is in `second_step`. `cyclegan`,
//! which learns from functionals, has a loop of its own in `crate::cyclegan`.

mod baseline;
mod l;
mod lw;
mod lw_pretrained;
mod resampled;
mod second_step;
mod soft_target;
mod w;

use ambivox_settings::MethodParams;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::labels::Labels;
use crate::{Example, TrainError};

/// log y of every training utterance by the present network, dropout off.
pub(crate) type Outputs<'a> = dyn Fn() -> Result<Vec<Vec<f64>>, TrainError> + 'a;

/// What a method has learned of the training utterances' labels; empty where it learns nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Learned {
    /// l of every utterance.
    pub(crate) logits: Vec<Vec<f64>>,
    /// w of every utterance.
    pub(crate) weights: Vec<f64>,
}

impl Learned {
    /// Whether both are of as many utterances and classes.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let classes = |learned: &Self| learned.logits.iter().map(Vec::len).collect::<Vec<_>>();
        classes(self) == classes(other) && self.weights.len() == other.weights.len()
    }
}

/// A way of choosing targets and weights.
pub(crate) trait Method {
    /// Targets s and weights w of every training utterance, for the coming epoch.
    fn labels(&self) -> &Labels;

    /// Whether the targets change in training.
    fn learns_labels(&self) -> bool {
        false
    }

    /// Whether the weights change in training.
    fn learns_weights(&self) -> bool {
        false
    }

    /// The utterances of the coming epoch, in any order: each once, unless a method draws them.
    fn utterances(&self, _generator: &mut ChaCha8Rng) -> Vec<usize> {
        (0..self.labels().weights.len()).collect()
    }

    /// The alternation's second step, after an epoch of the network. `outputs` costs a pass over
    /// the training utterances; methods that learn nothing do not call it.
    fn after_epoch(&mut self, _outputs: &Outputs<'_>) -> Result<(), TrainError> {
        Ok(())
    }

    /// What it has learned so far.
    fn learned(&self) -> Learned {
        Learned::default()
    }

    /// Goes on with what it had learned after so many epochs, which is like [`Self::learned`].
    fn resume(&mut self, _epochs: usize, _learned: Learned) {}
}

/// The method for these training utterances, which all have a gold label unless the method uses
/// votes. Fails where a method cannot do with them.
pub(crate) fn method(
    params: &MethodParams,
    training: &[Example],
    classes: usize,
) -> Result<Box<dyn Method>, TrainError> {
    let gold: Vec<usize> = training.iter().filter_map(|example| example.gold).collect();
    Ok(match params {
        MethodParams::Baseline(s) => Box::new(baseline::Baseline::new(s, &gold, classes)),
        MethodParams::Oversampling(s) => {
            Box::new(resampled::Resampled::new(resampled::Size::Largest, s, &gold, classes))
        }
        MethodParams::Undersampling(s) => {
            Box::new(resampled::Resampled::new(resampled::Size::Smallest, s, &gold, classes))
        }
        MethodParams::SoftTarget(s) => Box::new(soft_target::SoftTarget::new(s, training)?),
        MethodParams::Cyclegan(_) => {
            return Err(TrainError::NotByFrames { method: params.method() });
        }
        MethodParams::L(s) => Box::new(l::L::new(s, &gold, classes)),
        MethodParams::W(s) => Box::new(w::W::new(s, &gold, classes)),
        MethodParams::LwPretrained(s) => {
            Box::new(lw_pretrained::LwPretrained::new(s, &gold, classes))
        }
        MethodParams::Lw(s) => Box::new(lw::Lw::new(s, &gold, classes)),
    })
}
