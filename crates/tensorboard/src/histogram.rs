//! Values counted in buckets of one width.

use crate::messages::Histogram;

/// Buckets between the least and the greatest value.
const BUCKETS: usize = 30;

/// The histogram of the finite values; `None` where there are none.
pub(crate) fn of(values: &[f64]) -> Option<Histogram> {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (min, max) = (finite().reduce(f64::min)?, finite().reduce(f64::max)?);
    let width = (max - min) / BUCKETS as f64;
    let mut counts = vec![0.0; BUCKETS];
    for value in finite() {
        let bucket = ((value - min) / width) as usize;
        counts[bucket.min(BUCKETS - 1)] += 1.0;
    }
    let limits = (1..=BUCKETS).map(|n| if n == BUCKETS { max } else { min + width * n as f64 });
    Some(Histogram {
        min,
        max,
        number: finite().count() as f64,
        sum: finite().sum(),
        sum_squares: finite().map(|value| value * value).sum(),
        // What lies below the first limit would else reach down to minus infinity.
        limits: std::iter::once(min).chain(limits).collect(),
        counts: std::iter::once(0.0).chain(counts).collect(),
    })
}
