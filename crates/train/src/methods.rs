//! The methods: what the targets and weights of the training utterances are.
//!
//! A method is an object behind [`Method`]; the training loop knows nothing else of it. Each has a
//! file here; what several need of the alternation's second step is in `second_step`.

mod baseline;
mod lw;
mod second_step;

use ambivox_settings::MethodParams;
use rand_chacha::ChaCha8Rng;

use crate::TrainError;
use crate::labels::Labels;

/// log y of every training utterance by the present network, dropout off.
pub(crate) type Outputs<'a> = dyn Fn() -> Result<Vec<Vec<f64>>, TrainError> + 'a;

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
}

/// The method for training utterances of these gold labels.
pub(crate) fn method(params: &MethodParams, gold: &[usize], classes: usize) -> Box<dyn Method> {
    match params {
        MethodParams::Baseline(settings) => {
            Box::new(baseline::Baseline::new(settings, gold, classes))
        }
        MethodParams::Lw(settings) => Box::new(lw::Lw::new(settings, gold, classes)),
    }
}
