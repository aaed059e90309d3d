//! Exponential, logistic function and exact GELU of `f32`, by additions, multiplications and divisions
//! alone: compilers vectorise them, and the bits are the same on every machine.

use crate::rows::RowWork;

/// e to the power `x`, to two units in the last place; below −87 as at −87 (10⁻³⁸).
///
/// x = n ln 2 + r with |r| ≤ ½ ln 2, whose exponential is a Taylor polynomial.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// Added to a small number it leaves the nearest whole one in the low bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first of few bits: its product with `n` is exact.
    const LN_2: [f32; 2] = [0.693_359_375, -2.121_944_4e-4];
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let tail = 1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)));
    let power = 1.0 + (r + r * r * (0.5 + r * (1.0 / 6.0 + r * tail)));
    f32::from_bits(power.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// [`exp`] of what is not above 0, and 0 below −60, where it counts for nothing beside 1: the products of smaller
/// numbers are subnormal, for which processors take a hundred times as long.
#[inline(always)]
pub(crate) fn decay(x: f32) -> f32 {
    if x < -60.0 { 0.0 } else { exp(x) }
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// x Φ(x), with Φ the distribution function of the standard normal distribution (Hendrycks & Gimpel
/// 2016), to 5·10⁻⁷.
///
/// The tail 1 − Φ(|x|) is formula 7.1.26 of Abramowitz & Stegun 1964 for the error function.
#[inline(always)]
fn gelu(x: f32) -> f32 {
    /// `p / √2` of the formula, and half of its coefficients.
    const P: f32 = 0.231_641_89;
    const A: [f32; 5] = [0.127_414_796, -0.142_248_37, 0.710_706_87, -0.726_576_01, 0.530_702_715];
    let size = x.abs();
    let t = 1.0 / (1.0 + P * size);
    let polynomial = t * (A[0] + t * (A[1] + t * (A[2] + t * (A[3] + t * A[4]))));
    let tail = polynomial * decay(-0.5 * x * x);
    (if x > 0.0 { x } else { 0.0 }) - size * tail
}

/// [`gelu`] of every value of a row.
pub(crate) struct Gelu;

impl RowWork for Gelu {
    #[inline(always)]
    fn of_row(&self, row: &mut [f32]) {
        for x in row {
            *x = gelu(*x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> impl Iterator<Item = f32> {
        (-200_000_i32..=200_000).map(|i| i as f32 * 5e-5)
    }

    /// Φ(x) x in `f64`: the tail by its continued fraction beyond 2, by the series of the error
    /// function (Abramowitz & Stegun 7.1.6) below.
    fn exact(x: f64) -> f64 {
        let size = x.abs();
        let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let tail = if size > 2.0 {
            density / (1..200).rev().fold(size, |below, k| size + f64::from(k) / below)
        } else {
            let term = |term: f64, k: i32| term * x * x / f64::from(2 * k + 1);
            let terms = (1..60).scan(size, |last, k| {
                *last = term(*last, k);
                Some(*last)
            });
            0.5 - density * (size + terms.sum::<f64>())
        };
        if x > 0.0 { x - x * tail } else { x * tail }
    }

    #[test]
    fn gelu_is_exact_to_the_rounding_of_single_precision() {
        let worst = points().map(|x| (f64::from(gelu(x)) - exact(f64::from(x))).abs());
        let worst = worst.fold(0.0, f64::max);
        assert!(worst < 5e-7, "{worst:e}");
        // By scipy: 1.5 * norm.cdf(1.5) and so on.
        let known = [(1.5, 1.399_789_198), (-0.7, -0.169_374_457), (3.0, 2.995_950_306)];
        for (x, expected) in known {
            assert!((f64::from(gelu(x)) - expected).abs() < 5e-7, "{x}");
        }
        let ends = [gelu(0.0), gelu(-40.0).abs(), gelu(1e30), gelu(f32::NAN)];
        assert!(
            ends[0] == 0.0 && ends[1] < 1e-30 && ends[2] == 1e30 && ends[3].is_nan(),
            "{ends:?}"
        );
    }

    #[test]
    fn the_tangent_form_of_gelu_would_be_noticed() {
        let tangent = |x: f32| 0.5 * x * (1.0 + (0.797_884_6 * (x + 0.044_715 * x * x * x)).tanh());
        assert!(points().any(|x| (f64::from(tangent(x)) - exact(f64::from(x))).abs() > 1e-4));
    }

    #[test]
    fn no_decay_is_so_small_that_its_products_are_slow() {
        assert!(decay(-60.5) == 0.0 && decay(-1e30) == 0.0 && decay(-1.0) == exp(-1.0));
        let least = decay(-60.0);
        assert!(least > 0.0 && (least * 1e-10).is_normal());
        assert!((-40..=-12).all(|x| gelu(x as f32) == 0.0 || gelu(x as f32).abs().is_normal()));
    }

    #[test]
    fn exponentials_have_the_precision_of_their_type() {
        let ratio = |x: f32| (f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs();
        let worst = points().map(|x| ratio(x * 8.0)).fold(0.0, f64::max);
        assert!(worst < 2.5e-7, "{worst:e}");
        assert!(exp(-1000.0) < 2e-38 && exp(f32::NAN).is_nan() && exp(0.0) == 1.0);
        assert!((sigmoid(0.3) - 0.574_442_5).abs() < 1e-7);
    }
}
