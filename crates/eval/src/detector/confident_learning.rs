//! Confident learning (Northcutt, Jiang and Chuang 2021): self-confidence, adjusted by what the model says of
//! each class on average.

use super::Detector;
use crate::ConfidentLearning;
use crate::audit::Evidence;

pub(super) const DETECTOR: Detector = Detector {
    name: "confident-learning",
    title: "confident learning, out of fold",
    needs_dynamics: false,
    needs_vectors: false,
    reads_vectors: false,
    scores,
};

/// The adjusted scores; none where probabilities are none.
fn scores(evidence: &[Evidence]) -> Vec<Option<f64>> {
    let tested = || evidence.iter().filter(|one| !one.out_of_fold.is_empty());
    let given: Vec<usize> = tested().map(|one| one.gold).collect();
    let said: Vec<Vec<f64>> = tested().map(|one| one.out_of_fold.clone()).collect();
    let classes = said.first().map_or(0, Vec::len);
    let adjusted = ConfidentLearning::new(classes, &given, &said).ok();
    let mut adjusted =
        adjusted.map(|found| found.adjusted_scores()).unwrap_or_default().into_iter();
    evidence
        .iter()
        .map(|one| if one.out_of_fold.is_empty() { None } else { adjusted.next() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::seen;

    #[test]
    fn the_order_is_that_of_confident_learning() {
        let evidence = [0.9, 0.4, 0.6].map(|p| seen("a", [1.0, 0.0], 0.1, [p, 1.0 - p]));
        let said: Vec<Vec<f64>> = evidence.iter().map(|one| one.out_of_fold.clone()).collect();
        let expected = ConfidentLearning::new(2, &[0; 3], &said).unwrap().adjusted_scores();
        assert_eq!(scores(&evidence), expected.into_iter().map(Some).collect::<Vec<_>>());
    }
}
