//! Whole files through the public functions: every format, every bit depth, every kind of breakage.

#![allow(clippy::unwrap_used, reason = "a test that cannot write its file has failed")]

use std::f64::consts::TAU;
use std::path::{Path, PathBuf};

use ambivox_audio::{AudioError, Cut, Problem, SAMPLE_RATE, decode, load, probe};
use fs_err as fs;
use hound::{SampleFormat, WavSpec, WavWriter};

const WHOLE: Cut = Cut { start_s: None, end_s: None };

/// Writes a WAV file whose interleaved samples `fill` gives.
fn wav<S: hound::Sample>(
    path: &Path,
    (sample_rate, channels, bits_per_sample): (u32, u16, u16),
    samples: impl IntoIterator<Item = S>,
) {
    let sample_format = if bits_per_sample == 32 && size_of::<S>() == 4 && is_float::<S>() {
        SampleFormat::Float
    } else {
        SampleFormat::Int
    };
    let spec = WavSpec { channels, sample_rate, bits_per_sample, sample_format };
    let mut writer = WavWriter::create(path, spec).unwrap();
    samples.into_iter().for_each(|s| writer.write_sample(s).unwrap());
    writer.finalize().unwrap();
}

fn is_float<S>() -> bool {
    std::any::type_name::<S>() == "f32"
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn problem(result: Result<Vec<f32>, AudioError>) -> Problem {
    result.unwrap_err().problem
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests-data").join(name)
}

fn rms(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|&s| f64::from(s) * f64::from(s)).sum();
    (sum / samples.len() as f64).sqrt()
}

/// The frequency, among whole multiples of 5 Hz, that a sine matches best.
fn dominant_hz(samples: &[f32]) -> usize {
    let strength = |hz: usize| {
        let turn = |n: usize| TAU * (hz * n) as f64 / f64::from(SAMPLE_RATE);
        let part = |f: fn(f64) -> f64| -> f64 {
            samples.iter().enumerate().map(|(n, &s)| f64::from(s) * f(turn(n))).sum()
        };
        part(f64::cos).powi(2) + part(f64::sin).powi(2)
    };
    (50..4000).step_by(5).max_by(|&a, &b| strength(a).total_cmp(&strength(b))).unwrap()
}

#[test]
fn sixteen_bits_at_16_khz_come_out_exactly() {
    let folder = folder();
    let path = folder.path().join("all.wav");
    wav(&path, (16_000, 1, 16), i16::MIN..=i16::MAX);
    let expected: Vec<f32> = (i16::MIN..=i16::MAX).map(|s| f32::from(s) / 32768.0).collect();
    assert_eq!(load(&path, WHOLE).unwrap(), expected);
}

#[test]
fn every_bit_depth_is_brought_to_full_scale_one() {
    let folder = folder();
    let path = folder.path().join("depth.wav");
    let values = [0.0f64, 0.5, -0.5, 0.123_456_789, -1.0, 0.99];
    for bits in [8u16, 16, 24, 32] {
        let scale = f64::from(1u32 << (bits - 1));
        wav(&path, (16_000, 1, bits), values.map(|v| (v * scale).round() as i32));
        let samples = load(&path, WHOLE).unwrap();
        let step = 1.0 / scale;
        for (got, expected) in samples.iter().zip(values) {
            let error = (f64::from(*got) - expected).abs();
            assert!(error <= 0.5 * step + 1e-7, "{bits} bits: {got} for {expected}");
        }
    }
    wav(&path, (16_000, 1, 32), values.map(|v| v as f32));
    assert_eq!(load(&path, WHOLE).unwrap(), values.map(|v| v as f32));
}

#[test]
fn channels_are_averaged() {
    let folder = folder();
    let path = folder.path().join("channels.wav");
    wav(&path, (16_000, 2, 16), [1000i16, 3000, -200, 200, 7, 8]);
    assert_eq!(load(&path, WHOLE).unwrap(), [2000.0, 0.0, 7.5].map(|s| s / 32768.0));
    wav(&path, (16_000, 3, 16), [3i16, 6, 9]);
    assert_eq!(load(&path, WHOLE).unwrap(), [6.0 / 32768.0]);
}

#[test]
fn other_rates_keep_frequency_and_level() {
    let folder = folder();
    let path = folder.path().join("rate.wav");
    for rate in [8_000u32, 22_050, 44_100, 48_000] {
        let turn = |n: u32| TAU * 440.0 * f64::from(n) / f64::from(rate);
        wav(&path, (rate, 1, 16), (0..rate).map(|n| (turn(n).sin() * 16384.0) as i16));
        let samples = load(&path, WHOLE).unwrap();
        assert_eq!(samples.len(), 16_000);
        assert_eq!(dominant_hz(&samples), 440);
        let level = rms(&samples[1000..15_000]) / (0.5 / 2.0f64.sqrt());
        assert!((level - 1.0).abs() < 1e-3, "{rate} Hz: {level}");
    }
}

#[test]
fn a_cut_is_taken_in_the_files_own_rate() {
    let folder = folder();
    let path = folder.path().join("cut.wav");
    wav(&path, (16_000, 1, 16), 0..16_000i16);
    let cut = Cut { start_s: Some(0.25), end_s: Some(0.5) };
    let expected: Vec<f32> = (4000..8000i16).map(|s| f32::from(s) / 32768.0).collect();
    assert_eq!(load(&path, cut).unwrap(), expected);
    wav(&path, (48_000, 1, 16), 0..24_000i16);
    assert_eq!(load(&path, cut).unwrap().len(), 4000);
    let beyond = Cut { start_s: Some(0.4), end_s: Some(0.6) };
    assert!(matches!(problem(load(&path, beyond)), Problem::Cut { .. }));
}

#[test]
fn every_format_holds_the_same_tone() {
    // Coders that lose precision add silence before and after; what they add is bounded here.
    for (name, rate, extra_s) in [
        ("tone.flac", 8_000, 0.0),
        ("tone.aiff", 6_000, 1e-3),
        ("tone.mp3", 22_050, 0.0),
        ("tone.ogg", 22_050, 0.0),
        ("tone.mka", 22_050, 0.07),
        ("tone.m4a", 22_050, 0.1),
        ("tone.aac", 22_050, 0.1),
        ("tone-mulaw.wav", 8_000, 0.0),
        ("tone-ima.wav", 8_000, 0.12),
    ] {
        let samples = load(&fixture(name), WHOLE).unwrap();
        let info = probe(&fixture(name)).unwrap();
        assert_eq!((info.sample_rate, info.channels), (rate, 1), "{name}");
        let duration = samples.len() as f64 / 16e3;
        assert!((0.4..=0.401 + extra_s).contains(&duration), "{name}: {duration} s");
        assert!((info.duration_s - duration).abs() < 0.12, "{name}: {info:?}");
        assert_eq!(dominant_hz(&samples), 440, "{name}");
        // ffmpeg's sine has an amplitude of 1/8.
        let level = rms(&samples[2000..5000]) / (0.125 / 2.0f64.sqrt());
        assert!((level - 1.0).abs() < 0.06, "{name}: {level}");
    }
}

#[test]
fn the_name_of_a_file_does_not_matter() {
    let folder = folder();
    let path = folder.path().join("flac-in-truth.wav");
    fs::copy(fixture("tone.flac"), &path).unwrap();
    assert_eq!(load(&path, WHOLE).unwrap(), load(&fixture("tone.flac"), WHOLE).unwrap());
}

#[test]
fn bytes_decode_to_what_the_file_holds() {
    let content = fs::read(fixture("tone.ogg")).unwrap();
    let decoded = decode(&content, Path::new("tone"), WHOLE).unwrap();
    assert_eq!(decoded, load(&fixture("tone.ogg"), WHOLE).unwrap());
}

#[test]
fn probing_reads_rate_channels_and_duration() {
    let folder = folder();
    let path = folder.path().join("probe.wav");
    wav(&path, (44_100, 2, 24), (0..2 * 11_025).map(|n| n % 100));
    let info = probe(&path).unwrap();
    assert_eq!((info.sample_rate, info.channels, info.duration_s), (44_100, 2, 0.25));
}

#[test]
fn a_missing_file_and_a_folder_are_unreadable() {
    let folder = folder();
    for path in [folder.path().join("none.wav"), folder.path().to_owned()] {
        let error = load(&path, WHOLE).unwrap_err();
        assert!(matches!(error.problem, Problem::Unreadable(_)), "{error:?}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert!(probe(&path).is_err());
    }
}

#[test]
fn text_is_not_audio_whatever_its_name() {
    let folder = folder();
    let path = folder.path().join("text.wav");
    for text in ["x", "This is not a recording.\n", &"All work and no play. ".repeat(5000)] {
        fs::write(&path, text).unwrap();
        assert!(matches!(problem(load(&path, WHOLE)), Problem::NotAudio));
        assert!(matches!(probe(&path).unwrap_err().problem, Problem::NotAudio));
    }
}

#[test]
fn a_truncated_wav_is_an_error_and_says_what_is_missing() {
    let folder = folder();
    let path = folder.path().join("short.wav");
    wav(&path, (16_000, 1, 16), 0..16_000i16);
    let content = fs::read(&path).unwrap();
    for kept in [content.len() - 2, 44 + 2 * 7000, 44 + 2 * 7000 + 1, 44 + 2] {
        fs::write(&path, &content[..kept]).unwrap();
        let found_expected = (kept as u64 - 44) / 2;
        match problem(load(&path, WHOLE)) {
            Problem::Truncated { promised: 16_000, found } => assert_eq!(found, found_expected),
            other => panic!("{kept} bytes kept: {other:?}"),
        }
    }
}

#[test]
fn a_wav_of_unknown_length_is_read_to_its_end() {
    let folder = folder();
    let path = folder.path().join("streamed.wav");
    wav(&path, (16_000, 1, 16), 0..1000i16);
    let mut content = fs::read(&path).unwrap();
    content[4..8].fill(0xff);
    content[40..44].fill(0xff);
    assert_eq!(decode(&content, &path, WHOLE).unwrap().len(), 1000);
}

#[test]
fn files_without_samples_are_empty() {
    let folder = folder();
    let path = folder.path().join("empty.wav");
    wav::<i16>(&path, (16_000, 1, 16), []);
    assert!(matches!(problem(load(&path, WHOLE)), Problem::Empty));
    assert!(matches!(probe(&path).unwrap_err().problem, Problem::Empty));
    fs::write(&path, "").unwrap();
    assert!(matches!(problem(load(&path, WHOLE)), Problem::Empty));
}

#[test]
fn samples_that_are_no_numbers_or_overflow_are_errors() {
    let folder = folder();
    let path = folder.path().join("float.wav");
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e30, f32::MAX] {
        for channels in [1, 2] {
            wav(&path, (48_000, channels, 32), [0.0, 0.0, 0.1, bad, 0.2, 0.2]);
            let place = 3 / usize::from(channels);
            let found = problem(load(&path, WHOLE));
            assert!(matches!(found, Problem::OffScale { index, .. } if index == place));
        }
    }
}

#[test]
fn a_flac_with_a_flipped_bit_is_broken() {
    let mut content = fs::read(fixture("tone.flac")).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    assert!(decode(&content, Path::new("flipped.flac"), WHOLE).is_err());
}

#[test]
fn a_codec_that_cannot_be_decoded_is_named() {
    let error = load(&fixture("tone.opus"), WHOLE).unwrap_err();
    assert!(error.to_string().contains("cannot be decoded (Opus)"), "{error}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: 200, failure_persistence: None, ..Default::default()
    })]

    #[test]
    fn any_bytes_give_samples_or_an_error(
        content in proptest::collection::vec(proptest::num::u8::ANY, 0..600),
        header in proptest::sample::select(vec![0usize, 12, 44, 60]),
    ) {
        let mut bytes = fs::read(fixture("tone-mulaw.wav")).unwrap()[..header].to_vec();
        bytes.extend(content);
        if let Ok(samples) = decode(&bytes, Path::new("fuzz"), WHOLE) {
            proptest::prop_assert!(samples.iter().all(|s| s.is_finite()));
        }
    }
}
