//! How far probabilities can be relied on: expected calibration error, Brier score and negative log
//! likelihood of the gold labels.

use crate::{EvalError, argmax};

/// Bins of equal width over the probability of the predicted class.
const BINS: usize = 15;
/// How far beyond 0 and 1 rounding may carry a probability.
const SLACK: f64 = 1e-6;

/// Sums over predictions, from which the rates follow; sets of predictions are pooled by adding.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calibration {
    bins: [Bin; BINS],
    squares: f64,
    log_loss: f64,
}

/// Predictions whose highest probability lies in one range.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Bin {
    predictions: u64,
    right: u64,
    confidence: f64,
}

impl Calibration {
    /// Sums over pairs of a gold class and the probability of every class.
    ///
    /// Errors: a gold class or a number of probabilities that does not fit `classes`, and a value that
    /// is no probability.
    ///
    /// ```
    /// use ambivox_eval::Calibration;
    ///
    /// let predictions: [(usize, &[f64]); 2] = [(0, &[0.75, 0.25]), (1, &[0.75, 0.25])];
    /// let calibration = Calibration::from_probabilities(2, predictions)?;
    /// assert_eq!(calibration.ece(), Some(0.25));
    /// assert_eq!(calibration.brier(), Some((0.125 + 1.125) / 2.0));
    /// # Ok::<(), ambivox_eval::EvalError>(())
    /// ```
    pub fn from_probabilities<'a, T: Copy + Into<f64> + 'a>(
        classes: usize,
        predictions: impl IntoIterator<Item = (usize, &'a [T])>,
    ) -> Result<Self, EvalError> {
        let mut sums = Self::default();
        for (gold, probabilities) in predictions {
            if probabilities.len() != classes {
                let found = probabilities.len();
                return Err(EvalError::ProbabilityCount { found, expected: classes });
            }
            let probabilities: Vec<f64> = probabilities.iter().map(|p| (*p).into()).collect();
            sums.add(gold, &probabilities)?;
        }
        Ok(sums)
    }

    fn add(&mut self, gold: usize, probabilities: &[f64]) -> Result<(), EvalError> {
        let classes = probabilities.len();
        let predicted = argmax(probabilities)?;
        let of_gold =
            *probabilities.get(gold).ok_or(EvalError::ClassOutOfRange { index: gold, classes })?;
        if let Some(&value) = probabilities.iter().find(|p| !(-SLACK..=1.0 + SLACK).contains(*p)) {
            return Err(EvalError::NotAProbability { value });
        }
        let bin = &mut self.bins[bin_of(probabilities[predicted])];
        bin.predictions += 1;
        bin.right += u64::from(predicted == gold);
        bin.confidence += probabilities[predicted];
        let square = |(class, p): (usize, &f64)| (p - f64::from(class == gold)).powi(2);
        self.squares += probabilities.iter().enumerate().map(square).sum::<f64>();
        // As scikit-learn's log_loss keeps a probability of 0 from being infinitely wrong.
        self.log_loss -= libm::log(of_gold.clamp(f64::EPSILON, 1.0 - f64::EPSILON));
        Ok(())
    }

    /// Adds the predictions of another set.
    pub fn merge(&mut self, other: &Self) {
        for (bin, more) in self.bins.iter_mut().zip(&other.bins) {
            bin.predictions += more.predictions;
            bin.right += more.right;
            bin.confidence += more.confidence;
        }
        self.squares += other.squares;
        self.log_loss += other.log_loss;
    }

    /// Expected calibration error (Guo et al. 2017): over 15 bins of equal width, (low, high], of the
    /// predicted class's probability, the mean distance of the share recognised from the mean
    /// probability, each bin as heavy as it has predictions; `None` without predictions.
    pub fn ece(&self) -> Option<f64> {
        let distance = |bin: &Bin| (bin.right as f64 - bin.confidence).abs();
        self.mean(self.bins.iter().map(distance).sum())
    }

    /// Brier score: the mean over predictions of Σ (p − 1 for the gold class, else 0)² over classes,
    /// from 0 to 2; `None` without predictions.
    pub fn brier(&self) -> Option<f64> {
        self.mean(self.squares)
    }

    /// Mean of −log p of the gold label, natural logarithm, p held between ε and 1 − ε with
    /// ε = 2⁻⁵²; `None` without predictions.
    pub fn nll(&self) -> Option<f64> {
        self.mean(self.log_loss)
    }

    fn mean(&self, sum: f64) -> Option<f64> {
        let predictions: u64 = self.bins.iter().map(|bin| bin.predictions).sum();
        (predictions > 0).then(|| sum / predictions as f64)
    }
}

/// The bin k with k/15 < p ≤ (k + 1)/15; what rounding carried below or above is in the outermost.
fn bin_of(probability: f64) -> usize {
    let upper = |bin: usize| (bin + 1) as f64 / BINS as f64;
    (0..BINS).find(|&bin| probability <= upper(bin)).unwrap_or(BINS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[(usize, [f64; 2])]) -> Calibration {
        let rows = rows.iter().map(|(gold, p)| (*gold, p.as_slice()));
        Calibration::from_probabilities(2, rows).unwrap()
    }

    #[test]
    fn rates_by_hand() {
        // Two predictions of 0.75, one of them right, and one of 1 that is right.
        let sums = of(&[(0, [0.75, 0.25]), (1, [0.75, 0.25]), (1, [0.0, 1.0])]);
        assert_eq!(sums.ece(), Some(0.5 / 3.0));
        assert_eq!(sums.brier(), Some((0.125 + 1.125) / 3.0));
        let nll = -(0.75_f64.ln() + 0.25_f64.ln()) / 3.0;
        assert!((sums.nll().unwrap() - nll).abs() < 1e-15);
    }

    #[test]
    fn bins_are_open_below_and_closed_above() {
        let all = [1.0 / 15.0, 1.0 / 15.0 + 1e-12, 0.6, 1.0, 1.0 + SLACK].map(bin_of);
        assert_eq!(all, [0, 1, 8, 14, 14]);
    }

    #[test]
    fn pooling_is_counting_together() {
        let rows = [(0, [0.75, 0.25]), (1, [0.625, 0.375]), (1, [0.25, 0.75])];
        let mut pooled = of(&rows[..1]);
        pooled.merge(&of(&rows[1..]));
        assert_eq!(pooled, of(&rows));
        assert_ne!(pooled.ece(), of(&rows[1..]).ece());
    }

    #[test]
    fn nothing_has_no_rates_and_bad_input_is_an_error() {
        let none = of(&[]);
        assert_eq!((none.ece(), none.brier(), none.nll()), (None, None, None));
        let error = |gold, p: &[f64]| Calibration::from_probabilities(2, [(gold, p)]).unwrap_err();
        assert_eq!(error(2, &[0.5, 0.5]), EvalError::ClassOutOfRange { index: 2, classes: 2 });
        assert_eq!(error(0, &[1.0]), EvalError::ProbabilityCount { found: 1, expected: 2 });
        assert_eq!(error(0, &[1.5, -0.5]), EvalError::NotAProbability { value: 1.5 });
        assert!(matches!(error(0, &[f64::NAN, 0.5]), EvalError::NotFinite { .. }));
    }

    #[test]
    fn a_probability_of_zero_for_the_gold_label_is_a_number() {
        let nll = of(&[(1, [1.0, 0.0])]).nll().unwrap();
        assert!((nll - 52.0 * std::f64::consts::LN_2).abs() < 1e-12);
    }
}
