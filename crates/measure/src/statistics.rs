//! Summaries of repeated measurements.

use serde::Serialize;

/// Median, least and greatest of some measurements.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Spread {
    /// Of at least one value; the median of an even number is the mean of the middle two.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        let median = f64::midpoint(sorted[last / 2], sorted[sorted.len() / 2]);
        Self { median, least: sorted[0], greatest: sorted[last] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_numbers() {
        let spread = Spread::of(&[3.0, 1.0, 9.0]);
        assert_eq!(spread, Spread { median: 3.0, least: 1.0, greatest: 9.0 });
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 9.0]).median, 3.0);
        assert_eq!(Spread::of(&[5.0]), Spread { median: 5.0, least: 5.0, greatest: 5.0 });
    }
}
