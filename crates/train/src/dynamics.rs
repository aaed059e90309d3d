//! The course of training, utterance by utterance: how sure of its label the network is after each epoch. Who
//! looks for wrong labels reads it (Pleiss et al. 2020; Swayamdipta et al. 2020).

use ambivox_rules::CourseOfLabel;
use serde::{Deserialize, Serialize};

/// Sums over the epochs so far, of one utterance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Sums {
    margin: f64,
    confidence: f64,
    squares: f64,
}

/// Sums of all training utterances that were not made, in their order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dynamics {
    epochs: usize,
    sums: Vec<Sums>,
}

impl Dynamics {
    /// Takes in what the network says after an epoch; utterances without a label have no course.
    pub(crate) fn add(&mut self, gold: &[Option<usize>], log_y: &[Vec<f64>]) {
        self.epochs += 1;
        self.sums.resize(gold.len(), Sums::default());
        for ((sums, gold), log_y) in self.sums.iter_mut().zip(gold).zip(log_y) {
            let Some(gold) = *gold else { continue };
            let others = log_y.iter().enumerate().filter(|(class, _)| *class != gold);
            let confidence = libm::exp(log_y[gold]);
            // Logarithms of softmax differ as the logits do.
            sums.margin += log_y[gold] - others.map(|(_, y)| *y).fold(f64::NEG_INFINITY, f64::max);
            sums.confidence += confidence;
            sums.squares += confidence * confidence;
        }
    }

    /// Means over the epochs, of those with a label; empty where nothing was kept.
    pub(crate) fn courses(&self, gold: &[Option<usize>]) -> Vec<Option<CourseOfLabel>> {
        let epochs = self.epochs as f64;
        let course = |(sums, gold): (&Sums, &Option<usize>)| {
            let confidence = sums.confidence / epochs;
            gold.map(|_| CourseOfLabel {
                margin: sums.margin / epochs,
                confidence,
                variability: (sums.squares / epochs - confidence * confidence).max(0.0).sqrt(),
            })
        };
        self.sums.iter().zip(gold).map(course).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn courses_by_hand() {
        let mut dynamics = Dynamics::default();
        let gold = [Some(0), None];
        let log = |y: [f64; 3]| y.map(f64::ln).to_vec();
        dynamics.add(&gold, &[log([0.5, 0.25, 0.25]), log([0.2, 0.4, 0.4])]);
        dynamics.add(&gold, &[log([0.25, 0.5, 0.25]), log([0.2, 0.4, 0.4])]);
        let [Some(found), None] = dynamics.courses(&gold)[..] else { panic!("one has a label") };
        // ln 2 and −ln 2; 0.5 and 0.25.
        assert!(found.margin.abs() < 1e-15);
        assert!((found.confidence - 0.375).abs() < 1e-15);
        assert!((found.variability - 0.125).abs() < 1e-15);
    }

    /// Logits of two utterances after three epochs, margins by the authors' package `aum` 1.0, confidence and
    /// its deviation by numpy.
    #[test]
    fn courses_are_those_of_the_authors() {
        let epochs = [
            [[1.5, -0.25, 0.75], [0.5, 2.0, -1.0]],
            [[2.25, 0.5, 1.0], [1.75, 0.25, 0.0]],
            [[0.25, 0.5, -0.75], [3.0, -1.5, 1.25]],
        ];
        let log_softmax = |z: [f64; 3]| {
            let log_sum = z.iter().map(|z| z.exp()).sum::<f64>().ln();
            z.map(|z| z - log_sum).to_vec()
        };
        let gold = [Some(0), Some(1)];
        let mut dynamics = Dynamics::default();
        for logits in epochs {
            dynamics.add(&gold, &logits.map(log_softmax));
        }
        let expected = [
            [0.583_333_333_333_333_4, 0.556_456_59, 0.130_702_04],
            [-1.5, 0.318_234_85, 0.336_127_27],
        ];
        for (found, expected) in dynamics.courses(&gold).into_iter().zip(expected) {
            let found = found.unwrap();
            let found = [found.margin, found.confidence, found.variability];
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-8, "{found} {expected}");
            }
        }
    }
}
