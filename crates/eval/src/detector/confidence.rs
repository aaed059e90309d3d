//! The mean confidence over epochs (dataset cartography; Swayamdipta et al. 2020): hard examples, wrong
//! labels among them, have a low one throughout.

use super::{Detector, of_training};
use crate::audit::Evidence;

pub(super) const DETECTOR: Detector = Detector {
    name: "confidence",
    title: "mean confidence over epochs (cartography)",
    needs_dynamics: true,
    needs_vectors: false,
    reads_vectors: false,
    scores,
};

/// 1 less the mean probability of the given label.
fn scores(evidence: &[Evidence]) -> Vec<Option<f64>> {
    of_training(evidence, true, |one| Some(1.0 - one.confidence?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::seen;

    #[test]
    fn a_low_confidence_is_suspect() {
        let with = |confidence| Evidence { confidence, ..seen("a", [1.0, 0.0], 0.1, [0.5, 0.5]) };
        assert_eq!(scores(&[with(Some(0.25)), with(None)]), [Some(0.75), None]);
    }
}
