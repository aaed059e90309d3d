//! The log-mel spectrogram, as `WhisperFeatureExtractor` of transformers computes it.

use std::sync::Arc;

use libm::{cos, exp, log, log10};
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// Samples of a frame.
const FRAME: usize = 400;
/// Samples from the start of one frame to that of the next.
pub(super) const HOP: usize = 160;
/// The sampling rate.
const RATE: f64 = 16_000.0;
/// Power that a band has at least, before the logarithm.
const FLOOR: f64 = 1e-10;
/// A band is at most this far, in powers of ten, below the loudest of its recording.
const RANGE: f64 = 8.0;

/// Mel bands of Slaney's form over frames of 25 ms.
pub(super) struct Mel {
    bands: Vec<Band>,
    window: Vec<f64>,
    fft: Arc<dyn RealToComplex<f64>>,
}

/// A triangular filter: weights of the frequencies from `first` on.
struct Band {
    first: usize,
    weights: Vec<f64>,
}

impl Mel {
    /// So many bands from 0 to 8 kHz.
    pub(super) fn new(bands: usize) -> Self {
        let turn = |n: usize| std::f64::consts::TAU * n as f64 / FRAME as f64;
        let window = (0..FRAME).map(|n| 0.5 - 0.5 * cos(turn(n))).collect();
        let fft = RealFftPlanner::new().plan_fft_forward(FRAME);
        Self { bands: filters(bands), window, fft }
    }

    /// The spectrogram of samples with zeros behind them up to `frames · 160`: row-major frames × bands.
    /// What goes beyond is not looked at. A frame is centred on its first sample, and at both ends the
    /// samples are mirrored.
    pub(super) fn of(&self, samples: &[f32], frames: usize) -> Vec<f32> {
        let whole = frames * HOP;
        let samples = &samples[..samples.len().min(whole)];
        let sample = |at: isize| {
            let at = at.unsigned_abs();
            let at = if at < whole { at } else { (2 * (whole - 1)).saturating_sub(at) };
            samples.get(at).map_or(0.0, |&x| f64::from(x))
        };
        let silent = log10(FLOOR);
        let mut log = vec![silent; frames * self.bands.len()];
        let mut input = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        // Frames that lie behind the samples are silent.
        let heard = frames.min((samples.len() + FRAME / 2).div_ceil(HOP));
        for (frame, row) in log.chunks_exact_mut(self.bands.len()).take(heard).enumerate() {
            let start = (frame * HOP) as isize - (FRAME / 2) as isize;
            for (n, (value, window)) in input.iter_mut().zip(&self.window).enumerate() {
                *value = window * sample(start + n as isize);
            }
            // It fails where a buffer has another length alone.
            let done = self.fft.process(&mut input, &mut spectrum);
            debug_assert!(done.is_ok(), "the buffers are the plan's own");
            let power: Vec<f64> = spectrum.iter().map(Complex::norm_sqr).collect();
            for (log, band) in row.iter_mut().zip(&self.bands) {
                let weighed = band.weights.iter().zip(&power[band.first..]);
                let power = weighed.map(|(weight, power)| weight * power).sum::<f64>();
                *log = log10(power.max(FLOOR));
            }
        }
        let least = log.iter().copied().fold(f64::NEG_INFINITY, f64::max) - RANGE;
        log.iter().map(|&log| ((log.max(least) + 4.0) / 4.0) as f32).collect()
    }
}

impl std::fmt::Debug for Mel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mel({} bands)", self.bands.len())
    }
}

/// The filters: triangles that are equally wide in mel, each of area 1 over frequency, as those of the
/// program Auditory Toolbox (Slaney, 1998).
fn filters(bands: usize) -> Vec<Band> {
    let top = to_mel(RATE / 2.0);
    let edge = |at: usize| to_hertz(top * at as f64 / (bands + 1) as f64);
    let band = |at: usize| {
        let (left, middle, right) = (edge(at), edge(at + 1), edge(at + 2));
        let weight = |bin: usize| {
            let frequency = bin as f64 * RATE / FRAME as f64;
            let (up, down) =
                ((frequency - left) / (middle - left), (right - frequency) / (right - middle));
            up.min(down).max(0.0) * 2.0 / (right - left)
        };
        let first = (0..=FRAME / 2).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
        let weights = (first..=FRAME / 2).map(weight).take_while(|&weight| weight > 0.0).collect();
        Band { first, weights }
    };
    (0..bands).map(band).collect()
}

/// Below 1000 Hz a mel is 200/3 Hz, above there are 27 from a frequency to 6.4 times it.
const LINEAR: f64 = 200.0 / 3.0;
const KNEE: f64 = 1000.0;

fn to_mel(hertz: f64) -> f64 {
    if hertz < KNEE { hertz / LINEAR } else { KNEE / LINEAR + log(hertz / KNEE) * 27.0 / log(6.4) }
}

fn to_hertz(mel: f64) -> f64 {
    let above = mel - KNEE / LINEAR;
    if above < 0.0 { mel * LINEAR } else { KNEE * exp(above * log(6.4) / 27.0) }
}
