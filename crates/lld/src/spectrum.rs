//! The spectrum of a frame (§3 to §5).

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

use crate::framing::{pre_emphasise, samples, window};
use crate::set::FrameSettings;

/// Magnitude and power spectrum of frames of one length; holds the last frame's.
#[derive(Clone)]
pub(crate) struct Spectrum {
    pre_emphasis: f32,
    window: Vec<f32>,
    plan: Arc<dyn RealToComplex<f32>>,
    padded: Vec<f32>,
    bins: Vec<Complex32>,
    scratch: Vec<Complex32>,
    magnitude: Vec<f32>,
    power: Vec<f32>,
}

/// §5: points of the transform, the next power of two above the frame's length.
pub(crate) fn transform_points(frame: &FrameSettings) -> usize {
    samples(frame.length_ms).next_power_of_two()
}

impl Spectrum {
    /// A transform for frames as `frame` describes them.
    pub(crate) fn new(frame: &FrameSettings) -> Self {
        let plan = RealFftPlanner::new().plan_fft_forward(transform_points(frame));
        let window = window(frame.window, samples(frame.length_ms));
        Self {
            pre_emphasis: frame.pre_emphasis,
            window: window.into_iter().map(|w| w as f32).collect(),
            padded: plan.make_input_vec(),
            bins: plan.make_output_vec(),
            scratch: plan.make_scratch_vec(),
            magnitude: vec![0.0; plan.complex_len()],
            power: vec![0.0; plan.complex_len()],
            plan,
        }
    }

    /// Takes a frame's spectrum; `frame` has the length that the settings say.
    pub(crate) fn take(&mut self, frame: &[f32]) {
        let (head, tail) = self.padded.split_at_mut(self.window.len());
        pre_emphasise(frame, self.pre_emphasis, head);
        head.iter_mut().zip(&self.window).for_each(|(x, w)| *x *= w);
        tail.fill(0.0);
        self.plan
            .process_with_scratch(&mut self.padded, &mut self.bins, &mut self.scratch)
            .expect("the plan made these buffers");
        for ((bin, magnitude), power) in
            self.bins.iter().zip(&mut self.magnitude).zip(&mut self.power)
        {
            *magnitude = (bin.re * bin.re + bin.im * bin.im).sqrt();
            *power = *magnitude * *magnitude;
        }
    }

    /// §5: the magnitudes, unscaled, from 0 Hz to half the sampling rate, both included.
    pub(crate) fn magnitude(&self) -> &[f32] {
        &self.magnitude
    }

    /// Squares of the magnitudes, each rounded to single precision.
    pub(crate) fn power(&self) -> &[f32] {
        &self.power
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::Window;

    fn settings() -> FrameSettings {
        FrameSettings { length_ms: 25, pre_emphasis: 0.0, window: Window::Hamming }
    }

    #[test]
    fn a_constant_shows_the_windows_sum_at_zero_hertz() {
        let mut spectrum = Spectrum::new(&settings());
        spectrum.take(&[1.0; 400]);
        assert_eq!(spectrum.magnitude().len(), 257);
        assert!((spectrum.magnitude()[0] - 215.54).abs() < 1e-3);
    }

    #[test]
    fn nothing_of_a_frame_is_left_in_the_next() {
        let mut spectrum = Spectrum::new(&settings());
        spectrum.take(&[1.0; 400]);
        spectrum.take(&[0.0; 400]);
        assert!(spectrum.power().iter().all(|&p| p == 0.0));
    }

    #[test]
    fn a_sine_peaks_in_its_bin() {
        let sine: Vec<f32> =
            (0..400).map(|n| (std::f32::consts::TAU * 1000.0 * n as f32 / 16e3).sin()).collect();
        let mut spectrum = Spectrum::new(&settings());
        spectrum.take(&sine);
        let peak = (0..257).max_by(|&a, &b| spectrum.power()[a].total_cmp(&spectrum.power()[b]));
        assert_eq!(peak, Some(32));
    }
}
