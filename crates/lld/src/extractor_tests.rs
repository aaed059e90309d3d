//! Properties of whole tables, and pitch frames of their own against a reference written from the
//! formulas in double precision.

use std::f64::consts::{PI, TAU};

use proptest::prelude::*;

use super::*;
use crate::pitch::{FramePitch, PitchContour};

fn table(set: &str, samples: &[f32]) -> Frames {
    Extractor::new(&FeatureSet::builtin(set).unwrap()).unwrap().process(samples)
}

fn column(frames: &Frames, name: &str) -> Vec<f32> {
    let index = frames.columns().iter().position(|c| c == name).unwrap();
    frames.column(index).collect()
}

/// Harmonics of a pitch that glides from 90 Hz upwards, with a pause in the middle; 16-bit steps.
fn voice(length: usize) -> Vec<f32> {
    let mut phase = 0.0;
    let sample = |n: usize| {
        phase += TAU * (90.0 + 120.0 * n as f64 / length as f64) / 16e3;
        let sum: f64 = (1..20).map(|k| (f64::from(k) * phase).sin() / f64::from(k)).sum();
        let pause = (length * 2 / 5..length / 2).contains(&n);
        if pause { 0.0 } else { ((sum * 4500.0).round() / 32768.0) as f32 }
    };
    (0..length).map(sample).collect()
}

#[test]
fn silence_has_only_zero_crossings() {
    let frames = table("ser32", &[0.0; 4000]);
    assert_eq!(frames.len(), 23);
    for row in frames.rows() {
        assert_eq!(row[..15], [0.0; 15]);
        assert_eq!(row[15], 0.995);
        assert_eq!(row[16..], [0.0; 16]);
    }
}

#[test]
fn less_than_one_frame_gives_no_row_in_any_set() {
    for set in FeatureSet::builtin_names() {
        let frames = table(set, &[0.1; 399]);
        assert!(frames.is_empty());
        assert_eq!((frames.len(), frames.width()), (0, 32));
    }
}

#[test]
fn nothing_of_one_utterance_is_left_in_the_next() {
    let voice = voice(8000);
    for set in FeatureSet::builtin_names() {
        let mut extractor = Extractor::new(&FeatureSet::builtin(set).unwrap()).unwrap();
        let first = extractor.process(&voice);
        extractor.process(&[0.5; 3000]);
        assert_eq!(extractor.process(&voice), first);
    }
}

#[test]
fn the_prosody_set_differs_from_ser32_in_pitch_and_voicing_only() {
    let voice = voice(16_000);
    let (plain, prosody) = (table("ser32", &voice), table("ser32-prosody", &voice));
    assert_eq!(plain.len(), prosody.len());
    for (index, name) in plain.columns().iter().enumerate() {
        let equal = plain.column(index).eq(prosody.column(index));
        assert_eq!(equal, !name.starts_with("F0") && !name.starts_with("voiceProb"), "{name}");
    }
}

#[test]
fn a_low_voice_is_voiced_in_long_frames_only() {
    let harmonic = |n: usize, k: u32| (f64::from(k) * TAU * 80.0 * n as f64 / 16e3).sin();
    let sample = |n| (0.1 * (1..20).map(|k| harmonic(n, k) / f64::from(k)).sum::<f64>()) as f32;
    let low: Vec<f32> = (0..16_000).map(sample).collect();
    let f0 = column(&table("ser32-prosody", &low), "F0");
    assert!(f0[10..90].iter().all(|f| (f - 80.0).abs() < 1.0), "{f0:?}");
    assert!(column(&table("ser32", &low), "F0").iter().all(|&f| f == 0.0));
}

#[test]
fn pitch_of_long_frames_equals_the_reference() {
    let voice = voice(12_000);
    let frames = table("ser32-prosody", &voice);
    let (f0, voicing) = (column(&frames, "F0"), column(&frames, "voiceProb"));
    let expected: Vec<FramePitch> = (0..frames.len()).map(|t| reference(&voice, t)).collect();
    let mut contour = PitchContour::default();
    let mut voiced = 0;
    for (t, pitch) in expected.iter().enumerate() {
        let f0_expected = contour.next(pitch.hz);
        voiced += usize::from(f0_expected > 0.0);
        assert!((voicing[t] - pitch.voicing).abs() < 2e-6, "{t}: {} {pitch:?}", voicing[t]);
        assert!((f0[t] - f0_expected).abs() <= 1e-5 * f0_expected, "{t}: {} {f0_expected}", f0[t]);
    }
    assert!(voiced > frames.len() / 2 && voiced < frames.len(), "{voiced}");
}

/// Pitch of frame `t` by sums of cosines in double precision: 800 samples about the middle of the
/// 25 ms frame, Gaussian window of 0.4 half widths, 1024 points.
fn reference(samples: &[f32], t: usize) -> FramePitch {
    let sample = |n: usize| {
        let at = (160 * t + n).checked_sub(200).and_then(|i| samples.get(i));
        let bell = (-0.5 * ((n as f64 - 399.5) / (0.4 * 399.5)).powi(2)).exp();
        at.map_or(0.0, |&s| f64::from(s) * 32768.0 / 32767.0 * bell)
    };
    let frame: Vec<f64> = (0..800).map(sample).collect();
    let cosines: Vec<f64> = (0..1024).map(|i| (TAU * f64::from(i) / 1024.0).cos()).collect();
    let cos = |product: usize| cosines[product % 1024];
    let power = |k: usize| {
        let re: f64 = (0..800).map(|n| frame[n] * cos(n * k)).sum();
        let im: f64 = (0..800).map(|n| frame[n] * cos(n * k + 256)).sum();
        re * re + im * im
    };
    let power: Vec<f64> = (0..=512).map(power).collect();
    let weight = |k: usize| if k == 0 || k == 512 { 0.5 } else { 1.0 };
    let lags = |f: &dyn Fn(f64) -> f64| -> Vec<f64> {
        let values: Vec<f64> = (0..=512).map(|k| weight(k) * f(power[k])).collect();
        let sum = |n: usize| values.iter().enumerate().map(|(k, v)| v * cos(k * n)).sum::<f64>();
        (0..512).map(|n| sum(n) / 513.0).collect()
    };
    let a: Vec<f64> = lags(&|p| p).into_iter().map(f64::abs).collect();
    let c = lags(&|p| (p + 1.0).ln());
    reference_decision(&a, &c)
}

fn reference_decision(a: &[f64], c: &[f64]) -> FramePitch {
    let rising = (31..512).filter(|&n| a[n] > a[n - 1]).map(|n| a[n]);
    let voicing = if a[0] > 0.0 { rising.fold(a[511], f64::max) / a[0] } else { 0.0 };
    let top = c[32..].iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = c.iter().map(|v| v.abs()).sum::<f64>() / 512.0;
    let peak = |&n: &usize| c[n] > 0.6 * (top + mean) && c[n - 1] < c[n] && c[n] > c[n + 1];
    let lag = (33..511).find(peak).filter(|_| voicing >= 0.55);
    FramePitch { hz: lag.map_or(0.0, |n| 16e3 / n as f32), voicing: voicing as f32 }
}

#[test]
fn mfcc_of_a_pure_tone_follow_the_formulas() {
    // One bin rings: the bands' energies are known in closed form but for the window's leakage, so
    // the coefficients must agree with a direct evaluation in double precision.
    let tone: Vec<f32> =
        (0..400).map(|n| (0.4 * (TAU * 0.0625 * f64::from(n)).sin()) as f32).collect();
    let frames = table("ser32", &tone);
    let expected = reference_mfcc(&tone);
    for (i, expected) in expected.iter().enumerate() {
        let got = f64::from(frames.row(0)[i]);
        assert!((got - expected).abs() < 2e-3, "mfcc{}: {got} {expected}", i + 1);
    }
}

fn reference_mfcc(samples: &[f32]) -> Vec<f64> {
    let x = |n: usize| f64::from(samples[n]) * 32768.0 / 32767.0;
    let y = |n: usize| {
        let emphasised = if n == 0 { 0.03 * x(0) } else { x(n) - 0.97 * x(n - 1) };
        emphasised * (0.54 - 0.46 * (TAU * n as f64 / 399.0).cos())
    };
    let power = |k: usize| {
        let angle = |n: usize| TAU * (n * k % 512) as f64 / 512.0;
        let re: f64 = (0..400).map(|n| y(n) * angle(n).cos()).sum();
        let im: f64 = (0..400).map(|n| y(n) * angle(n).sin()).sum();
        re * re + im * im
    };
    let power: Vec<f64> = (0..257).map(power).collect();
    let mel = |hz: f64| 1127.0 * (1.0 + hz / 700.0).ln();
    let step = (mel(8000.0) - mel(20.0)) / 27.0;
    let log_band = |m: usize| {
        let centre = mel(20.0) + (m as f64 + 1.0) * step;
        let weight = |k: usize| (1.0 - (mel(31.25 * k as f64) - centre).abs() / step).max(0.0);
        let sum: f64 = (2..256).map(|k| power[k] * weight(k)).sum();
        (sum * 32767.0 * 32767.0).max(1.0).ln()
    };
    let logs: Vec<f64> = (0..26).map(log_band).collect();
    let coefficient = |i: f64| {
        let sum: f64 = (0..26).map(|m| logs[m] * (PI * i * (m as f64 + 0.5) / 26.0).cos()).sum();
        (1.0 + 11.0 * (PI * i / 22.0).sin()) * (2.0f64 / 26.0).sqrt() * sum
    };
    (1..=12).map(|i| coefficient(f64::from(i))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn lengths_follow_the_formula(length in 0usize..6000) {
        let samples = vec![0.25; length];
        let expected = if length < 400 { 0 } else { (length - 400) / 160 + 1 };
        prop_assert_eq!(table("ser32", &samples).len(), expected);
        prop_assert_eq!(table("ser32-prosody", &samples).len(), expected);
        let one_more = expected + usize::from(expected > 0);
        prop_assert_eq!(table("ser32-sma3", &samples).len(), one_more);
    }

    #[test]
    fn a_shift_by_whole_steps_shifts_the_statics(steps in 1usize..10) {
        let voice = voice(8000);
        let (whole, later) = (table("ser32", &voice), table("ser32", &voice[160 * steps..]));
        prop_assert_eq!(later.len(), whole.len() - steps);
        for t in 0..later.len() {
            // All but F0, which looks back.
            prop_assert_eq!(&whole.row(t + steps)[..13], &later.row(t)[..13]);
            prop_assert_eq!(&whole.row(t + steps)[14..16], &later.row(t)[14..16]);
        }
    }

    #[test]
    fn a_gain_of_a_power_of_two_scales_loudness_alone(halvings in 1i32..4) {
        let voice: Vec<f32> = voice(4000)[..1600].to_vec();
        let gain = 0.5f32.powi(halvings);
        let softer: Vec<f32> = voice.iter().map(|s| s * gain).collect();
        let (loud, soft) = (table("ser32", &voice), table("ser32", &softer));
        for (l, s) in loud.rows().zip(soft.rows()) {
            prop_assert!((s[12] / l[12] - gain.powf(0.6)).abs() < 1e-5);
            prop_assert_eq!(s[14..16].to_vec(), l[14..16].to_vec());
            for i in 0..12 {
                prop_assert!((s[i] - l[i]).abs() < 2e-3, "mfcc{}: {} {}", i + 1, s[i], l[i]);
            }
        }
    }

    #[test]
    fn every_value_is_finite_and_in_range(
        samples in prop::collection::vec(-1.0f32..=1.0, 400..2000),
    ) {
        for set in ["ser32", "ser32-sma3", "ser32-prosody"] {
            let frames = table(set, &samples);
            prop_assert!(frames.data().iter().all(|v| v.is_finite()));
            for row in frames.rows() {
                prop_assert!(row[12] >= 0.0);
                prop_assert!((0.0..=1.0).contains(&row[14]) && (0.0..=1.0).contains(&row[15]));
            }
        }
    }
}
