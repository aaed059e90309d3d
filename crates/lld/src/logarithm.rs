//! Natural logarithms of many frames at once.
//!
//! The bounds of error stated here hold for every normal number of the range; the tests try one in a
//! thousand or two.
//!
//! x = 2ᵏ (1 + f) with f between √½ - 1 and √2 - 1, and ln x = k ln 2 + f - f²/2 + f³ P(f).

use pulp::Simd;

use crate::lanes::Lanes;

/// P, highest power first: minimax for the relative error of the logarithm, which stays below
/// 6e-9 before rounding.
const P: [f32; 8] = [
    -0.076345,
    0.12761578,
    -0.13160183,
    0.14201757,
    -0.16623357,
    0.20001227,
    -0.2500082,
    0.3333333,
];

/// ln 2 in two parts: nine bits, whose product with an exponent is exact, and the rest.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// Bits of √½, of 1 and of a mantissa.
const SQRT_HALF_BITS: u32 = 0x3f35_04f3;
const ONE_BITS: u32 = 0x3f80_0000;
const MANTISSA_BITS: u32 = 0x007f_ffff;
/// 2²³: the number whose lowest bit of mantissa is worth 1.
const WHOLE_BITS: u32 = 0x4b00_0000;
const WHOLE: f32 = 8_388_608.0;
/// What is added to exponents in the bits of a number.
const BIAS: u32 = 127;

/// ln x for 1 ≤ x < 2¹²⁶; the error is below 1.5 units in the last place. NaN where x is not finite,
/// so that sound far beyond full scale is noticed.
#[inline(always)]
pub(crate) fn ln<S: Simd>(simd: S, x: Lanes<S>) -> Lanes<S> {
    let Scaled { fraction, exponent, .. } = scale(simd, x);
    // x · 0 is 0, or NaN where x is not finite.
    from_parts(simd, exponent, fraction) + x * 0.0
}

/// ln(1 + x) for 0 ≤ x < 2¹²⁶, also where 1 + x is rounded to 1; the error is below 1.5 units in
/// the last place.
#[inline(always)]
pub(crate) fn ln_1p<S: Simd>(simd: S, x: Lanes<S>) -> Lanes<S> {
    let one = Lanes::splat(simd, 1.0);
    let sum = one + x;
    // What rounding took from the sum: exact, by the order of the two terms.
    let small = x.below(one);
    let lost = (x - (sum - one)).where_set(small, one - (sum - x));
    let Scaled { fraction, exponent, unit } = scale(simd, sum);
    from_parts(simd, exponent, fraction + lost * unit)
}

/// A number as 2^exponent (1 + fraction), and `unit` = 2^-exponent.
struct Scaled<S: Simd> {
    fraction: Lanes<S>,
    exponent: Lanes<S>,
    unit: Lanes<S>,
}

#[inline(always)]
fn scale<S: Simd>(simd: S, x: Lanes<S>) -> Scaled<S> {
    let splat = |bits| simd.splat_u32s(bits);
    let shifted = simd.add_u32s(x.bits(), splat(ONE_BITS - SQRT_HALF_BITS));
    let biased = simd.wrapping_dyn_shr_u32s(shifted, splat(23));
    let mantissa =
        simd.add_u32s(simd.and_u32s(shifted, splat(MANTISSA_BITS)), splat(SQRT_HALF_BITS));
    let unit = simd.wrapping_dyn_shl_u32s(simd.sub_u32s(splat(2 * BIAS), biased), splat(23));
    let whole = Lanes::from_bits(simd, simd.or_u32s(biased, splat(WHOLE_BITS)));
    Scaled {
        fraction: Lanes::from_bits(simd, mantissa) - Lanes::splat(simd, 1.0),
        exponent: whole - Lanes::splat(simd, WHOLE + BIAS as f32),
        unit: Lanes::from_bits(simd, unit),
    }
}

#[inline(always)]
fn from_parts<S: Simd>(simd: S, exponent: Lanes<S>, f: Lanes<S>) -> Lanes<S> {
    let mut p = Lanes::splat(simd, P[0]);
    for &c in &P[1..] {
        p = p * f + Lanes::splat(simd, c);
    }
    let square = f * f;
    let tail = square * f * p + exponent * LN_2[1] - square * 0.5;
    f + tail + exponent * LN_2[0]
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use pulp::Scalar;

    use super::*;

    const LIMIT: f32 = 8.5e37;

    type Function = fn(Scalar, Lanes<Scalar>) -> Lanes<Scalar>;

    /// Largest error over every `stride`th number of `bits`, in units in the last place, and where.
    fn worst(bits: Range<u32>, stride: usize, f: Function, exact: fn(f64) -> f64) -> (f64, f32) {
        let error = |bits: u32| {
            let x = f32::from_bits(bits);
            let got = f(Scalar, Lanes::of(Scalar, x)).register();
            let expected = exact(f64::from(x));
            let unit = (expected as f32).next_up() - expected as f32;
            ((f64::from(got) - expected).abs() / f64::from(unit), x)
        };
        bits.step_by(stride).map(error).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
    }

    #[test]
    fn what_is_not_finite_has_no_logarithm() {
        for x in [f32::INFINITY, f32::NAN] {
            assert!(ln(Scalar, Lanes::of(Scalar, x)).register().is_nan(), "{x}");
        }
    }

    #[test]
    fn the_logarithm_is_within_a_unit_and_a_half_in_the_last_place() {
        let (error, x) = worst(1.0f32.to_bits()..LIMIT.to_bits(), 997, ln, f64::ln);
        assert!(error < 1.5, "{error} at {x}");
        assert_eq!(ln(Scalar, Lanes::of(Scalar, 1.0)).register(), 0.0);
    }

    #[test]
    fn that_of_one_more_is_so_too_down_to_the_smallest_normal_number() {
        let normal = f32::MIN_POSITIVE.to_bits()..LIMIT.to_bits();
        let (error, x) = worst(normal, 1997, ln_1p, f64::ln_1p);
        assert!(error < 1.5, "{error} at {x}");
        assert_eq!(ln_1p(Scalar, Lanes::of(Scalar, 0.0)).register(), 0.0);
    }
}
