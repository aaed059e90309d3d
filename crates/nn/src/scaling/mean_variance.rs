//! Mean and standard deviation of training frames, and their removal.

use serde::{Deserialize, Serialize};

/// Column-wise shift and scale: (x − mean) / sd.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanVariance {
    /// Mean of each column.
    pub mean: Vec<f32>,
    /// Population standard deviation of each column; 1 where a column never varies.
    pub sd: Vec<f32>,
}

impl MeanVariance {
    /// Mean and standard deviation over all rows of all `utterances`, each a row-major
    /// frames × `width` slice. Without any row the result changes nothing.
    pub fn fit(utterances: impl IntoIterator<Item: AsRef<[f32]>>, width: usize) -> Self {
        let mut moments = Moments::new(width);
        for utterance in utterances {
            utterance.as_ref().chunks_exact(width).for_each(|row| moments.add(row));
        }
        moments.fitted()
    }

    /// Itself, if every column of untrusted origin can be scaled by it.
    ///
    /// # Errors
    /// What is wrong with which column.
    pub fn checked(self) -> Result<Self, String> {
        let Self { mean, sd } = &self;
        if mean.len() != sd.len() {
            return Err(format!("normaliser: {} means but {} deviations", mean.len(), sd.len()));
        }
        let usable = |(mean, sd): (&f32, &f32)| mean.is_finite() && sd.is_finite() && *sd > 0.0;
        match mean.iter().zip(sd).position(|pair| !usable(pair)) {
            Some(column) => Err(format!(
                "normaliser: column {column} has mean {} and deviation {}; expected finite numbers \
                 and a deviation above 0",
                mean[column], sd[column]
            )),
            None => Ok(self),
        }
    }

    /// Normalises row-major rows in place; a row has as many values as `mean`.
    pub fn apply(&self, rows: &mut [f32]) {
        for row in rows.chunks_exact_mut(self.mean.len()) {
            for ((x, mean), sd) in row.iter_mut().zip(&self.mean).zip(&self.sd) {
                *x = (*x - mean) / sd;
            }
        }
    }
}

/// Running mean and sum of squared deviations (Welford 1962), in f64: unlike a sum of squares it
/// keeps the digits of a column whose mean is far from zero.
struct Moments {
    rows: u64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    fn new(width: usize) -> Self {
        Self { rows: 0, mean: vec![0.0; width], squares: vec![0.0; width] }
    }

    fn add(&mut self, row: &[f32]) {
        self.rows += 1;
        let share = 1.0 / self.rows as f64;
        for ((x, mean), squares) in row.iter().zip(&mut self.mean).zip(&mut self.squares) {
            let before = f64::from(*x) - *mean;
            *mean += before * share;
            *squares += before * (f64::from(*x) - *mean);
        }
    }

    fn fitted(&self) -> MeanVariance {
        let rows = self.rows.max(1) as f64;
        let sd = |squares: &f64| match (squares / rows).sqrt() as f32 {
            // Dividing by less would overflow.
            sd if sd < f32::MIN_POSITIVE => 1.0,
            sd => sd,
        };
        MeanVariance {
            mean: self.mean.iter().map(|&mean| mean as f32).collect(),
            sd: self.squares.iter().map(sd).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(column: &[f64]) -> (f64, f64) {
        let n = column.len() as f64;
        let mean = column.iter().sum::<f64>() / n;
        let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt())
    }

    #[test]
    fn a_column_that_never_varies_is_only_shifted() {
        let fitted = MeanVariance::fit([[3.7f32, 1.0, 3.7, 2.0, 3.7, 6.0].as_slice()], 2);
        assert_eq!((fitted.mean[0], fitted.sd[0]), (3.7, 1.0));
        let mut row = [3.7, 3.0];
        fitted.apply(&mut row);
        assert_eq!(row, [0.0, 0.0]);
    }

    #[test]
    fn no_rows_change_nothing() {
        let mut row = [1.5, -2.5];
        MeanVariance::fit([[0.0_f32; 0]; 0], 2).apply(&mut row);
        assert_eq!(row, [1.5, -2.5]);
    }

    #[test]
    fn a_large_offset_does_not_drown_a_small_spread() {
        let rows: Vec<f32> = (0..100_000).map(|i| 8192.0 + (i % 2) as f32 / 256.0).collect();
        let fitted = MeanVariance::fit([rows.as_slice()], 1);
        assert!((fitted.sd[0] * 512.0 - 1.0).abs() < 1e-6, "{}", fitted.sd[0]);
    }

    proptest! {
        #[test]
        fn fit_equals_the_textbook_and_apply_standardises(
            width in 1usize..5,
            values in prop::collection::vec(-1e3f32..1e3, 8..300),
            cut in 0usize..8,
        ) {
            let rows = values.len() / width;
            let values = &values[..rows * width];
            let (first, second) = values.split_at(cut.min(rows) * width);
            let fitted = MeanVariance::fit([first, second], width);
            let mut normalised = values.to_vec();
            fitted.apply(&mut normalised);
            for column in 0..width {
                let take = |all: &[f32]| -> Vec<f64> {
                    all.iter().skip(column).step_by(width).map(|&x| f64::from(x)).collect()
                };
                let (mean, sd) = naive(&take(values));
                prop_assert!((f64::from(fitted.mean[column]) - mean).abs() <= 1e-4);
                if sd > 1e-2 {
                    prop_assert!((f64::from(fitted.sd[column]) / sd - 1.0).abs() <= 1e-6);
                    let (mean, sd) = naive(&take(&normalised));
                    prop_assert!(mean.abs() <= 1e-2 && (sd - 1.0).abs() <= 1e-2);
                }
            }
        }
    }
}
