//! What every label rule does.

use ambivox_nn::{CrossEntropy, Loss, State, Targets};

/// A way of choosing targets and weights.
pub trait LabelRule {
    /// Targets s and weights w of every training utterance, for the coming round.
    fn targets(&self) -> &Targets;

    /// What the model is to make small.
    fn loss(&self) -> &dyn Loss {
        &CrossEntropy
    }

    /// Whether the targets change in training.
    fn learns_labels(&self) -> bool {
        false
    }

    /// Whether the weights change in training.
    fn learns_weights(&self) -> bool {
        false
    }

    /// Whether it wants the model's outputs after the present round, which cost a pass over the
    /// training utterances.
    fn reads_outputs(&self) -> bool {
        false
    }

    /// The alternation's second step, after a round of the model. `log_y` has log y of every training
    /// utterance by the present model, dropout off, where [`Self::reads_outputs`] asked for it; else
    /// it is empty.
    fn after_round(&mut self, _log_y: &[Vec<f64>]) {}

    /// All that later rounds depend on.
    fn state(&self) -> State {
        State::of(&())
    }

    /// Goes on from the state of another; whether that was of an equal one.
    fn restore(&mut self, state: &State) -> bool {
        state.read::<()>().is_some()
    }
}
