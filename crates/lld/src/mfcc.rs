//! Mel-frequency cepstral coefficients (§7).

use std::f64::consts::PI;

use crate::mel::MelBank;
use crate::set::{MelSpectrum, MfccSettings};
use crate::spectrum::Spectrum;

/// §7: bands are floored here (after scaling to 16-bit units) before the logarithm.
const FLOOR: f32 = 1.0;

/// Liftered cosine transform of the logarithm of the mel bands.
#[derive(Clone)]
pub(crate) struct Mfcc {
    bank: MelBank,
    spectrum: MelSpectrum,
    bands: Vec<f32>,
    /// Coefficients × bands.
    cosines: Vec<f32>,
    /// Per coefficient, lifter times the transform's normalisation.
    gains: Vec<f32>,
}

impl Mfcc {
    /// Coefficients as `settings` say, of the spectrum of a transform of `points` points.
    pub(crate) fn new(settings: &MfccSettings, points: usize) -> Self {
        let bank = MelBank::new(settings, points);
        let coefficients = settings.first..=settings.last;
        Self {
            spectrum: settings.spectrum,
            bands: vec![0.0; bank.bands()],
            cosines: coefficients.clone().flat_map(|i| cosines(i, bank.bands())).collect(),
            gains: coefficients.map(|i| gain(i, settings)).collect(),
            bank,
        }
    }

    /// Number of coefficients.
    pub(crate) fn width(&self) -> usize {
        self.gains.len()
    }

    /// Writes the coefficients of the frame whose spectrum this is.
    pub(crate) fn apply(&mut self, spectrum: &Spectrum, out: &mut [f32]) {
        let values = match self.spectrum {
            MelSpectrum::Power => spectrum.power(),
            MelSpectrum::Magnitude => spectrum.magnitude(),
        };
        self.bank.apply(values, &mut self.bands);
        for band in &mut self.bands {
            *band = f64::from(band.max(FLOOR)).ln() as f32;
        }
        let rows = self.cosines.chunks_exact(self.bands.len());
        for ((c, row), gain) in out.iter_mut().zip(rows).zip(&self.gains) {
            *c = self.bands.iter().zip(row).fold(0.0, |sum, (l, cos)| sum + l * cos) * gain;
        }
    }
}

/// §7: cos(π i (m + ½) / bands) over the bands m.
fn cosines(i: usize, bands: usize) -> impl Iterator<Item = f32> {
    let step = PI * (i as f64 / bands as f64);
    (0..bands).map(move |m| (step * (m as f64 + 0.5)).cos() as f32)
}

/// §7: l(i) √(2 / bands) with the lifter l(i) = 1 + L/2 sin(π i / L), in single precision.
fn gain(i: usize, settings: &MfccSettings) -> f32 {
    let angle = PI as f32 * i as f32 / settings.lifter;
    let lifter = 1.0 + settings.lifter / 2.0 * f64::from(angle).sin() as f32;
    lifter * (2.0 / settings.bands as f64).sqrt() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::FeatureSet;

    #[test]
    fn silence_gives_zeros() {
        let set = FeatureSet::builtin("ser32").unwrap();
        let mut spectrum = Spectrum::new(&set.frame);
        spectrum.take(&[0.0; 400]);
        let mut mfcc = Mfcc::new(&set.mfcc, 512);
        let mut out = [1.0; 12];
        mfcc.apply(&spectrum, &mut out);
        assert_eq!(out, [0.0; 12]);
    }

    #[test]
    fn cosines_are_orthogonal() {
        let rows: Vec<Vec<f32>> = (1..=12).map(|i| cosines(i, 26).collect()).collect();
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in rows.iter().enumerate() {
                let dot: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
                let expected = if i == j { 13.0 } else { 0.0 };
                assert!((dot - expected).abs() < 1e-4, "{i} {j} {dot}");
            }
        }
    }

    #[test]
    fn the_lifter_peaks_at_half_its_length() {
        let settings = FeatureSet::builtin("ser32").unwrap().mfcc;
        let peak = f64::from(gain(11, &settings)) / (2.0f64 / 26.0).sqrt();
        assert!((peak - 12.0).abs() < 1e-5);
    }
}
