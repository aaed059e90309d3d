//! RMS energy (§14).

use pulp::Simd;

use crate::framing::{samples, window};
use crate::lanes::{Lanes, Rows, Wide};
use crate::set::FrameSettings;
use crate::spectrum::emphasise;

/// Root of the mean square of the frame that the spectrum is taken of: with pre-emphasis and window.
#[derive(Clone)]
pub(crate) struct RmsEnergy {
    pre_emphasis: f32,
    window: Vec<f32>,
    emphasised: Rows,
}

impl RmsEnergy {
    /// For frames as `frame` describes them.
    pub(crate) fn new(frame: &FrameSettings) -> Self {
        let window = window(frame.window, samples(frame.length_ms));
        Self {
            pre_emphasis: frame.pre_emphasis,
            emphasised: Rows::new(window.len()),
            window: window.into_iter().map(|w| w as f32).collect(),
        }
    }

    /// Of raw frames, whose samples are the rows of `frames`. Squares are single precision, their
    /// sum and its root are double.
    #[inline(always)]
    pub(crate) fn of<S: Simd>(&mut self, simd: S, frames: &[S::f32s]) -> Lanes<S> {
        let emphasised = self.emphasised.get_mut::<S>();
        emphasise(simd, self.pre_emphasis, &self.window, frames, emphasised);
        let mut sum = Wide::zero(simd);
        for &y in emphasised.iter() {
            let y = Lanes::of(simd, y);
            sum = sum + (y * y).widen();
        }
        sum.map(|sum| (sum / frames.len() as f64).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;
    use crate::set::Window;

    #[test]
    fn of_a_constant_is_what_the_window_leaves_of_it() {
        let frame = FrameSettings { length_ms: 25, pre_emphasis: 0.0, window: Window::Hamming };
        let energy = RmsEnergy::new(&frame).of(Scalar, &[0.5; 400]).register();
        // The mean square of the window over 400 points: 0.54² + 0.46² / 2, a little less at its ends.
        assert!((energy / 0.5 - 0.6299).abs() < 5e-4, "{energy}");
    }

    #[test]
    fn of_silence_is_zero() {
        let frame = FrameSettings { length_ms: 25, pre_emphasis: 0.97, window: Window::Hamming };
        assert_eq!(RmsEnergy::new(&frame).of(Scalar, &[0.0; 400]).register(), 0.0);
    }
}
