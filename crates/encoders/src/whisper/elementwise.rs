//! What is done value by value between the products, in `f32`: written so that compilers make vector
//! instructions of it, and without fused operations, so that bits do not depend on which.

#![expect(
    clippy::inline_always,
    reason = "a function that is not inlined into the dispatched one loses its vector instructions"
)]

use pulp::Arch;

/// Values that are worked side by side.
const LANES: usize = 16;

/// Added by layer normalisation to the variance, as PyTorch does where nothing else is said.
const EPSILON: f64 = 1e-5;

/// Gaussian error linear units in place: x·Φ(x), by the error function and not by tanh.
pub(crate) fn gelu(values: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for x in values {
                *x *= 0.5 + 0.5 * erf(*x * std::f32::consts::FRAC_1_SQRT_2);
            }
        },
    );
}

/// The error function, to 4·10⁻⁷: x·P(x²)/Q(x²), fitted by least squares to its values up to 4, where
/// it is 1 to the last bit.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let x = if x > 4.0 { 4.0 } else { x };
    let x = if x < -4.0 { -4.0 } else { x };
    let z = x * x;
    let p = 1.986_682_95e-6_f32;
    let p = p * z + 2.845_416_89e-4;
    let p = p * z + 3.882_869_85e-3;
    let p = p * z + 5.310_025_81e-2;
    let p = p * z + 0.193_535_998;
    let p = p * z + 1.128_379_11;
    let q = 3.741_785_62e-5_f32;
    let q = q * z + 1.185_430_33e-3;
    let q = q * z + 1.520_632_02e-2;
    let q = q * z + 0.115_345_992;
    let q = q * z + 0.504_849_374;
    x * p / (q * z + 1.0)
}

/// Softmax of every row of `width` values, in place.
pub(crate) fn softmax(rows: &mut [f32], width: usize) {
    Arch::new().dispatch(
        #[inline(always)]
        || rows.chunks_exact_mut(width).for_each(softmax_row),
    );
}

#[inline(always)]
fn softmax_row(row: &mut [f32]) {
    let top = largest(row);
    for x in &mut *row {
        *x = exp(*x - top);
    }
    let scale = (1.0 / sum(row, f64::from)) as f32;
    for x in row {
        *x *= scale;
    }
}

#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(top, &x)| *top = larger(*top, x));
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |top, &x| larger(top, x))
}

/// The sum of something of every value, in a fixed order.
#[inline(always)]
fn sum(row: &[f32], of: impl Fn(f32) -> f64) -> f64 {
    let mut lanes = [0.0_f64; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(sum, &x)| *sum += of(x));
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|&x| of(x)).sum::<f64>()
}

/// e to a power of at most 0, to 2·10⁻⁷ of it; below e⁻⁸⁷, which is next to nothing, that.
///
/// The power is n·ln 2 + r with |r| ≤ ln 2 / 2: a Taylor series for eʳ, and n added to the exponent.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Added to a small number, it leaves the nearest whole one in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first with zeros at the end, so that n times it is exact.
    const LN_2: [f32; 2] = [0.693_359_375, -2.121_944_4e-4];
    let x = if x < -87.0 { -87.0 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = x - n * LN_2[0] - n * LN_2[1];
    let y = 1.0 / 5040.0_f32;
    let y = y * r + 1.0 / 720.0;
    let y = y * r + 1.0 / 120.0;
    let y = y * r + 1.0 / 24.0;
    let y = y * r + 1.0 / 6.0;
    let y = y * r + 0.5;
    let y = y * r + 1.0;
    let y = y * r + 1.0;
    f32::from_bits(y.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// Layer normalisation of rows: less their mean, by their standard deviation, times `gain`, plus `bias`.
pub(crate) fn layer_norm(rows: &[f32], gain: &[f32], bias: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; rows.len()];
    let width = gain.len();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (row, out) in rows.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
                let mean = sum(row, f64::from) / width as f64;
                let spread = |x: f32| (f64::from(x) - mean) * (f64::from(x) - mean);
                let scale = 1.0 / (sum(row, spread) / width as f64 + EPSILON).sqrt();
                let (mean, scale) = (mean as f32, scale as f32);
                for (((out, x), gain), bias) in out.iter_mut().zip(row).zip(gain).zip(bias) {
                    *out = (x - mean) * scale * gain + bias;
                }
            }
        },
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_that_of_libm() {
        for step in -60_000..=60_000_i32 {
            let x = step as f32 / 1e4;
            let truth = libm::erf(f64::from(x));
            assert!((f64::from(erf(x)) - truth).abs() < 4e-7, "{x}");
        }
        assert_eq!((erf(1e30), erf(-1e30)), (erf(4.0), -erf(4.0)));
    }

    #[test]
    fn the_exponential_is_that_of_the_standard_library() {
        for step in 0..=87_000_i32 {
            let x = -step as f32 / 1e3;
            let truth = f64::from(x).exp();
            assert!((f64::from(exp(x)) / truth - 1.0).abs() < 2e-7, "{x}: {} {truth}", exp(x));
        }
        assert_eq!(exp(f32::MIN), exp(-87.0));
    }

    #[test]
    fn rows_are_normalised_whatever_their_width() {
        for width in [1, 15, 16, 37] {
            let row: Vec<f32> = (0..width).map(|at| (at as f32 * 1.7).sin() * 3.0 + 1.0).collect();
            let rows = [row.clone(), row.iter().map(|x| -x).collect()].concat();
            let mut shares = rows.clone();
            softmax(&mut shares, width);
            let whole: f64 = row.iter().map(|&x| f64::from(x).exp()).sum();
            for (share, &x) in shares.iter().zip(&row) {
                assert!((f64::from(*share) - f64::from(x).exp() / whole).abs() < 1e-6);
            }
            let normal = layer_norm(&rows, &vec![2.0; width], &vec![1.0; width]);
            let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / width as f64;
            let spread = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>();
            let sd = (spread / width as f64 + 1e-5).sqrt();
            for (at, &x) in row.iter().enumerate() {
                let truth = (f64::from(x) - mean) / sd * 2.0 + 1.0;
                assert!((f64::from(normal[at]) - truth).abs() < 1e-5);
                assert!((f64::from(normal[width + at]) - (2.0 - truth)).abs() < 1e-5);
            }
        }
    }
}
