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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Weighted accuracy.
    pub wa: Option<f64>,
    /// Unweighted accuracy.
    pub ua: Option<f64>,
    /// Precision per class.
    pub precision: Vec<Option<f64>>,
    /// Recall per class.
    pub recall: Vec<Option<f64>>,
    /// F1 per class.
    pub f1: Vec<Option<f64>>,
}

impl Rates {
    /// Means and standard deviations, rate by rate, over those of `all` in which it is defined.
    ///
    /// All of `all` have the same number of classes.
    pub fn mean_and_sd(all: &[Self]) -> (Self, Self) {
        let (wa_mean, wa_sd) = spread(all, |rates| rates.wa);
        let (ua_mean, ua_sd) = spread(all, |rates| rates.ua);
        let (precision_mean, precision_sd) = class_spread(all, |rates| &rates.precision);
        let (recall_mean, recall_sd) = class_spread(all, |rates| &rates.recall);
        let (f1_mean, f1_sd) = class_spread(all, |rates| &rates.f1);
        let mean = Self {
            wa: wa_mean,
            ua: ua_mean,
            precision: precision_mean,
            recall: recall_mean,
            f1: f1_mean,
        };
        let sd =
            Self { wa: wa_sd, ua: ua_sd, precision: precision_sd, recall: recall_sd, f1: f1_sd };
        (mean, sd)
    }
}

type ClassRates = Vec<Option<f64>>;

fn spread(all: &[Rates], pick: impl Fn(&Rates) -> Option<f64>) -> (Option<f64>, Option<f64>) {
    let over = mean_sd(all.iter().filter_map(pick));
    (over.map(|over| over.mean), over.and_then(|over| over.sd))
}

fn class_spread(all: &[Rates], pick: impl Fn(&Rates) -> &ClassRates) -> (ClassRates, ClassRates) {
    let classes = all.first().map_or(0, |rates| pick(rates).len());
    (0..classes).map(|class| spread(all, |rates| pick(rates)[class])).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_sample_deviation_by_hand() {
        let over = mean_sd([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!(over.mean, 5.0);
        // Σ(x − 5)² = 32, over 7.
        assert!((over.sd.unwrap() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn too_few_values_have_no_deviation() {
        assert_eq!(mean_sd([]), None);
        assert_eq!(mean_sd([0.25]), Some(MeanSd { mean: 0.25, sd: None }));
    }

    #[test]
    fn undefined_rates_are_passed_over() {
        let fold = |ua: f64, recall: Option<f64>| Rates {
            wa: Some(0.5),
            ua: Some(ua),
            precision: vec![Some(0.5)],
            recall: vec![recall],
            f1: vec![None],
        };
        let folds = [fold(0.25, Some(0.5)), fold(0.5, None), fold(0.75, Some(1.0))];
        let (mean, sd) = Rates::mean_and_sd(&folds);
        assert_eq!((mean.ua, sd.ua), (Some(0.5), Some(0.25)));
        assert_eq!(mean.recall, [Some(0.75)]);
        assert_eq!((mean.f1, sd.f1), (vec![None], vec![None]));
    }
}
