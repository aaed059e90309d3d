//! Holm's correction of p-values for the number of comparisons.

/// p-values by Holm's (1979) step-down method, in the order given: of m, the k-th smallest is multiplied
/// by m − k + 1, is no smaller than those before it, and at most 1. Whoever rejects below α wrongly
/// rejects any true hypothesis of the family with a probability of at most α, however the tests depend
/// on one another. A NaN is no comparison: it stays NaN and does not count.
///
/// ```
/// let p = ambivox_eval::holm(&[0.01, 0.04, 0.03]);
/// let expected = [0.03, 0.06, 0.06];
/// assert!(p.iter().zip(expected).all(|(p, expected)| (p - expected).abs() < 1e-12));
/// ```
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).filter(|&at| !p[at].is_nan()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![f64::NAN; p.len()];
    let mut least = 0.0_f64;
    for (place, &at) in order.iter().enumerate() {
        least = least.max((order.len() - place) as f64 * p[at]).min(1.0);
        adjusted[at] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// What `tests-data/rates.py` makes.
    #[derive(Deserialize)]
    struct Reference {
        holm: Vec<Family>,
    }

    #[derive(Deserialize)]
    struct Family {
        p: Vec<f64>,
        adjusted: Vec<f64>,
    }

    #[test]
    fn agrees_with_statsmodels() {
        let reference: Reference =
            serde_json::from_str(include_str!("../tests-data/rates.json")).unwrap();
        assert_eq!(reference.holm.len(), 5);
        for family in reference.holm {
            let found = holm(&family.p);
            assert_eq!(found.len(), family.adjusted.len());
            let off = |(a, b): (&f64, &f64)| (a - b).abs();
            let farthest = found.iter().zip(&family.adjusted).map(off).fold(0.0, f64::max);
            assert!(farthest < 1e-12, "{:?}: {found:?}", family.p);
        }
    }

    #[test]
    fn equal_values_stay_equal_and_one_alone_stays_what_it_is() {
        assert_eq!(holm(&[0.25, 0.125, 0.125]), [0.375; 3]);
        assert_eq!(holm(&[0.04]), [0.04]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn what_is_no_number_is_no_comparison() {
        let found = holm(&[0.02, f64::NAN, 0.5]);
        assert_eq!((found[0], found[2]), (0.04, 0.5));
        assert!(found[1].is_nan());
    }
}
