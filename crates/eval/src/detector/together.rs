//! Three kinds of evidence together: the course of training, what the model says out of fold, and the votes of
//! the nearest vectors, by the places that each gives an utterance.

use super::{Detector, loss, margin, neighbours, self_confidence};
use crate::audit::{Evidence, shares_below};
use crate::combination::mean_places;

pub(super) const DETECTOR: Detector = Detector {
    name: "together",
    title: "margin or loss, self-confidence and neighbours together",
    needs_dynamics: false,
    needs_vectors: false,
    reads_vectors: true,
    scores,
};

/// The mean share of utterances that are less suspect by each of those that tell of all of them: the margin, or
/// the loss where runs kept no course; self-confidence; neighbours. `None` where fewer than two do.
fn scores(evidence: &[Evidence]) -> Vec<Option<f64>> {
    let whole = |detector: &Detector| -> Option<Vec<f64>> {
        detector.scores(evidence).into_iter().collect()
    };
    let of_training = whole(&margin::DETECTOR).or_else(|| whole(&loss::DETECTOR));
    let others = [whole(&self_confidence::DETECTOR), whole(&neighbours::DETECTOR)];
    let known: Vec<Vec<f64>> =
        of_training.into_iter().chain(others.into_iter().flatten()).collect();
    if known.len() < 2 {
        return vec![None; evidence.len()];
    }
    let places: Vec<Vec<f64>> = known.iter().map(|scores| shares_below(scores)).collect();
    let places: Vec<&[f64]> = places.iter().map(Vec::as_slice).collect();
    mean_places(&places).into_iter().map(Some).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::seen;

    #[test]
    fn places_are_averaged_over_what_tells_of_all() {
        let one = |loss, p: f64| seen("a", [1.0, 0.0], loss, [p, 1.0 - p]);
        let evidence = [one(0.1, 0.9), one(2.0, 0.8), one(1.0, 0.1)];
        // By loss the places are 1/6, 5/6, 3/6; by self-confidence 1/6, 3/6, 5/6.
        let found: Vec<f64> = scores(&evidence).into_iter().flatten().collect();
        for (found, expected) in found.iter().zip([1.0 / 6.0, 4.0 / 6.0, 4.0 / 6.0]) {
            assert!((found - expected).abs() < 1e-15, "{found}");
        }
        let mut votes = evidence.clone();
        votes[1].neighbours = vec![0, 1];
        assert_eq!(scores(&votes), scores(&evidence), "no votes of the others");
        votes[0].neighbours = vec![1, 0];
        votes[2].neighbours = vec![1, 0];
        assert!(scores(&votes)[1] > scores(&votes)[2]);
        let alone = evidence.map(|one| Evidence { out_of_fold: Vec::new(), ..one });
        assert_eq!(scores(&alone), [None; 3]);
    }
}
