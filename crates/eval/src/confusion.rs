//! Confusion matrices and the rates that follow from one.

use serde::{Deserialize, Serialize};

use crate::{EvalError, Rates, mean_sd};

/// Counts of utterances by gold label (row) and predicted label (column); classes × classes.
///
/// In JSON a plain array of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<u64>>", into = "Vec<Vec<u64>>")]
pub struct Confusion {
    rows: Vec<Vec<u64>>,
}

impl Confusion {
    /// A matrix of zeros.
    pub fn new(classes: usize) -> Self {
        Self { rows: vec![vec![0; classes]; classes] }
    }

    /// Counts pairs of gold and predicted class; an index beyond `classes` is an error.
    ///
    /// ```
    /// use ambivox_eval::Confusion;
    ///
    /// let counts = Confusion::from_pairs(2, [(0, 0), (0, 0), (0, 1), (1, 1)])?;
    /// assert_eq!((counts.wa(), counts.ua()), (Some(0.75), Some((2.0 / 3.0 + 1.0) / 2.0)));
    /// # Ok::<(), ambivox_eval::EvalError>(())
    /// ```
    pub fn from_pairs(
        classes: usize,
        pairs: impl IntoIterator<Item = (usize, usize)>,
    ) -> Result<Self, EvalError> {
        let mut counts = Self::new(classes);
        for (gold, predicted) in pairs {
            counts.add(gold, predicted)?;
        }
        Ok(counts)
    }

    /// Counts gold classes against the most probable class of each prediction (see [`argmax`]).
    ///
    /// A prediction of another length than `classes`, or with a NaN in it, is an error.
    ///
    /// ```
    /// use ambivox_eval::Confusion;
    ///
    /// let predictions: [(usize, &[f64]); 2] = [(0, &[0.7, 0.3]), (1, &[0.6, 0.4])];
    /// let counts = Confusion::from_probabilities(2, predictions)?;
    /// assert_eq!(counts.recall(), [Some(1.0), Some(0.0)]);
    /// # Ok::<(), ambivox_eval::EvalError>(())
    /// ```
    pub fn from_probabilities<'a, T: Copy + Into<f64> + 'a>(
        classes: usize,
        predictions: impl IntoIterator<Item = (usize, &'a [T])>,
    ) -> Result<Self, EvalError> {
        let mut counts = Self::new(classes);
        for (gold, probabilities) in predictions {
            if probabilities.len() != classes {
                let found = probabilities.len();
                return Err(EvalError::ProbabilityCount { found, expected: classes });
            }
            counts.add(gold, argmax(probabilities)?)?;
        }
        Ok(counts)
    }

    /// Counts one utterance.
    pub fn add(&mut self, gold: usize, predicted: usize) -> Result<(), EvalError> {
        let classes = self.classes();
        let out_of_range = |index| EvalError::ClassOutOfRange { index, classes };
        let row = self.rows.get_mut(gold).ok_or_else(|| out_of_range(gold))?;
        *row.get_mut(predicted).ok_or_else(|| out_of_range(predicted))? += 1;
        Ok(())
    }

    /// Adds the counts of another matrix of as many classes, as when folds are pooled.
    pub fn merge(&mut self, other: &Self) -> Result<(), EvalError> {
        self.change(other, u64::saturating_add)
    }

    /// The counts without those of a part of them.
    pub(crate) fn without(&self, part: &Self) -> Result<Self, EvalError> {
        let mut rest = self.clone();
        rest.change(part, u64::saturating_sub)?;
        Ok(rest)
    }

    fn change(&mut self, other: &Self, by: fn(u64, u64) -> u64) -> Result<(), EvalError> {
        if other.classes() != self.classes() {
            return Err(EvalError::NotSquare { classes: self.classes() });
        }
        for (row, others) in self.rows.iter_mut().zip(&other.rows) {
            for (count, other) in row.iter_mut().zip(others) {
                *count = by(*count, *other);
            }
        }
        Ok(())
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.rows.len()
    }

    /// The counts, a row per gold class.
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.rows
    }

    /// Utterances in all.
    pub fn total(&self) -> u64 {
        self.rows.iter().flatten().sum()
    }

    /// Utterances whose gold label is `class`.
    pub fn gold(&self, class: usize) -> u64 {
        self.rows[class].iter().sum()
    }

    /// Utterances predicted as `class`.
    pub fn predicted(&self, class: usize) -> u64 {
        self.rows.iter().map(|row| row[class]).sum()
    }

    /// Share of all utterances that lie off the diagonal; `None` without utterances.
    pub fn off_diagonal(&self) -> Option<f64> {
        self.wa().map(|on| 1.0 - on)
    }

    /// Weighted accuracy: the share of all utterances predicted right; `None` without utterances.
    pub fn wa(&self) -> Option<f64> {
        let right = (0..self.classes()).map(|c| self.rows[c][c]).sum();
        share(right, self.total())
    }

    /// Unweighted accuracy, which is unweighted average recall (UAR): mean recall over the classes that
    /// occur; `None` without utterances.
    pub fn ua(&self) -> Option<f64> {
        mean_sd(self.recall().into_iter().flatten()).map(|recall| recall.mean)
    }

    /// Per class, the share of its predictions that are right; 0 where never predicted, `None`
    /// where the class does not occur.
    pub fn precision(&self) -> Vec<Option<f64>> {
        self.per_class(|c| share(self.rows[c][c], self.predicted(c)).unwrap_or(0.0))
    }

    /// Per class, the share of its utterances found; `None` where the class does not occur.
    pub fn recall(&self) -> Vec<Option<f64>> {
        self.per_class(|c| self.rows[c][c] as f64 / self.gold(c) as f64)
    }

    /// Per class, the harmonic mean of precision and recall, 2·TP / (gold + predicted); `None`
    /// where the class does not occur.
    pub fn f1(&self) -> Vec<Option<f64>> {
        self.per_class(|c| 2.0 * self.rows[c][c] as f64 / (self.gold(c) + self.predicted(c)) as f64)
    }

    /// Mean F1 over the classes that occur; `None` without utterances.
    pub fn macro_f1(&self) -> Option<f64> {
        mean_sd(self.f1().into_iter().flatten()).map(|f1| f1.mean)
    }

    /// Mean F1 over the classes, each as heavy as it has utterances; `None` without utterances.
    pub fn weighted_f1(&self) -> Option<f64> {
        let total = self.total();
        let weighted = |(c, f1): (usize, Option<f64>)| Some(f1? * self.gold(c) as f64);
        let sum: f64 = self.f1().into_iter().enumerate().filter_map(weighted).sum();
        (total > 0).then(|| sum / total as f64)
    }

    /// All rates that counts have; those of probabilities are `None`.
    pub fn rates(&self) -> Rates {
        Rates {
            wa: self.wa(),
            ua: self.ua(),
            precision: self.precision(),
            recall: self.recall(),
            f1: self.f1(),
            macro_f1: self.macro_f1(),
            weighted_f1: self.weighted_f1(),
            ..Rates::default()
        }
    }

    fn per_class(&self, rate: impl Fn(usize) -> f64) -> Vec<Option<f64>> {
        (0..self.classes()).map(|c| (self.gold(c) > 0).then(|| rate(c))).collect()
    }
}

impl TryFrom<Vec<Vec<u64>>> for Confusion {
    type Error = EvalError;

    fn try_from(rows: Vec<Vec<u64>>) -> Result<Self, EvalError> {
        let classes = rows.len();
        if rows.iter().any(|row| row.len() != classes) {
            return Err(EvalError::NotSquare { classes });
        }
        Ok(Self { rows })
    }
}

impl From<Confusion> for Vec<Vec<u64>> {
    fn from(confusion: Confusion) -> Self {
        confusion.rows
    }
}

/// Index of the largest value, of the first of them where several are equal.
///
/// No value at all, or one that is not finite, is an error.
///
/// ```
/// assert_eq!(ambivox_eval::argmax(&[0.2, 0.5, 0.3])?, 1);
/// # Ok::<(), ambivox_eval::EvalError>(())
/// ```
pub fn argmax<T: Copy + Into<f64>>(values: &[T]) -> Result<usize, EvalError> {
    let mut best: Option<(usize, f64)> = None;
    for (index, &value) in values.iter().enumerate() {
        let value: f64 = value.into();
        if !value.is_finite() {
            return Err(EvalError::NotFinite { value });
        }
        if best.is_none_or(|(_, largest)| value > largest) {
            best = Some((index, value));
        }
    }
    best.map(|(index, _)| index).ok_or(EvalError::ProbabilityCount { found: 0, expected: 1 })
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests;
