//! Confident learning (Northcutt, Jiang and Chuang 2021): the rival that finds wrong labels from
//! out-of-sample probabilities alone.

use crate::{Confusion, EvalError};

/// Out-of-sample probabilities of utterances with given labels, and the thresholds that follow.
///
/// The threshold of a class is the mean probability of that class among the utterances labelled so:
/// what the model says of it on average, so that a class of which it is never sure counts as much as
/// one of which it always is.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfidentLearning<'a> {
    given: &'a [usize],
    probabilities: &'a [Vec<f64>],
    thresholds: Vec<f64>,
}

impl<'a> ConfidentLearning<'a> {
    /// Of given labels and, per utterance, a probability for each of `classes` classes.
    ///
    /// Errors: a label beyond the classes; another number of probabilities; a value not finite.
    /// A class that no utterance has been given has a threshold that nothing reaches.
    pub fn new(
        classes: usize,
        given: &'a [usize],
        probabilities: &'a [Vec<f64>],
    ) -> Result<Self, EvalError> {
        // Counting them checks labels and probabilities.
        let pairs = given.iter().copied().zip(probabilities.iter().map(Vec::as_slice));
        let counts = Confusion::from_probabilities(classes, pairs)?;
        let threshold = |class: usize| {
            let labelled = given.iter().zip(probabilities).filter(|(given, _)| **given == class);
            let sum: f64 = labelled.map(|(_, p)| p[class]).sum();
            if counts.gold(class) == 0 { f64::INFINITY } else { sum / counts.gold(class) as f64 }
        };
        let thresholds = (0..classes).map(threshold).collect();
        Ok(Self { given, probabilities, thresholds })
    }

    /// Threshold of every class.
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }

    /// The class that each utterance confidently belongs to: the most probable of those that reach
    /// their threshold; `None` where none does.
    pub fn confident_classes(&self) -> Vec<Option<usize>> {
        self.probabilities.iter().map(|p| self.confident_class(p)).collect()
    }

    fn confident_class(&self, p: &[f64]) -> Option<usize> {
        let reached = (0..p.len()).filter(|&class| p[class] >= self.thresholds[class]);
        reached.reduce(|best, class| if p[class] > p[best] { class } else { best })
    }

    /// Whether each label is suspect: the utterance confidently belongs to another class.
    pub fn suspects(&self) -> Vec<bool> {
        let classes = self.confident_classes().into_iter().zip(self.given);
        classes.map(|(class, given)| class.is_some_and(|class| class != *given)).collect()
    }

    /// 1 − p(given label) of every utterance: high where the model does not believe the label.
    pub fn self_confidence_scores(&self) -> Vec<f64> {
        self.probabilities.iter().zip(self.given).map(|(p, &given)| 1.0 - p[given]).collect()
    }

    /// As [`Self::self_confidence_scores`], of probabilities from which the classes' thresholds have
    /// been taken: shifted to be positive and scaled to sum to 1, as the authors' library does.
    pub fn adjusted_scores(&self) -> Vec<f64> {
        let known = self.thresholds.iter().copied().filter(|t| t.is_finite());
        let top = known.fold(0.0, f64::max);
        let adjusted = |(p, &given): (&Vec<f64>, &usize)| {
            let shifted = |class: usize| (p[class] + top - self.thresholds[class]).max(0.0);
            let total: f64 = (0..p.len()).map(shifted).sum();
            1.0 - shifted(given) / total
        };
        self.probabilities.iter().zip(self.given).map(adjusted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes; the model is never sure of the second.
    fn probabilities() -> Vec<Vec<f64>> {
        [0.95, 0.85, 0.55, 0.60, 0.70, 0.90].iter().map(|p| vec![*p, 1.0 - p]).collect()
    }

    const GIVEN: [usize; 6] = [0, 0, 0, 1, 1, 1];

    #[test]
    fn thresholds_are_mean_probabilities_of_the_given_class() {
        let p = probabilities();
        let learning = ConfidentLearning::new(2, &GIVEN, &p).unwrap();
        let [first, second] = learning.thresholds() else { panic!("two classes") };
        assert!((first - 2.35 / 3.0).abs() < 1e-15 && (second - 0.8 / 3.0).abs() < 1e-15);
    }

    /// By hand: class 0 is reached from 0.783, class 1 from 0.267. The third reaches only class 1,
    /// the last only class 0; the fourth and fifth reach class 1, which is what they were given.
    #[test]
    fn suspects_confidently_belong_elsewhere() {
        let p = probabilities();
        let learning = ConfidentLearning::new(2, &GIVEN, &p).unwrap();
        let classes = [Some(0), Some(0), Some(1), Some(1), Some(1), Some(0)];
        assert_eq!(learning.confident_classes(), classes);
        assert_eq!(learning.suspects(), [false, false, true, false, false, true]);
    }

    #[test]
    fn the_adjusted_score_forgives_a_class_the_model_is_never_sure_of() {
        let p = probabilities();
        let learning = ConfidentLearning::new(2, &GIVEN, &p).unwrap();
        let plain = learning.self_confidence_scores();
        let adjusted = learning.adjusted_scores();
        assert!((plain[3] - 0.60).abs() < 1e-15 && plain[3] > plain[2]);
        // Shifted: the third's 0.55 stays, its other becomes 0.45 + 0.5167; the fourth's given one
        // becomes 0.40 + 0.5167 beside 0.60.
        let shift = (2.35 - 0.8) / 3.0;
        assert!((adjusted[2] - (0.45 + shift) / (1.0 + shift)).abs() < 1e-15);
        assert!((adjusted[3] - 0.60 / (1.0 + shift)).abs() < 1e-15);
        assert!(adjusted[3] < adjusted[2]);
    }

    #[test]
    fn a_class_that_nobody_was_given_is_never_confident() {
        let p = vec![vec![0.2, 0.8], vec![0.3, 0.7]];
        let learning = ConfidentLearning::new(2, &[0, 0], &p).unwrap();
        assert_eq!(learning.confident_classes(), [None, Some(0)]);
        assert_eq!(learning.adjusted_scores(), [0.0, 0.0]);
    }

    #[test]
    fn faults_are_named() {
        let p = vec![vec![0.2, 0.8]];
        assert!(ConfidentLearning::new(2, &[2], &p).is_err());
        assert!(ConfidentLearning::new(3, &[0], &p).is_err());
        assert!(ConfidentLearning::new(2, &[0], &[vec![f64::NAN, 1.0]]).is_err());
    }
}
