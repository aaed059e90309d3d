//! How well a score finds wrong labels: AUROC, average precision, and precision of the first few.

use serde::{Deserialize, Serialize};

/// How well a score, higher for more suspect utterances, ranks the wrong labels before the right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detection {
    /// Area under the ROC curve: the chance that a wrong label has a higher score than a right one,
    /// equal scores counting half. 0.5 is chance.
    pub auroc: f64,
    /// Average precision: precision at the rank of every wrong label, averaged; equal scores share a
    /// rank. The share of wrong labels is chance.
    pub average_precision: f64,
    /// Share of wrong labels among so many highest scores as [`FIRST`] has, or all where there are fewer; of
    /// equal scores at the border, as many as is to be expected.
    pub first: [f64; 3],
}

/// How many labels someone may look through at a sitting, in a day, in a week.
pub const FIRST: [usize; 3] = [20, 50, 100];

impl Detection {
    /// Of pairs of a score and whether the label is wrong. `None` where all labels are wrong or all
    /// right, and where a score is NaN.
    ///
    /// ```
    /// use ambivox_eval::Detection;
    ///
    /// let found = Detection::of([(0.9, true), (0.8, false), (0.2, false)]);
    /// assert_eq!(found.map(|found| (found.auroc, found.average_precision)), Some((1.0, 1.0)));
    /// assert_eq!(Detection::of([(0.9, true)]), None, "no label is right");
    /// ```
    pub fn of(scored: impl IntoIterator<Item = (f64, bool)>) -> Option<Self> {
        let mut scored: Vec<(f64, bool)> = scored.into_iter().collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let wrong = scored.iter().filter(|(_, wrong)| *wrong).count() as f64;
        let right = scored.len() as f64 - wrong;
        if wrong == 0.0 || right == 0.0 || scored.iter().any(|(score, _)| score.is_nan()) {
            return None;
        }
        let (mut auroc, mut average_precision) = (0.0, 0.0);
        let (mut wrong_before, mut before, mut first) = (0.0, 0.0, [0.0; 3]);
        let looked_at = FIRST.map(|first| first.min(scored.len()) as f64);
        for ties in scored.chunk_by(|a, b| a.0 == b.0) {
            let (size, found) = (ties.len() as f64, ties.iter().filter(|(_, w)| *w).count() as f64);
            // Every right label here lies below those found before, and beside those found here.
            auroc += (size - found) * (wrong_before + found / 2.0);
            for (first, looked_at) in first.iter_mut().zip(looked_at) {
                *first += (looked_at - before).clamp(0.0, size) * found / size;
            }
            (wrong_before, before) = (wrong_before + found, before + size);
            average_precision += found * wrong_before / before;
        }
        Some(Self {
            auroc: auroc / (wrong * right),
            average_precision: average_precision / wrong,
            first: [0, 1, 2].map(|place| first[place] / looked_at[place]),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Figures of scikit-learn 1.9's `roc_auc_score` and `average_precision_score`.
    #[test]
    fn agrees_with_scikit_learn() {
        let scores = [0.9, 0.8, 0.8, 0.7, 0.5, 0.5, 0.5, 0.2, 0.1];
        let wrong = [true, false, true, true, false, true, false, false, false];
        let found = Detection::of(scores.into_iter().zip(wrong)).unwrap();
        assert!((found.auroc - AUROC).abs() < 1e-15, "{found:?}");
        assert!((found.average_precision - AVERAGE_PRECISION).abs() < 1e-15, "{found:?}");
    }

    const AUROC: f64 = 0.825;
    const AVERAGE_PRECISION: f64 = 0.7470238095238095;

    #[test]
    fn a_perfect_and_a_constant_score() {
        let perfect = Detection::of([(3.0, true), (2.0, true), (1.0, false)]).unwrap();
        assert_eq!((perfect.auroc, perfect.average_precision), (1.0, 1.0));
        let constant = Detection::of([(1.0, true), (1.0, false), (1.0, false)]).unwrap();
        assert_eq!((constant.auroc, constant.average_precision), (0.5, 1.0 / 3.0));
    }

    #[test]
    fn equal_scores_at_the_border_of_the_first_count_by_their_share() {
        // Fifteen wrong ones, then ten equal ones of which four are wrong.
        let clear = (0..15).map(|n| (f64::from(100 - n), true));
        let equal = (0..10).map(|n| (1.0, n < 4));
        let found = Detection::of(clear.chain(equal).chain([(0.0, true)])).unwrap();
        assert!((found.first[0] - (15.0 + 5.0 * 0.4) / 20.0).abs() < 1e-15, "{found:?}");
        assert!((found.first[1] - 20.0 / 26.0).abs() < 1e-15, "all there are: {found:?}");
        let few = Detection::of([(2.0, true), (1.0, false), (0.0, false)]).unwrap();
        assert!(few.first.iter().all(|first| (first - 1.0 / 3.0).abs() < 1e-15), "{few:?}");
    }

    #[test]
    fn nothing_to_find_is_undefined() {
        assert_eq!(Detection::of([]), None);
        assert_eq!(Detection::of([(1.0, true)]), None);
        assert_eq!(Detection::of([(1.0, false), (2.0, false)]), None);
        assert_eq!(Detection::of([(f64::NAN, false), (2.0, true)]), None);
    }

    proptest! {
        #[test]
        fn auroc_is_the_share_of_pairs_in_order(
            scored in prop::collection::vec((0_u8..6, any::<bool>()), 2..40),
        ) {
            let scored = scored.into_iter().map(|(score, wrong)| (f64::from(score), wrong));
            let of = |which: bool| scored.clone().filter(move |(_, w)| *w == which).map(|(s, _)| s);
            let pairs = of(true).flat_map(|w| of(false).map(move |r| (w, r)));
            let points: Vec<f64> = pairs
                .map(|(w, r)| if w > r { 1.0 } else if w == r { 0.5 } else { 0.0 })
                .collect();
            match Detection::of(scored.clone()) {
                None => prop_assert!(points.is_empty()),
                Some(found) => {
                    let expected = points.iter().sum::<f64>() / points.len() as f64;
                    prop_assert!((found.auroc - expected).abs() < 1e-12);
                    prop_assert!((0.0..=1.0).contains(&found.average_precision));
                    let turned = Detection::of(scored.map(|(s, w)| (-s, w))).unwrap();
                    prop_assert!((turned.auroc + found.auroc - 1.0).abs() < 1e-12);
                }
            }
        }
    }
}
