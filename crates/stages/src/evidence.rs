//! What runs made of an utterance's label, over folds and seeds: what detectors read.

use ambivox_eval::audit::Evidence;

use crate::averages::Mean;
use crate::tables::labels::LearnedLabel;

/// What the runs that trained on an utterance made of its label.
#[derive(Default)]
pub(crate) struct Learned {
    /// The label that they trained on.
    pub(crate) gold: usize,
    shares: Mean,
    weights: Mean,
    loss: Mean,
    course: Mean,
    out_of_fold: Mean,
}

impl Learned {
    /// Nothing yet, of this label.
    pub(crate) fn of(gold: usize) -> Self {
        Self { gold, ..Self::default() }
    }

    /// Takes in what one run made of it.
    pub(crate) fn add(&mut self, label: &LearnedLabel) {
        self.shares.add(&label.shares);
        self.weights.add(&[label.weight_initial, label.weight]);
        self.loss.add(&[label.loss]);
        if let Some(course) = label.course {
            self.course.add(&course);
        }
    }

    /// Adds the probabilities by a run that did not train on it.
    pub(crate) fn add_out_of_fold(&mut self, probabilities: &[f32]) {
        self.out_of_fold.add(&probabilities.iter().copied().map(f64::from).collect::<Vec<_>>());
    }

    /// Their means, without what is known from elsewhere.
    pub(crate) fn evidence(&self, utterance_id: &str) -> Evidence {
        let [weights, loss, course] = [&self.weights, &self.loss, &self.course].map(Mean::mean);
        let of = |values: &[f64], place: usize| values.get(place).copied();
        Evidence {
            utterance_id: utterance_id.to_owned(),
            gold: self.gold,
            original: self.gold,
            learned: self.shares.mean(),
            weight_initial: of(&weights, 0).unwrap_or_default(),
            weight: of(&weights, 1).unwrap_or_default(),
            loss: of(&loss, 0).unwrap_or_default(),
            margin: of(&course, 0),
            confidence: of(&course, 1),
            neighbours: Vec::new(),
            out_of_fold: self.out_of_fold.mean(),
            votes: Vec::new(),
            twin: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_of_means_over_the_runs_that_trained_on_it() {
        let label = |weight, doubt, loss, course| LearnedLabel {
            utterance_id: "a".to_owned(),
            gold: 0,
            weight_initial: 1.0,
            weight,
            shares: vec![1.0 - doubt, doubt],
            loss,
            course,
        };
        let mut learned = Learned::of(0);
        learned.add(&label(1.5, 0.25, 1.0, Some([2.0, 0.5])));
        learned.add(&label(2.5, 0.75, 3.0, Some([-1.0, 0.25])));
        let found = learned.evidence("a");
        assert_eq!((found.weight_initial, found.weight, found.loss), (1.0, 2.0, 2.0));
        assert_eq!((found.doubt(), found.margin, found.confidence), (0.5, Some(0.5), Some(0.375)));
        let mut tested = Learned::of(1);
        tested.add_out_of_fold(&[0.5, 0.5]);
        tested.add_out_of_fold(&[1.0, 0.0]);
        let found = tested.evidence("b");
        assert!(!found.is_trained() && found.out_of_fold == [0.75, 0.25], "{found:?}");
    }
}
