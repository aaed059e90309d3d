//! RMS energy (§14).

use crate::framing::{pre_emphasise, samples, window};
use crate::set::FrameSettings;

/// Number of sums that grow side by side; a single one would wait for each addition to end.
const LANES: usize = 8;

/// Root of the mean square of the frame that the spectrum is taken of: with pre-emphasis and window.
#[derive(Clone)]
pub(crate) struct RmsEnergy {
    pre_emphasis: f32,
    window: Vec<f32>,
    emphasised: Vec<f32>,
}

impl RmsEnergy {
    /// For frames as `frame` describes them.
    pub(crate) fn new(frame: &FrameSettings) -> Self {
        let window = window(frame.window, samples(frame.length_ms));
        Self {
            pre_emphasis: frame.pre_emphasis,
            emphasised: vec![0.0; window.len()],
            window: window.into_iter().map(|w| w as f32).collect(),
        }
    }

    /// Of a raw frame. Squares are single precision, their sum and its root are double.
    pub(crate) fn of(&mut self, frame: &[f32]) -> f32 {
        pre_emphasise(frame, self.pre_emphasis, &mut self.emphasised);
        let mut sums = [0.0f64; LANES];
        let chunks = self.emphasised.chunks(LANES).zip(self.window.chunks(LANES));
        for (samples, weights) in chunks {
            for ((sum, x), w) in sums.iter_mut().zip(samples).zip(weights) {
                let y = x * w;
                *sum += f64::from(y * y);
            }
        }
        (sums.iter().sum::<f64>() / frame.len() as f64).sqrt() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::Window;

    #[test]
    fn of_a_constant_is_what_the_window_leaves_of_it() {
        let frame = FrameSettings { length_ms: 25, pre_emphasis: 0.0, window: Window::Hamming };
        let energy = RmsEnergy::new(&frame).of(&[0.5; 400]);
        // The mean square of the window over 400 points: 0.54² + 0.46² / 2, a little less at its ends.
        assert!((energy / 0.5 - 0.6299).abs() < 5e-4, "{energy}");
    }

    #[test]
    fn of_silence_is_zero() {
        let frame = FrameSettings { length_ms: 25, pre_emphasis: 0.97, window: Window::Hamming };
        assert_eq!(RmsEnergy::new(&frame).of(&[0.0; 400]), 0.0);
    }
}
