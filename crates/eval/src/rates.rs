//! Rates of a fold, and their mean and spread over folds or seeds.

use serde::{Deserialize, Serialize};

/// Mean and sample standard deviation of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanSd {
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation (divisor n − 1); `None` of a single value.
    pub sd: Option<f64>,
}

/// Mean and sample standard deviation, in two passes; `None` of no values.
///
/// ```
/// let over_folds = ambivox_eval::mean_sd([70.0, 80.0, 90.0]);
/// assert_eq!(over_folds.map(|rate| (rate.mean, rate.sd)), Some((80.0, Some(10.0))));
/// ```
pub fn mean_sd(values: impl IntoIterator<Item = f64>) -> Option<MeanSd> {
    let values: Vec<f64> = values.into_iter().collect();
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let sd = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
    Some(MeanSd { mean, sd })
}

/// Every rate of a table's row, as fractions of 1; `None` (JSON `null`) where undefined.
///
/// The same shape holds a fold's rates, their means and their standard deviations.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Weighted accuracy (WA): the share of utterances recognised.
    pub wa: Option<f64>,
    /// Unweighted accuracy (UA), which is unweighted average recall (UAR).
    pub ua: Option<f64>,
    /// Precision per class.
    pub precision: Vec<Option<f64>>,
    /// Recall per class.
    pub recall: Vec<Option<f64>>,
    /// F1 per class.
    pub f1: Vec<Option<f64>>,
    /// Mean F1 of the classes that occur.
    pub macro_f1: Option<f64>,
    /// Mean F1 of the classes, each as heavy as it has utterances.
    pub weighted_f1: Option<f64>,
    /// Expected calibration error over 15 bins.
    pub ece: Option<f64>,
    /// Brier score, from 0 to 2.
    pub brier: Option<f64>,
    /// Mean negative log likelihood of the gold labels, in nats.
    pub nll: Option<f64>,
}

impl Rates {
    /// Means and standard deviations, rate by rate, over those of `all` in which it is defined.
    ///
    /// All of `all` have the same number of classes.
    pub fn mean_and_sd(all: &[Self]) -> (Self, Self) {
        (Self::over(all, |over| Some(over.mean)), Self::over(all, |over| over.sd))
    }

    fn over(all: &[Self], which: fn(MeanSd) -> Option<f64>) -> Self {
        let one = |pick: &dyn Fn(&Self) -> Option<f64>| {
            mean_sd(all.iter().filter_map(pick)).and_then(which)
        };
        let each = |pick: fn(&Self) -> &[Option<f64>]| {
            let classes = all.first().map_or(0, |rates| pick(rates).len());
            (0..classes).map(|class| one(&|rates| pick(rates)[class])).collect()
        };
        Self {
            wa: one(&|rates| rates.wa),
            ua: one(&|rates| rates.ua),
            precision: each(|rates| &rates.precision),
            recall: each(|rates| &rates.recall),
            f1: each(|rates| &rates.f1),
            macro_f1: one(&|rates| rates.macro_f1),
            weighted_f1: one(&|rates| rates.weighted_f1),
            ece: one(&|rates| rates.ece),
            brier: one(&|rates| rates.brier),
            nll: one(&|rates| rates.nll),
        }
    }
}

#[cfg(test)]
mod tests;
