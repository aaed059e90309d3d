//! The learned weight w: what the network fits badly counts less and less.

use super::{Detector, of_training};
use crate::audit::Evidence;

pub(super) const DETECTOR: Detector = Detector {
    name: "weight",
    title: "learned weight w",
    needs_dynamics: false,
    needs_vectors: false,
    reads_vectors: false,
    scores,
};

/// w, of methods that learn it.
fn scores(evidence: &[Evidence]) -> Vec<Option<f64>> {
    let learned = evidence.iter().any(|one| one.weight != one.weight_initial);
    of_training(evidence, learned, |one| Some(one.weight))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::seen;

    #[test]
    fn weights_that_have_moved_rank() {
        let mut moved = seen("b", [1.0, 0.0], 1.0, [0.5, 0.5]);
        moved.weight = 1.5;
        assert_eq!(
            scores(&[seen("a", [1.0, 0.0], 1.0, [0.5, 0.5]), moved]),
            [Some(1.0), Some(1.5)]
        );
    }
}
