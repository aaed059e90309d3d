//! Mel-frequency cepstral coefficients (§7).

use std::f64::consts::PI;

use pulp::Simd;

use crate::lanes::{Lanes, Rows};
use crate::logarithm::ln;
use crate::mel::MelBank;
use crate::set::{MelSpectrum, MfccSettings};

/// §7: bands are floored here (after scaling to 16-bit units) before the logarithm.
const FLOOR: f32 = 1.0;

/// Liftered cosine transform of the logarithm of the mel bands.
#[derive(Clone)]
pub(crate) struct Mfcc {
    bank: MelBank,
    spectrum: MelSpectrum,
    magnitudes: Rows,
    bands: Rows,
    coefficients: Rows,
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
            magnitudes: Rows::new(points / 2 + 1),
            bands: Rows::new(bank.bands()),
            coefficients: Rows::new(settings.last + 1 - settings.first),
            cosines: coefficients.clone().flat_map(|i| cosines(i, bank.bands())).collect(),
            gains: coefficients.map(|i| gain(i, settings)).collect(),
            bank,
        }
    }

    /// Number of coefficients.
    pub(crate) fn width(&self) -> usize {
        self.gains.len()
    }

    /// The coefficients of the frames with this power spectrum, one row per coefficient.
    #[inline(always)]
    pub(crate) fn of<S: Simd>(&mut self, simd: S, power: &[S::f32s]) -> &[S::f32s] {
        let bands = self.bands.get_mut::<S>();
        let spectrum = match self.spectrum {
            MelSpectrum::Power => power,
            MelSpectrum::Magnitude => {
                let magnitudes = self.magnitudes.get_mut::<S>();
                for (magnitude, &power) in magnitudes.iter_mut().zip(power) {
                    *magnitude = Lanes::of(simd, power).sqrt().register();
                }
                magnitudes
            }
        };
        self.bank.apply(simd, spectrum, bands);
        for band in bands.iter_mut() {
            let floored = Lanes::of(simd, *band).max(Lanes::splat(simd, FLOOR));
            *band = ln(simd, floored).register();
        }
        let coefficients = self.coefficients.get_mut::<S>();
        let rows = self.cosines.chunks_exact(bands.len());
        for ((coefficient, row), &gain) in coefficients.iter_mut().zip(rows).zip(&self.gains) {
            let mut sum = Lanes::splat(simd, 0.0);
            for (&band, &cosine) in bands.iter().zip(row) {
                sum = sum + Lanes::of(simd, band) * cosine;
            }
            *coefficient = (sum * gain).register();
        }
        coefficients
    }
}

/// §7: cos(π i (m + ½) / bands) over the bands m.
fn cosines(i: usize, bands: usize) -> impl Iterator<Item = f32> {
    let step = PI * (i as f64 / bands as f64);
    (0..bands).map(move |m| libm::cos(step * (m as f64 + 0.5)) as f32)
}

/// §7: l(i) √(2 / bands) with the lifter l(i) = 1 + L/2 sin(π i / L), in single precision.
fn gain(i: usize, settings: &MfccSettings) -> f32 {
    let angle = PI as f32 * i as f32 / settings.lifter;
    let lifter = 1.0 + settings.lifter / 2.0 * libm::sin(angle.into()) as f32;
    lifter * (2.0 / settings.bands as f64).sqrt() as f32
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;
    use crate::set::FeatureSet;

    #[test]
    fn silence_gives_zeros() {
        let mut mfcc = Mfcc::new(&FeatureSet::builtin("ser32").unwrap().mfcc, 512);
        assert_eq!(mfcc.of(Scalar, &[0.0; 257]), [0.0; 12]);
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
