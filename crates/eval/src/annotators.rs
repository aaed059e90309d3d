//! Who rated what how: agreement among annotators, and the consensus of their ratings.

mod agreement;
mod crowdlab;
mod dawid_skene;

use std::collections::BTreeSet;

pub use crowdlab::Crowdlab;
pub use dawid_skene::DawidSkene;

use crate::EvalError;

/// One annotator's choice of one class for an utterance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rating {
    /// Number of the annotator, from 0.
    pub annotator: usize,
    /// Number of the class, from 0.
    pub class: usize,
}

/// The ratings of utterances, of each any number. An annotator who names several classes has a rating for each,
/// which share the weight of one; one who abstains has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ratings {
    classes: usize,
    annotators: usize,
    utterances: Vec<Vec<Rating>>,
}

impl Ratings {
    /// Ratings by utterance. Errors: a class at or beyond `classes`.
    ///
    /// ```
    /// use ambivox_eval::{Rating, Ratings};
    ///
    /// let all = |classes: [usize; 3]| {
    ///     (0..3).map(|annotator| Rating { annotator, class: classes[annotator] }).collect()
    /// };
    /// let ratings = Ratings::new(2, vec![all([0, 0, 0]), all([1, 1, 0])])?;
    /// assert_eq!(ratings.counts(), [[3.0, 0.0], [1.0, 2.0]]);
    /// # Ok::<(), ambivox_eval::EvalError>(())
    /// ```
    pub fn new(classes: usize, utterances: Vec<Vec<Rating>>) -> Result<Self, EvalError> {
        let all = || utterances.iter().flatten();
        if let Some(rating) = all().find(|rating| rating.class >= classes) {
            return Err(EvalError::ClassOutOfRange { index: rating.class, classes });
        }
        let annotators = all().map(|rating| rating.annotator + 1).max().unwrap_or(0);
        Ok(Self { classes, annotators, utterances })
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many annotators there are.
    pub fn annotators(&self) -> usize {
        self.annotators
    }

    /// The ratings, by utterance.
    pub fn utterances(&self) -> &[Vec<Rating>] {
        &self.utterances
    }

    /// Number of ratings.
    pub fn len(&self) -> usize {
        self.utterances.iter().map(Vec::len).sum()
    }

    /// Whether nobody rated anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many annotators named each class, by utterance; one who named several counts as a part for each.
    pub fn counts(&self) -> Vec<Vec<f64>> {
        self.weighted().map(|ratings| counts(self.classes, &ratings)).collect()
    }

    /// By utterance, every rating with its weight: one, divided by how many classes the same annotator named.
    fn weighted(&self) -> impl Iterator<Item = Vec<(Rating, f64)>> + '_ {
        self.utterances.iter().map(|ratings| {
            let same =
                |one: &Rating| ratings.iter().filter(|r| r.annotator == one.annotator).count();
            ratings.iter().map(|rating| (*rating, 1.0 / same(rating) as f64)).collect()
        })
    }

    /// How many annotators rated each utterance.
    pub fn raters(&self) -> Vec<usize> {
        let number = |ratings: &Vec<Rating>| {
            ratings.iter().map(|rating| rating.annotator).collect::<BTreeSet<_>>().len()
        };
        self.utterances.iter().map(number).collect()
    }

    /// Number of ratings of every annotator.
    pub fn by_annotator(&self) -> Vec<usize> {
        let mut numbers = vec![0; self.annotators];
        for rating in self.utterances.iter().flatten() {
            numbers[rating.annotator] += 1;
        }
        numbers
    }

    /// The mean of a value over the ratings of every annotator for which there is one, weighted by the number
    /// that is beside it; none where no rating has one. It is asked for by place of the utterance, rating and
    /// the rating's own weight.
    fn annotator_means(
        &self,
        value: impl Fn(usize, Rating, f64) -> Option<(f64, f64)>,
    ) -> Vec<Option<f64>> {
        let mut sums = vec![(0.0, 0.0); self.annotators];
        for (place, ratings) in self.weighted().enumerate() {
            for (rating, weight) in ratings {
                let Some((value, weight)) = value(place, rating, weight) else { continue };
                let (sum, total) = &mut sums[rating.annotator];
                *sum += value * weight;
                *total += weight;
            }
        }
        sums.into_iter().map(|(sum, total)| (total > 0.0).then(|| sum / total)).collect()
    }
}

/// How often each class was named.
fn counts(classes: usize, ratings: &[(Rating, f64)]) -> Vec<f64> {
    let mut counts = vec![0.0; classes];
    for (rating, weight) in ratings {
        counts[rating.class] += weight;
    }
    counts
}

#[cfg(test)]
mod tests;
