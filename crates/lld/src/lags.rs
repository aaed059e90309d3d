//! Autocorrelation and cepstrum of a frame (§8).

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner};

/// Both sequences over the lags 0 to (transform length / 2) - 1; holds the last frame's.
#[derive(Clone)]
pub(crate) struct Lags {
    plan: Arc<dyn ComplexToReal<f32>>,
    bins: Vec<Complex32>,
    sequence: Vec<f32>,
    scratch: Vec<Complex32>,
    autocorrelation: Vec<f32>,
    cepstrum: Vec<f32>,
}

impl Lags {
    /// For power spectra of a transform of `points` points.
    pub(crate) fn new(points: usize) -> Self {
        let plan = RealFftPlanner::new().plan_fft_inverse(points);
        Self {
            bins: plan.make_input_vec(),
            sequence: plan.make_output_vec(),
            scratch: plan.make_scratch_vec(),
            autocorrelation: vec![0.0; points / 2],
            cepstrum: vec![0.0; points / 2],
            plan,
        }
    }

    /// Takes both from a frame's power spectrum.
    pub(crate) fn take(&mut self, power: &[f32]) {
        let divisor = power.len() as f32;
        self.invert(power.iter().copied());
        for (a, sum) in self.autocorrelation.iter_mut().zip(&self.sequence) {
            *a = (0.5 * sum / divisor).abs();
        }
        self.invert(power.iter().map(|&p| (f64::from(p) + 1.0).ln() as f32));
        for (c, sum) in self.cepstrum.iter_mut().zip(&self.sequence) {
            *c = 0.5 * sum / divisor;
        }
    }

    /// Unscaled inverse transform of a real spectrum: twice the sum I of §8.
    fn invert(&mut self, spectrum: impl Iterator<Item = f32>) {
        for (bin, value) in self.bins.iter_mut().zip(spectrum) {
            *bin = Complex32::new(value, 0.0);
        }
        self.plan
            .process_with_scratch(&mut self.bins, &mut self.sequence, &mut self.scratch)
            .expect("the plan made these buffers and both ends of the spectrum are real");
    }

    /// §8: absolute circular autocorrelation of the windowed frame.
    pub(crate) fn autocorrelation(&self) -> &[f32] {
        &self.autocorrelation
    }

    /// §8: inverse transform of ln(power + 1). The 1 is relative to full scale, so the recording
    /// level counts.
    pub(crate) fn cepstrum(&self) -> &[f32] {
        &self.cepstrum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_the_cosine_sums_they_stand_for() {
        let power: Vec<f32> = (0..=32).map(|k| 1.0 + (k as f32 * 0.7).sin()).collect();
        let mut lags = Lags::new(64);
        lags.take(&power);
        for n in 0..32 {
            let a = cosine_sum(&power, n, |p| p).abs() / 33.0;
            let c = cosine_sum(&power, n, |p| (p + 1.0).ln()) / 33.0;
            assert!((f64::from(lags.autocorrelation()[n]) - a).abs() < 1e-6);
            assert!((f64::from(lags.cepstrum()[n]) - c).abs() < 1e-6);
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
