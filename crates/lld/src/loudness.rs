//! Loudness (§10).

use pulp::Simd;

use crate::framing::window;
use crate::lanes::{Lanes, Wide};
use crate::set::{LoudnessSamples, Window};

/// §10: intensity of the threshold of hearing, in squared units of full scale.
const REFERENCE: f64 = 1e-6;
/// §10: from intensity to loudness.
const EXPONENT: f64 = 0.3;

/// (I / 10⁻⁶)^0.3 with I the mean square of the raw frame under a Hamming window.
#[derive(Clone)]
pub(crate) struct Loudness {
    /// Weight of each sample that counts, the window's sum and the reference divided out.
    weights: Vec<f64>,
}

impl Loudness {
    /// For raw frames of `length` samples.
    pub(crate) fn new(samples: LoudnessSamples, length: usize) -> Self {
        let window = window(Window::Hamming, length);
        let unit = window.iter().sum::<f64>() * REFERENCE;
        let counted = match samples {
            LoudnessSamples::Frame => length,
            LoudnessSamples::First => 1,
        };
        Self { weights: window[..counted].iter().map(|w| w / unit).collect() }
    }

    /// Loudness of raw frames, whose samples are the rows of `frames`.
    #[inline(always)]
    pub(crate) fn of<S: Simd>(&self, simd: S, frames: &[S::f32s]) -> Lanes<S> {
        let mut intensity = Wide::zero(simd);
        for (&w, &x) in self.weights.iter().zip(frames) {
            let x = Lanes::of(simd, x).widen();
            intensity = intensity + x * x * w;
        }
        intensity.map(|intensity| libm::pow(intensity, EXPONENT))
    }
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;

    fn loudness(samples: LoudnessSamples, frame: &[f32]) -> f32 {
        Loudness::new(samples, frame.len()).of(Scalar, frame).register()
    }

    #[test]
    fn of_a_constant_is_the_power_of_its_square() {
        for samples in [LoudnessSamples::Frame, LoudnessSamples::First] {
            let expected = match samples {
                LoudnessSamples::Frame => (0.25f64 / 1e-6).powf(0.3),
                LoudnessSamples::First => (0.08 * 0.25 / 215.54 / 1e-6f64).powf(0.3),
            };
            let loudness = loudness(samples, &[0.5; 400]);
            assert!((f64::from(loudness) / expected - 1.0).abs() < 1e-6, "{loudness} {expected}");
        }
    }

    #[test]
    fn doubling_the_signal_raises_it_by_two_to_the_six_tenths() {
        let frame: Vec<f32> = (0..400).map(|n| (n as f32 * 0.1).sin() * 0.1).collect();
        let twice: Vec<f32> = frame.iter().map(|x| 2.0 * x).collect();
        let ratio =
            loudness(LoudnessSamples::Frame, &twice) / loudness(LoudnessSamples::Frame, &frame);
        assert!((ratio - 2.0f32.powf(0.6)).abs() < 1e-6);
    }

    #[test]
    fn of_silence_is_zero() {
        assert_eq!(loudness(LoudnessSamples::Frame, &[0.0; 400]), 0.0);
    }
}
