//! Autocorrelation and cepstrum of a block's frames (§8).

use pulp::Simd;

use crate::cosine::CosineSum;
use crate::lanes::{Lanes, Rows};
use crate::logarithm::ln_1p;

/// Both sequences over the lags 0 to (transform length / 2) - 1; holds the last frames'. The common
/// divisor of §8 is left out, since everything taken from them is a ratio or a comparison.
#[derive(Clone)]
pub(crate) struct Lags {
    sum: CosineSum,
    logarithms: Rows,
    sequence: Rows,
    count: usize,
}

impl Lags {
    /// For power spectra of a transform of `points` points.
    pub(crate) fn new(points: usize) -> Self {
        let count = points / 2;
        Self {
            sum: CosineSum::new(count),
            logarithms: Rows::new(count + 1),
            sequence: Rows::new(count + 1),
            count,
        }
    }

    /// §8: absolute circular autocorrelation of the windowed frames with this power spectrum.
    #[inline(always)]
    pub(crate) fn autocorrelation<S: Simd>(&mut self, simd: S, power: &[S::f32s]) -> &[S::f32s] {
        let sequence = self.sequence.get_mut::<S>();
        self.sum.run(simd, power, sequence);
        let lags = &mut sequence[..self.count];
        for lag in &mut *lags {
            *lag = Lanes::of(simd, *lag).abs().register();
        }
        lags
    }

    /// §8: inverse transform of ln(power + 1). The 1 is relative to full scale, so the recording
    /// level counts.
    #[inline(always)]
    pub(crate) fn cepstrum<S: Simd>(&mut self, simd: S, power: &[S::f32s]) -> &[S::f32s] {
        let logarithms = self.logarithms.get_mut::<S>();
        for (logarithm, &p) in logarithms.iter_mut().zip(power) {
            *logarithm = ln_1p(simd, Lanes::of(simd, p)).register();
        }
        let sequence = self.sequence.get_mut::<S>();
        self.sum.run(simd, logarithms, sequence);
        &sequence[..self.count]
    }
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;

    #[test]
    fn equal_the_cosine_sums_they_stand_for() {
        let power: Vec<f32> = (0..=32).map(|k| 1.0 + (k as f32 * 0.7).sin()).collect();
        let mut lags = Lags::new(64);
        for n in 0..32 {
            let a = cosine_sum(&power, n, |p| p).abs();
            let c = cosine_sum(&power, n, |p| (p + 1.0).ln());
            assert!((f64::from(lags.autocorrelation(Scalar, &power)[n]) - a).abs() < 1e-5);
            assert!((f64::from(lags.cepstrum(Scalar, &power)[n]) - c).abs() < 1e-5);
        }
    }

    fn cosine_sum(power: &[f32], n: usize, f: impl Fn(f64) -> f64) -> f64 {
        let last = power.len() - 1;
        let term = |k: usize| {
            let weight = if k == 0 || k == last { 0.5 } else { 1.0 };
            let angle = std::f64::consts::PI * (k * n) as f64 / last as f64;
            weight * f(f64::from(power[k])) * angle.cos()
        };
        (0..power.len()).map(term).sum()
    }
}
