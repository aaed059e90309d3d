//! Self-confidence out of fold: what a model that did not train on the utterance gives its label.

use super::Detector;
use crate::audit::Evidence;

pub(super) const DETECTOR: Detector = Detector {
    name: "self-confidence",
    title: "self-confidence, out of fold",
    needs_dynamics: false,
    needs_vectors: false,
    reads_vectors: false,
    scores,
};

/// 1 − y of the given label.
fn scores(evidence: &[Evidence]) -> Vec<Option<f64>> {
    evidence.iter().map(|one| Some(1.0 - one.out_of_fold.get(one.gold)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::seen;

    #[test]
    fn who_is_not_believed_is_suspect() {
        assert_eq!(scores(&[seen("a", [1.0, 0.0], 0.1, [0.25, 0.75])]), [Some(0.75)]);
    }
}
