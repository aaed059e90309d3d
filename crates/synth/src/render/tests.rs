//! Tests of `render`.

use super::*;
use crate::chance::Purpose;
use crate::delivery::Phonation;
use crate::phones;
use crate::plan::{SAMPLE_RATE, Sex};

const RATE: f64 = SAMPLE_RATE as f64;

/// A vowel held for half a second.
fn held(sex: Sex, vowel: phones::Vowel, f0_hz: f64) -> Vec<f64> {
    let phonation = Phonation { corner_hz: 2200.0, open_quotient: 0.6, jitter: 0.0, shimmer: 0.0 };
    let target = Control {
        voiced: true,
        voice: 1.0,
        breath: 0.0,
        hiss: 0.0,
        hiss_hz: 5000.0,
        f0_hz,
        formants: phones::vowel(sex, vowel, 1.0, 1.0),
        phonation,
    };
    let mut chance = Chance::new(1, Purpose::Sound, 0);
    render(&[Segment { frames: 100, target }], 8000, 0.0, &mut chance).samples
}

/// The lag with the greatest normalised autocorrelation between 60 and 500 Hz, as a frequency.
fn autocorrelation_f0(samples: &[f64]) -> f64 {
    let at = |lag: usize| -> f64 {
        let pairs = || samples.iter().zip(&samples[lag..]);
        let product: f64 = pairs().map(|(a, b)| a * b).sum();
        let energy: f64 = pairs().map(|(a, b)| a * a + b * b).sum();
        2.0 * product / energy
    };
    let best = (32..266).max_by(|a, b| at(*a).total_cmp(&at(*b))).unwrap();
    RATE / best as f64
}

#[test]
fn a_held_vowel_has_the_f0_it_was_given() {
    for (sex, f0_hz) in [(Sex::M, 100.0), (Sex::M, 160.0), (Sex::F, 220.0), (Sex::F, 320.0)] {
        let measured = autocorrelation_f0(&held(sex, 3, f0_hz)[2000..4000]);
        // A lag is known to one sample: at 320 Hz that is 2 %. A multiple of the period is as good
        // a lag, so the measured value may be a part of F0.
        let parts = (f0_hz / measured).round();
        assert!((measured * parts / f0_hz - 1.0).abs() < 0.02, "{f0_hz}: {measured}");
    }
}

/// Power of one frequency, by direct summation under a Hann window.
fn power(samples: &[f64], hz: f64) -> f64 {
    use std::f64::consts::TAU;
    let (mut re, mut im) = (0.0, 0.0);
    for (i, sample) in samples.iter().enumerate() {
        let window = 0.5 - 0.5 * (TAU * i as f64 / samples.len() as f64).cos();
        re += window * sample * (TAU * hz * i as f64 / RATE).cos();
        im += window * sample * (TAU * hz * i as f64 / RATE).sin();
    }
    re * re + im * im
}

/// The strongest harmonic of 100 Hz in a band.
fn peak(samples: &[f64], from: usize, to: usize) -> f64 {
    let harmonics = (from / 100..=to / 100).map(|h| h as f64 * 100.0);
    harmonics.max_by(|a, b| power(samples, *a).total_cmp(&power(samples, *b))).unwrap()
}

#[test]
fn held_vowels_have_their_formants() {
    // "heed" and "hod" of men: F1 270 and 730 Hz, F2 2290 and 1090 Hz.
    let heed = &held(Sex::M, 0, 100.0)[2000..6000].to_vec();
    assert!((peak(heed, 200, 1000) - 270.0).abs() <= 100.0);
    assert!((peak(heed, 1500, 2600) - 2290.0).abs() <= 100.0);
    let hod = &held(Sex::M, 4, 100.0)[2000..6000].to_vec();
    assert!((peak(hod, 200, 900) - 730.0).abs() <= 100.0);
    assert!((peak(hod, 950, 1500) - 1090.0).abs() <= 100.0);
}

#[test]
fn pressing_is_steady_odd_and_stays_below_full_scale() {
    let pressed: Vec<f64> = (-400..=400).map(|i| press(f64::from(i) / 100.0)).collect();
    assert!(pressed.is_sorted());
    assert!(pressed.iter().all(|x| x.abs() < 1.0));
    assert_eq!(press(0.5), 0.5);
    assert_eq!(press(-2.0), -press(2.0));
}
