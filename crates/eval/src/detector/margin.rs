//! The area under the margin (AUM; Pleiss et al. 2020): the mean over epochs of the logit of the given label
//! less the largest other one.

use super::{Detector, of_training};
use crate::audit::Evidence;

pub(super) const DETECTOR: Detector = Detector {
    name: "margin",
    title: "mean margin over epochs (AUM)",
    needs_dynamics: true,
    needs_vectors: false,
    reads_vectors: false,
    scores,
};

/// Minus the area: who was seldom taken for what the label says is suspect.
fn scores(evidence: &[Evidence]) -> Vec<Option<f64>> {
    of_training(evidence, true, |one| Some(-one.margin?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::seen;

    #[test]
    fn a_negative_margin_is_suspect() {
        let with = |margin| Evidence { margin, ..seen("a", [1.0, 0.0], 0.1, [0.5, 0.5]) };
        assert_eq!(
            scores(&[with(Some(-2.0)), with(Some(3.0)), with(None)]),
            [Some(2.0), Some(-3.0), None]
        );
    }
}
