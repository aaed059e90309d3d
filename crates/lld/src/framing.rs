//! From samples to frames: scaling (§1), frames (§2), pre-emphasis (§3) and windows (§4).

use crate::SAMPLE_RATE;
use crate::set::Window;

/// §1: openSMILE divides 16-bit samples by 32767.
const FULL_SCALE: f32 = 32767.0;
/// The convention of the input: 16-bit samples divided by 32768.
const INPUT_SCALE: f32 = 32768.0;

/// Number of samples in `ms` milliseconds.
pub(crate) const fn samples(ms: u32) -> usize {
    (ms * (SAMPLE_RATE / 1000)) as usize
}

/// §2: number of whole frames of `length` every `step` samples in `total` samples.
pub(crate) fn frame_count(total: usize, length: usize, step: usize) -> usize {
    if total < length { 0 } else { (total - length) / step + 1 }
}

/// §1: a sample in units of 1/32768 brought to openSMILE's units of 1/32767. The product is exact,
/// so a 16-bit sample is rounded once, as there.
pub(crate) fn rescale(sample: f32) -> f32 {
    sample * INPUT_SCALE / FULL_SCALE
}

/// §3: writes the frame less `k` times its past, the first sample less `k` times itself. Each frame
/// is on its own: the sample before it does not count.
pub(crate) fn pre_emphasise(frame: &[f32], k: f32, out: &mut [f32]) {
    let Some(&first) = frame.first() else { return };
    out[0] = (1.0 - k) * first;
    for ((y, &past), &now) in out[1..].iter_mut().zip(frame).zip(&frame[1..]) {
        *y = now - k * past;
    }
}

/// §4: the symmetric window over `length` points.
pub(crate) fn window(window: Window, length: usize) -> Vec<f64> {
    let last = (length - 1) as f64;
    let point = |n: usize| match window {
        Window::Hamming => 0.54 - 0.46 * (std::f64::consts::TAU * n as f64 / last).cos(),
        Window::Gauss { sigma } => {
            let deviations = (n as f64 - last / 2.0) / (sigma * last / 2.0);
            (-0.5 * deviations * deviations).exp()
        }
    };
    (0..length).map(point).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_last_frame_fits_and_one_more_would_not(total in 400usize..100_000) {
            let count = frame_count(total, 400, 160);
            prop_assert!((count - 1) * 160 + 400 <= total);
            prop_assert!(count * 160 + 400 > total);
        }

        #[test]
        fn sixteen_bit_samples_are_rounded_once(s in i16::MIN..=i16::MAX) {
            prop_assert_eq!(rescale(f32::from(s) / 32768.0), f32::from(s) / 32767.0);
        }
    }

    #[test]
    fn less_than_a_frame_is_no_frame() {
        assert_eq!([0, 1, 399].map(|n| frame_count(n, 400, 160)), [0, 0, 0]);
    }

    #[test]
    fn pre_emphasis_leaves_three_hundredths_of_a_constant() {
        let mut out = [0.0; 4];
        pre_emphasise(&[2.0; 4], 0.97, &mut out);
        assert!(out.iter().all(|y| (y - 0.06).abs() < 1e-6), "{out:?}");
    }

    #[test]
    fn no_pre_emphasis_is_the_identity() {
        let mut out = [0.0; 3];
        pre_emphasise(&[1.0, -2.0, 3.0], 0.0, &mut out);
        assert_eq!(out, [1.0, -2.0, 3.0]);
    }

    #[test]
    fn windows_are_symmetric_with_their_peak_in_the_middle() {
        for kind in [Window::Hamming, Window::Gauss { sigma: 0.4 }] {
            let w = window(kind, 401);
            assert!((w[200] - 1.0).abs() < 1e-12);
            assert!((0..401).all(|n| (w[n] - w[400 - n]).abs() < 1e-12));
        }
    }

    #[test]
    fn windows_end_where_their_formula_says() {
        assert!((window(Window::Hamming, 400)[0] - 0.08).abs() < 1e-12);
        // 2.5 standard deviations from the middle.
        let edge = window(Window::Gauss { sigma: 0.4 }, 800)[799];
        assert!((edge - (-3.125f64).exp()).abs() < 1e-12);
    }
}
