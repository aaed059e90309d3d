//! The learned label s: how far it has left the label that was given.

use super::{Detector, of_training};
use crate::audit::Evidence;

/// What is not learned differs by rounding at most.
const ROUNDING: f64 = 1e-9;

pub(super) const DETECTOR: Detector = Detector {
    name: "label",
    title: "1 − s of the given label",
    needs_dynamics: false,
    needs_vectors: false,
    reads_vectors: false,
    scores,
};

/// 1 − s of the given label, of methods whose labels are not all alike.
pub(super) fn scores(evidence: &[Evidence]) -> Vec<Option<f64>> {
    let doubts = || evidence.iter().filter(|one| one.is_trained()).map(Evidence::doubt);
    let first = doubts().next().unwrap_or_default();
    let learned = doubts().any(|doubt| (doubt - first).abs() > ROUNDING);
    of_training(evidence, learned, |one| Some(one.doubt()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::seen;

    #[test]
    fn labels_that_have_moved_rank() {
        let kept = seen("a", [0.9, 0.1], 1.0, [0.5, 0.5]);
        assert_eq!(scores(&[kept.clone(), kept.clone()]), [None, None]);
        let found = scores(&[kept, seen("b", [0.25, 0.75], 1.0, [0.5, 0.5])]);
        assert_eq!(found[1], Some(0.75));
    }
}
