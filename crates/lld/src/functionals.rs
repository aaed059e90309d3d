//! Functionals: what is left of an utterance's contours when time is summed up.
//!
//! Section signs (§F) refer to `features/is09-functionals-spec.md` in the shared reference folder.
//! Contours are single precision, sums double and in the order of time, results rounded once.

use std::sync::Arc;

use crate::{FeatureSet, Frames};

/// §F1: the functionals of a contour, in the order of their columns.
const NAMES: [&str; 12] = [
    "max",
    "min",
    "range",
    "maxPos",
    "minPos",
    "amean",
    "linregc1",
    "linregc2",
    "linregerrQ",
    "stddev",
    "skewness",
    "kurtosis",
];

/// §F3: so many frames at the end of an utterance do not enter, but where there is no other.
const LEFT_OUT: usize = 2;

/// The twelve functionals of INTERSPEECH 2009 over every column of a feature set: 384 values an
/// utterance for `is09`, in the order and under the names of openSMILE's `IS09_emotion`.
///
/// Of an utterance of T frames the first T - 2 count (§F3), of one with up to three the first. Other
/// sets get the same twelve over the same rows of their own columns.
///
/// ```
/// use ambivox_lld::{Extractor, FeatureSet, Functionals};
///
/// let set = FeatureSet::builtin("is09")?;
/// let frames = Extractor::new(&set)?.process(&vec![0.0; 16_000]);
/// let functionals = Functionals::new(&set);
/// assert_eq!(functionals.of(&frames).map(|values| values.len()), Some(384));
/// assert_eq!(functionals.columns()[0], "pcm_RMSenergy_sma_max");
/// # Ok::<(), ambivox_lld::LldError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Functionals {
    columns: Arc<[String]>,
    /// Rows that smoothing adds at the end.
    added_rows: usize,
}

impl Functionals {
    /// Of tables of this set.
    pub fn new(set: &FeatureSet) -> Self {
        Self::of_columns(&set.columns(), set.contour.smoothing / 2)
    }

    /// Of tables with these columns, at whose end smoothing has added so many rows.
    pub fn of_columns(contours: &[String], added_rows: usize) -> Self {
        let names = |contour: &String| NAMES.map(|functional| format!("{contour}_{functional}"));
        Self { columns: contours.iter().flat_map(names).collect(), added_rows }
    }

    /// Names of the values: contour by contour, `<contour>_<functional>`.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The values of an utterance in the order of the columns; none where it has no frame.
    pub fn of(&self, frames: &Frames) -> Option<Vec<f32>> {
        self.of_rows(frames.data())
    }

    /// As [`Functionals::of`], of values row by row, such as those of a part of an utterance.
    pub fn of_rows(&self, data: &[f32]) -> Option<Vec<f32>> {
        let width = self.columns.len() / NAMES.len();
        let rows = data.chunks_exact(width);
        if rows.len() == 0 {
            return None;
        }
        let counted = rows.len().saturating_sub(self.added_rows + LEFT_OUT).max(1);
        let mut contour = Vec::with_capacity(counted);
        let mut values = Vec::with_capacity(self.columns.len());
        for column in 0..width {
            contour.clear();
            contour.extend(rows.clone().take(counted).map(|row| row[column]));
            values.extend(summarise(&contour));
        }
        Some(values)
    }
}

/// §F4: the functionals of a contour of at least one value, in the order of [`NAMES`].
fn summarise(contour: &[f32]) -> [f32; NAMES.len()] {
    let (highest, lowest) = extremes(contour);
    let (max, min) = (contour[highest], contour[lowest]);
    let mean = (sum(contour, |_, x| x) / contour.len() as f64) as f32;
    let line = Line::fit(contour, mean);
    let spread = Moments::about(contour, mean);
    [
        max,
        min,
        max - min,
        highest as f32,
        lowest as f32,
        mean,
        line.slope as f32,
        line.offset as f32,
        line.error(contour) as f32,
        spread.deviation as f32,
        spread.skewness as f32,
        spread.kurtosis as f32,
    ]
}

/// Sum of `term` over the indices and values of a contour.
fn sum(contour: &[f32], term: impl Fn(f64, f64) -> f64) -> f64 {
    contour.iter().enumerate().map(|(i, &x)| term(i as f64, f64::from(x))).sum()
}

/// Indices of the first largest and the first smallest value.
fn extremes(contour: &[f32]) -> (usize, usize) {
    let mut found = (0, 0);
    for (i, &x) in contour.iter().enumerate() {
        if x > contour[found.0] {
            found.0 = i;
        }
        if x < contour[found.1] {
            found.1 = i;
        }
    }
    found
}

/// The straight line of least squares through a contour over the numbers of its frames.
struct Line {
    slope: f64,
    offset: f64,
}

impl Line {
    /// `mean` is the contour's, rounded.
    fn fit(contour: &[f32], mean: f32) -> Self {
        if let [only] = contour {
            return Self { slope: 0.0, offset: f64::from(*only) };
        }
        let n = contour.len() as f64;
        let indices = n * (n - 1.0) / 2.0;
        let squares = n * (n - 1.0) * (2.0 * n - 1.0) / 6.0;
        let products = sum(contour, |i, x| i * x);
        let ratio = indices / squares;
        let offset = (n * f64::from(mean) - products * ratio) / (n - indices * ratio);
        Self { slope: (products - offset * indices) / squares, offset }
    }

    /// Mean squared distance of the contour from the line.
    fn error(&self, contour: &[f32]) -> f64 {
        let square = |i: f64, x: f64| (x - (self.slope * i + self.offset)).powi(2);
        sum(contour, square) / contour.len() as f64
    }
}

/// Moments about the mean, of the whole contour and not of a sample of it; all 0 for a constant.
struct Moments {
    deviation: f64,
    skewness: f64,
    /// Not the excess: 3 for a normal distribution.
    kurtosis: f64,
}

impl Moments {
    fn about(contour: &[f32], mean: f32) -> Self {
        let (n, mean) = (contour.len() as f64, f64::from(mean));
        let moment = |power| sum(contour, |_, x| (x - mean).powi(power)) / n;
        let variance = moment(2);
        let deviation = variance.sqrt();
        if variance > 0.0 {
            let skewness = moment(3) / (variance * deviation);
            Self { deviation, skewness, kurtosis: moment(4) / (variance * variance) }
        } else {
            Self { deviation: 0.0, skewness: 0.0, kurtosis: 0.0 }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Extractor;

    #[test]
    fn of_a_ramp() {
        let ramp: Vec<f32> = (0..5).map(|i| 3.0 - 0.5 * i as f32).collect();
        let expected = [3.0, 1.0, 2.0, 0.0, 4.0, 2.0, -0.5, 3.0, 0.0, 0.5f32.sqrt(), 0.0, 1.7];
        for (name, (got, expected)) in NAMES.iter().zip(summarise(&ramp).iter().zip(expected)) {
            assert!((got - expected).abs() < 1e-6, "{name}: {got} {expected}");
        }
    }

    /// Values worked out by hand: mean 1, deviations -1, -1, -1, 3.
    #[test]
    fn of_a_peak_at_the_end() {
        let values = summarise(&[0.0, 0.0, 0.0, 4.0]);
        assert_eq!(values[..6], [4.0, 0.0, 4.0, 3.0, 0.0, 1.0]);
        let line = [1.2, -0.8, (0.64 + 0.16 + 2.56 + 1.44) / 4.0];
        let spread = [3.0f32.sqrt(), 24.0 / (4.0 * 3.0 * 3.0f32.sqrt()), 84.0 / (4.0 * 9.0)];
        for (got, expected) in values[6..].iter().zip(line.iter().chain(&spread)) {
            assert!((got - expected).abs() < 1e-6, "{values:?}");
        }
    }

    #[test]
    fn of_one_value() {
        let only = [-2.5, -2.5, 0.0, 0.0, 0.0, -2.5, 0.0, -2.5, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(summarise(&[-2.5]), only);
    }

    #[test]
    fn ties_give_the_first_frame() {
        let values = summarise(&[1.0, 7.0, 0.0, 7.0, 0.0]);
        assert_eq!(values[3..5], [1.0, 2.0]);
    }

    #[test]
    fn rows_that_enter_are_all_but_two_of_the_frames() {
        for (set, added) in [("is09", 1), ("ser32", 0)] {
            let set = FeatureSet::builtin(set).unwrap();
            let functionals = Functionals::new(&set);
            assert_eq!(functionals.columns().len(), 384);
            let mut extractor = Extractor::new(&set).unwrap();
            for (frames, rows) in [(1, 1), (2, 1), (3, 1), (4, 2), (30, 28)] {
                let noise: Vec<f32> =
                    (0..240 + 160 * frames).map(|n| ((n * n) as f32 * 0.7).sin() * 0.3).collect();
                let table = extractor.process(&noise);
                assert_eq!(table.len(), frames + added);
                let contour: Vec<f32> = table.column(3).take(rows).collect();
                let values = functionals.of(&table).unwrap();
                assert_eq!(values[36..48], summarise(&contour));
            }
            assert_eq!(functionals.of(&extractor.process(&[0.0; 399])), None);
        }
    }

    proptest! {
        #[test]
        fn order_and_bounds_hold(contour in prop::collection::vec(-1e3f32..1e3, 1..200)) {
            let [max, min, range, at_max, at_min, mean, _, _, error, deviation, _, kurtosis] =
                summarise(&contour);
            prop_assert!(min <= mean && mean <= max && range == max - min);
            prop_assert_eq!(contour[at_max as usize], max);
            prop_assert_eq!(contour[at_min as usize], min);
            // The line of least squares is no worse than the mean.
            prop_assert!(error <= deviation * deviation * (1.0 + 1e-5) + 1e-9);
            prop_assert!(kurtosis == 0.0 || kurtosis >= 1.0 - 1e-5);
        }

        #[test]
        fn a_constant_has_nothing_but_its_value(value in -1e3f32..1e3, rows in 1usize..100) {
            let values = summarise(&vec![value; rows]);
            prop_assert_eq!([values[0], values[1], values[5]], [value; 3]);
            prop_assert_eq!([values[2], values[3], values[4]], [0.0; 3]);
            prop_assert_eq!(&values[9..], &[0.0; 3]);
            prop_assert!(values[6].abs() < 1e-9 && (values[7] - value).abs() < 1e-3);
        }
    }
}
