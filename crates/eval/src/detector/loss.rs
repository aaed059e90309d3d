//! The training loss, by the network of the epoch that was kept: early stopping keeps it from learning wrong
//! labels by heart (Arpit et al. 2017; Song et al. 2019).

use super::{Detector, of_training};
use crate::audit::Evidence;

pub(super) const DETECTOR: Detector = Detector {
    name: "loss",
    title: "training loss",
    needs_dynamics: false,
    needs_vectors: false,
    reads_vectors: false,
    scores,
};

/// −log y of the given label.
fn scores(evidence: &[Evidence]) -> Vec<Option<f64>> {
    of_training(evidence, true, |one| Some(one.loss))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::seen;

    #[test]
    fn the_loss_itself_ranks() {
        assert_eq!(scores(&[seen("a", [1.0, 0.0], 0.25, [0.5, 0.5])]), [Some(0.25)]);
    }
}
