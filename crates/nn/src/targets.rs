//! What utterances are to be classified as, and how much each counts.

use serde::{Deserialize, Serialize};

/// Label distribution s and weight w of every utterance of a run, in their order (METHOD, eqs. 4–6).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Targets {
    /// `s_n`: a distribution over the classes.
    pub distributions: Vec<Vec<f64>>,
    /// `w_n`: above 0; a lower one counts more.
    pub weights: Vec<f64>,
}

impl Targets {
    /// What makes [`crate::CrossEntropy`] the mean over the utterances at `positions` of
    /// `(1/w_n) · Σ_c −s_nc log y_nc`: `s_nc / (w_n · B)`, row by row, for a batch of B utterances.
    pub fn scaled(&self, positions: &[usize]) -> Vec<f32> {
        let count = positions.len() as f64;
        let row = |&n: &usize| {
            let scale = 1.0 / (self.weights[n] * count);
            self.distributions[n].iter().map(move |s| (s * scale) as f32)
        };
        positions.iter().flat_map(row).collect()
    }

    /// The mean of 1/w over the utterances at `positions`.
    pub fn mean_inverse_weight(&self, positions: &[usize]) -> f64 {
        let sum: f64 = positions.iter().map(|&n| 1.0 / self.weights[n]).sum();
        sum / positions.len() as f64
    }

    /// Whether both are of as many utterances and classes.
    pub fn is_like(&self, other: &Self) -> bool {
        let classes =
            |targets: &Self| targets.distributions.iter().map(Vec::len).collect::<Vec<_>>();
        classes(self) == classes(other) && self.weights.len() == other.weights.len()
    }
}
