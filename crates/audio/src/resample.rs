//! From the file's sampling rate to 16 kHz.

use std::ops::RangeInclusive;

use audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

use crate::{Problem, SAMPLE_RATE, check_length};

/// Rates that recordings of speech have, in Hz.
const RATES: RangeInclusive<u32> = 4_000..=384_000;

/// Length of the transforms in seconds. The longer, the steeper the filter below half the lower
/// rate; at 0.1 s it passes 7.8 kHz unharmed.
const BLOCK_S: f64 = 0.1;

/// `samples` at 16 kHz, ⌈n · 16000 / rate⌉ of them, without the filter's delay. Samples that are at
/// 16 kHz already stay as they are, to the bit.
pub(crate) fn to_16_khz(samples: Vec<f32>, rate: u32) -> Result<Vec<f32>, Problem> {
    if rate == SAMPLE_RATE {
        return Ok(samples);
    }
    if !RATES.contains(&rate) {
        return Err(Problem::Rate(rate));
    }
    check_length((samples.len() as u64 * u64::from(SAMPLE_RATE)).div_ceil(u64::from(rate)))?;
    let unsupported = |e: &dyn std::error::Error| Problem::Unsupported(e.to_string());
    let (from, to) = (rate as usize, SAMPLE_RATE as usize);
    let window = WindowFunction::BlackmanHarris2;
    let mut resampler = Fft::new_custom(from, to, block(rate), 1, 1, window, FixedSync::Both)
        .map_err(|e| unsupported(&e))?;
    let input = InterleavedSlice::new(&samples, 1, samples.len()).map_err(|e| unsupported(&e))?;
    let output = resampler.process_all(&input, samples.len(), None).map_err(|e| unsupported(&e))?;
    Ok(output.take_data())
}

/// Samples at `rate` Hz in one transform: about [`BLOCK_S`], an even number (the filter would be half
/// a sample off its middle otherwise) that is a whole number of samples at 16 kHz as well.
fn block(rate: u32) -> usize {
    let smallest = 2 * (rate / greatest_common_divisor(rate, SAMPLE_RATE)) as usize;
    ((BLOCK_S * f64::from(rate)) as usize).next_multiple_of(smallest)
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    fn sine(hz: f64, rate: u32, seconds: f64) -> Vec<f32> {
        let length = (seconds * f64::from(rate)) as usize;
        let sample = |n| (0.5 * (TAU * hz * n as f64 / f64::from(rate)).sin()) as f32;
        (0..length).map(sample).collect()
    }

    /// Largest difference in the middle half, where the ends do not reach.
    fn difference(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        let quarter = a.len() / 4;
        let inner = a.iter().zip(b).skip(quarter).take(2 * quarter);
        inner.map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn sines_keep_their_frequency_level_and_phase() {
        for rate in [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000] {
            for hz in [50.0, 440.0, 3000.0, 7800.0] {
                if hz > 0.48 * f64::from(rate) {
                    continue;
                }
                let out = to_16_khz(sine(hz, rate, 1.0), rate).unwrap();
                let error = difference(&out, &sine(hz, SAMPLE_RATE, 1.0));
                assert!(error < 2e-5, "{hz} Hz at {rate} Hz: {error}");
            }
        }
    }

    #[test]
    fn what_16_khz_cannot_hold_is_gone_and_does_not_fold_back() {
        for hz in [8200.0, 9000.0, 12_000.0, 20_000.0] {
            let out = to_16_khz(sine(hz, 48_000, 1.0), 48_000).unwrap();
            assert!(difference(&out, &vec![0.0; out.len()]) < 1e-5, "{hz}");
        }
    }

    #[test]
    fn rates_that_no_recording_has_are_refused() {
        for rate in [0, 1, 3_999, 384_001, u32::MAX] {
            assert!(matches!(to_16_khz(vec![0.0; 9], rate), Err(Problem::Rate(r)) if r == rate));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn the_length_is_the_exact_one_rounded_up(
            length in 1usize..5000,
            rate in prop::sample::select(vec![8_000u32, 22_050, 44_100, 48_000, 47_999]),
        ) {
            let out = to_16_khz(vec![0.1; length], rate).unwrap();
            let exact = (length as u64 * 16_000).div_ceil(u64::from(rate));
            prop_assert_eq!(out.len() as u64, exact);
            prop_assert!(out.iter().all(|s| s.is_finite()));
        }

        #[test]
        fn samples_at_16_khz_stay_as_they_are(
            samples in prop::collection::vec(-1.0f32..1.0, 0..100),
        ) {
            prop_assert_eq!(to_16_khz(samples.clone(), SAMPLE_RATE).unwrap(), samples);
        }
    }
}
