//! Zero-crossing rate (§11).

use pulp::Simd;

use crate::lanes::Lanes;

/// Share of the raw frames' samples at which they change sign. A sample of zero counts unless both
/// its neighbours lie on one side, so that in silence every inner sample counts.
#[inline(always)]
pub(crate) fn zero_crossing_rate<S: Simd>(simd: S, frames: &[S::f32s]) -> Lanes<S> {
    let (zero, one) = (Lanes::splat(simd, 0.0), Lanes::splat(simd, 1.0));
    let mut count = zero;
    for rows in frames.windows(3) {
        let [before, now, after] = [0, 1, 2].map(|n| Lanes::of(simd, rows[n]));
        let crosses = (before * now).below(zero);
        let touches = simd.and_m32s(now.equals(zero), (before * after).at_most(zero));
        count = count + one.where_set(simd.or_m32s(crosses, touches), zero);
    }
    count / Lanes::splat(simd, frames.len() as f32)
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;

    fn rate(frame: &[f32]) -> f32 {
        zero_crossing_rate(Scalar, frame).register()
    }

    #[test]
    fn silence_counts_every_inner_sample() {
        assert_eq!(rate(&[0.0; 400]), 398.0 / 400.0);
    }

    #[test]
    fn a_change_of_sign_counts_once_but_not_before_the_last_sample() {
        assert_eq!(rate(&[1.0, -1.0, -1.0, -1.0, 1.0]), 1.0 / 5.0);
    }

    #[test]
    fn touching_zero_from_one_side_does_not_count() {
        assert_eq!(rate(&[1.0, 0.0, 1.0, 1.0]), 0.0);
        assert_eq!(rate(&[1.0, 0.0, -1.0, -1.0]), 1.0 / 4.0);
    }
}
