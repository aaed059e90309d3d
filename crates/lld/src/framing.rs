//! From samples to frames: scaling (§1), frames (§2), pre-emphasis (§3) and windows (§4).

use crate::SAMPLE_RATE;
use crate::set::Window;

/// §1: openSMILE divides 16-bit samples by 32767; those that come in were divided by 32768.
const RESCALE: f64 = 32768.0 / 32767.0;

/// Number of samples in `ms` milliseconds.
pub(crate) const fn samples(ms: u32) -> usize {
    (ms * (SAMPLE_RATE / 1000)) as usize
}

/// §2: number of whole frames of `length` every `step` samples in `total` samples.
pub(crate) fn frame_count(total: usize, length: usize, step: usize) -> usize {
    if total < length { 0 } else { (total - length) / step + 1 }
}

/// §1: a sample in units of 1/32768 brought to openSMILE's units of 1/32767, rounded once. The
/// product in double precision is off by at most 2⁻⁵² of itself, and no single-precision number
/// times 32768/32767 lies closer than 2⁻⁴¹ of itself to where rounding would go the other way.
#[inline(always)]
pub(crate) fn rescale(sample: f32) -> f32 {
    (f64::from(sample) * RESCALE) as f32
}

/// §4: the symmetric window over `length` points.
pub(crate) fn window(window: Window, length: usize) -> Vec<f64> {
    let last = (length - 1) as f64;
    let point = |n: usize| match window {
        Window::Hamming => 0.54 - 0.46 * libm::cos(std::f64::consts::TAU * n as f64 / last),
        Window::Gauss { sigma } => {
            let deviations = (n as f64 - last / 2.0) / (sigma * last / 2.0);
            libm::exp(-0.5 * deviations * deviations)
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

        #[test]
        fn all_samples_are_rounded_once(x in -1.0f32..=1.0) {
            // The product by a power of two is exact, so only the division rounds.
            prop_assert_eq!(rescale(x), x * 32768.0 / 32767.0);
        }
    }

    #[test]
    fn less_than_a_frame_is_no_frame() {
        assert_eq!([0, 1, 399].map(|n| frame_count(n, 400, 160)), [0, 0, 0]);
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
