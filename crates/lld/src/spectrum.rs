//! The spectra of a block's frames (§3 to §5).

use pulp::Simd;

use crate::fft::{Bins, Complex, RealFft};
use crate::framing::{samples, window};
use crate::lanes::{Lanes, Rows};
use crate::set::FrameSettings;
use crate::signal::{FramePlaces, Signal};

/// Raw samples and power spectra of frames of one length; holds the last frames'.
#[derive(Clone)]
pub(crate) struct Spectrum {
    places: FramePlaces,
    frames: Rows,
    pre_emphasis: f32,
    window: Vec<f32>,
    fft: RealFft,
    points: Rows,
    power: Rows,
}

/// §5: points of the transform, the next power of two above the frame's length.
pub(crate) fn transform_points(frame: &FrameSettings) -> usize {
    samples(frame.length_ms).next_power_of_two()
}

impl Spectrum {
    /// For frames of `signal` as `frame` describes them, `offset` samples after the begin of each span.
    pub(crate) fn new(frame: &FrameSettings, signal: &Signal, offset: usize) -> Self {
        let (length, points) = (samples(frame.length_ms), transform_points(frame));
        let window = window(frame.window, length);
        Self {
            places: signal.places(offset, length),
            frames: Rows::new(length),
            pre_emphasis: frame.pre_emphasis,
            window: window.into_iter().map(|w| w as f32).collect(),
            fft: RealFft::new(points),
            points: Rows::new(points),
            power: Rows::new(points / 2 + 1),
        }
    }

    /// Takes frames `first` and following of `signal`.
    #[inline(always)]
    pub(crate) fn take<S: Simd>(&mut self, simd: S, signal: &Signal, first: usize) {
        signal.gather::<S>(&self.places, first, self.frames.get_mut::<S>());
        self.transform(simd);
    }

    #[inline(always)]
    fn transform<S: Simd>(&mut self, simd: S) {
        let frames = self.frames.get::<S>();
        let points = self.points.get_mut::<S>();
        let (head, tail) = points.split_at_mut(self.window.len());
        emphasise(simd, self.pre_emphasis, &self.window, frames, head);
        tail.fill(simd.splat_f32s(0.0));
        self.fft.run(simd, points, Power { simd, power: self.power.get_mut::<S>() });
    }

    /// The frames' samples as they came, one row per sample.
    #[inline(always)]
    pub(crate) fn frames<S: Simd>(&self) -> &[S::f32s] {
        self.frames.get::<S>()
    }

    /// §5: squared magnitudes, unscaled, from 0 Hz to half the sampling rate, both included.
    #[inline(always)]
    pub(crate) fn power<S: Simd>(&self) -> &[S::f32s] {
        self.power.get::<S>()
    }
}

/// Writes the squared magnitudes of bins.
struct Power<'a, S: Simd> {
    simd: S,
    power: &'a mut [S::f32s],
}

impl<S: Simd> Bins<S> for Power<'_, S> {
    #[inline(always)]
    fn take(&mut self, number: usize, twice: Complex<S>) {
        let [re, im] = twice.map(|part| Lanes::of(self.simd, part));
        self.power[number] = ((re * re + im * im) * 0.25).register();
    }
}

/// §3 and §4: writes the frames less `k` times their past, the first sample less `k` times itself,
/// under the window. Each frame is on its own: the sample before it does not count.
#[inline(always)]
pub(crate) fn emphasise<S: Simd>(
    simd: S,
    k: f32,
    window: &[f32],
    frames: &[S::f32s],
    out: &mut [S::f32s],
) {
    let lanes = |register| Lanes::of(simd, register);
    out[0] = (lanes(frames[0]) * (1.0 - k) * window[0]).register();
    for ((y, pair), &w) in out[1..].iter_mut().zip(frames.windows(2)).zip(&window[1..]) {
        *y = ((lanes(pair[1]) - lanes(pair[0]) * k) * w).register();
    }
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, Scalar};

    use super::*;
    use crate::set::Window;

    /// The power spectra of two frames after one another.
    fn power(frames: [&[f32]; 2]) -> [Vec<f32>; 2] {
        let settings = FrameSettings { length_ms: 25, pre_emphasis: 0.0, window: Window::Hamming };
        let mut signal = Signal::new(400, 400, 0);
        let mut spectrum = Spectrum::new(&settings, &signal, 0);
        signal.fill(Arch::Scalar, &frames.concat());
        [0, 1].map(|frame| {
            spectrum.take(Scalar, &signal, frame);
            spectrum.power::<Scalar>().to_vec()
        })
    }

    #[test]
    fn a_constant_shows_the_windows_sum_at_zero_hertz() {
        let [power, _] = power([&[32767.0 / 32768.0; 400]; 2]);
        assert_eq!(power.len(), 257);
        assert!((power[0].sqrt() - 215.54).abs() < 1e-3);
    }

    #[test]
    fn nothing_of_a_frame_is_left_in_the_next() {
        let [_, power] = power([&[1.0; 400], &[0.0; 400]]);
        assert!(power.iter().all(|&p| p == 0.0));
    }

    #[test]
    fn a_sine_peaks_in_its_bin() {
        let sine: Vec<f32> =
            (0..400).map(|n| (std::f32::consts::TAU * 1000.0 * n as f32 / 16e3).sin()).collect();
        let [power, _] = power([&sine; 2]);
        let peak = (0..257).max_by(|&a, &b| power[a].total_cmp(&power[b]));
        assert_eq!(peak, Some(32));
    }

    #[test]
    fn pre_emphasis_leaves_three_hundredths_of_a_constant() {
        let mut out = [0.0; 4];
        emphasise(Scalar, 0.97, &[1.0; 4], &[2.0; 4], &mut out);
        assert!(out.iter().all(|y| (y - 0.06).abs() < 1e-6), "{out:?}");
    }

    #[test]
    fn no_pre_emphasis_leaves_the_window_alone() {
        let mut out = [0.0; 3];
        emphasise(Scalar, 0.0, &[0.5; 3], &[1.0, -2.0, 3.0], &mut out);
        assert_eq!(out, [0.5, -1.0, 1.5]);
    }
}
