//! The mel filter bank (§6).

use std::ops::Range;

use pulp::Simd;

use crate::SAMPLE_RATE;
use crate::lanes::Lanes;
use crate::set::{MelSpectrum, MfccSettings};

/// §6, "HTK scaling": samples count in units of 16-bit steps.
const FULL_SCALE: f32 = 32767.0;

/// Half-overlapping triangles, equally spaced in mel. Between two neighbouring edges lie the falling
/// side of one band and the rising side of the next; a bin there is shared out between the two.
#[derive(Clone)]
pub(crate) struct MelBank {
    /// Bins between edge `i` and edge `i + 1`.
    segments: Vec<Range<usize>>,
    /// Per bin, the share of the falling band; the rising band gets what is left.
    falling: Vec<f32>,
    scale: f32,
}

/// §6: mel(f) = 1127 ln(1 + f / 700).
fn mel(hz: f64) -> f32 {
    (1127.0 * libm::log(1.0 + hz / 700.0)) as f32
}

impl MelBank {
    /// The bank of `settings` over the spectrum of a transform of `points` points.
    pub(crate) fn new(settings: &MfccSettings, points: usize) -> Self {
        let spacing = SAMPLE_RATE as f32 / points as f32;
        let edges = edges(settings);
        let mut segments = vec![0..0; settings.bands + 1];
        let mut falling = vec![0.0; points / 2 + 1];
        for bin in bins(settings, spacing) {
            let position = mel(f64::from(bin as f32 * spacing));
            let upper = edges.partition_point(|&e| e < position).clamp(1, settings.bands + 1);
            falling[bin] = (edges[upper] - position) / (edges[upper] - edges[upper - 1]);
            let segment = &mut segments[upper - 1];
            *segment = if segment.end == 0 { bin } else { segment.start }..bin + 1;
        }
        Self { segments, falling, scale: scale(settings.spectrum) }
    }

    /// Number of bands.
    pub(crate) fn bands(&self) -> usize {
        self.segments.len() - 1
    }

    /// The bands' energies (or magnitudes, as the spectrum is) in 16-bit units. Each band sums its
    /// bins in single precision from low to high.
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(&self, simd: S, spectrum: &[S::f32s], bands: &mut [S::f32s]) {
        let mut rising = Lanes::splat(simd, 0.0);
        for (index, segment) in self.segments.iter().enumerate() {
            let mut falling = rising;
            rising = Lanes::splat(simd, 0.0);
            let bins = spectrum[segment.clone()].iter().zip(&self.falling[segment.clone()]);
            for (&bin, &share) in bins {
                let bin = Lanes::of(simd, bin);
                let part = bin * share;
                falling = falling + part;
                rising = rising + (bin - part);
            }
            if index > 0 {
                bands[index - 1] = (falling * self.scale).register();
            }
        }
    }
}

/// §6: the edges of the triangles in mel, one before the first band and one after the last.
fn edges(settings: &MfccSettings) -> Vec<f32> {
    let (low, high) = (mel(f64::from(settings.low_hz)), mel(f64::from(settings.high_hz)));
    let step = (high - low) / (settings.bands as f32 + 1.0);
    (0..settings.bands + 2).map(|m| low + m as f32 * step).collect()
}

/// §6: the bins used; those at both ends of the range are not.
fn bins(settings: &MfccSettings, spacing: f32) -> Range<usize> {
    let nearest = |hz: f32| (f64::from(hz / spacing) + 0.5).floor() as usize;
    nearest(settings.low_hz) + 1..nearest(settings.high_hz)
}

fn scale(spectrum: MelSpectrum) -> f32 {
    match spectrum {
        MelSpectrum::Power => FULL_SCALE * FULL_SCALE,
        MelSpectrum::Magnitude => FULL_SCALE,
    }
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;
    use crate::set::FeatureSet;

    fn bank() -> MelBank {
        MelBank::new(&FeatureSet::builtin("ser32").unwrap().mfcc, 512)
    }

    #[test]
    fn segments_cover_bins_2_to_255_once_and_in_order() {
        let bins: Vec<usize> = bank().segments.iter().cloned().flatten().collect();
        assert_eq!(bins, (2..256).collect::<Vec<_>>());
    }

    #[test]
    fn shares_lie_between_nothing_and_all() {
        assert!(bank().falling.iter().all(|s| (0.0..=1.0).contains(s)));
    }

    #[test]
    fn a_bin_adds_its_power_to_two_neighbouring_bands() {
        let mut bands = [0.0; 26];
        let mut spectrum = [0.0; 257];
        spectrum[100] = 1.0;
        bank().apply(Scalar, &spectrum, &mut bands);
        let total: f32 = bands.iter().sum();
        assert!((total / 32767.0f32.powi(2) - 1.0).abs() < 1e-6);
        assert_eq!(bands.iter().filter(|&&b| b > 0.0).count(), 2);
    }

    #[test]
    fn the_mel_scale_puts_1000_hz_near_1000_mel() {
        assert!((mel(1000.0) - 1000.0).abs() < 0.1);
        assert_eq!(mel(0.0), 0.0);
    }
}
