//! Votes of the nearest neighbours (`SimiFeat`; Zhu, Dong and Liu 2022): how unlike the label is to the labels of
//! the utterances whose vectors are most alike. No model is asked.

use super::Detector;
use crate::audit::Evidence;

pub(super) const DETECTOR: Detector = Detector {
    name: "neighbours",
    title: "votes of the ten nearest vectors",
    needs_dynamics: false,
    needs_vectors: true,
    reads_vectors: true,
    scores,
};

/// 1 less the cosine of the given label to the neighbours' labels: their ranking variant.
fn scores(evidence: &[Evidence]) -> Vec<Option<f64>> {
    let score = |one: &Evidence| {
        let squares: u32 = one.neighbours.iter().map(|votes| votes * votes).sum();
        (squares > 0).then(|| 1.0 - f64::from(one.neighbours[one.gold]) / f64::from(squares).sqrt())
    };
    evidence.iter().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::seen;

    #[test]
    fn a_label_that_no_neighbour_has_is_suspect() {
        let with = |votes: &[u32]| Evidence {
            neighbours: votes.to_vec(),
            ..seen("a", [1.0, 0.0], 0.1, [0.5, 0.5])
        };
        let found = scores(&[with(&[0, 10]), with(&[3, 4]), with(&[10, 0]), with(&[])]);
        assert_eq!(found[0], Some(1.0));
        assert!((found[1].unwrap() - 0.4).abs() < 1e-12);
        assert_eq!((found[2], found[3]), (Some(0.0), None));
    }
}
