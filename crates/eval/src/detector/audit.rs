//! The audit's own: learned label and loss together, by the places that each gives an utterance.

use super::{Detector, label};
use crate::audit::{Evidence, scores as places};

pub(super) const DETECTOR: Detector = Detector {
    name: "audit",
    title: "the audit's score",
    needs_dynamics: false,
    needs_vectors: false,
    reads_vectors: false,
    scores,
};

/// The mean share of utterances that are less suspect by 1 − s and by −log y, of methods that learn labels;
/// of others it is the order of the loss alone.
fn scores(evidence: &[Evidence]) -> Vec<Option<f64>> {
    if label::scores(evidence).iter().all(Option::is_none) {
        return vec![None; evidence.len()];
    }
    let trained = || evidence.iter().filter(|one| one.is_trained());
    let doubts: Vec<f64> = trained().map(Evidence::doubt).collect();
    let losses: Vec<f64> = trained().map(|one| one.loss).collect();
    let mut found = places(&doubts, &losses).into_iter();
    evidence.iter().map(|one| if one.is_trained() { found.next() } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::seen;

    #[test]
    fn both_places_count_and_neither_without_learned_labels() {
        let half = [0.5, 0.5];
        let kept = seen("a", [0.9, 0.1], 0.1, half);
        let moved = seen("b", [0.2, 0.8], 2.0, half);
        assert_eq!(scores(&[kept.clone(), moved]), [Some(0.25), Some(0.75)]);
        assert_eq!(scores(&[kept.clone(), kept]), [None, None]);
    }
}
