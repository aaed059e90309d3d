//! The inverse transforms of §8: sums of cosines over a real, even spectrum, of many frames at once.

use pulp::Simd;

use crate::fft::{Bins, Complex, RealFft, multiply, rotation};
use crate::lanes::Rows;

/// The sum of §8 over a spectrum S of N + 1 values, N a power of two and at least 2:
/// I\[n\] = (S\[0\] + (-1)ⁿ S\[N\]) / 2 + Σ S\[k\] cos(π k n / N), k = 1..N-1, for n = 0..N.
///
/// Terms with even k are such a sum of half the length. Those with odd k are
/// Re(e^(-iπn/N) R\[n\]), with R the transform of the N/2 real values S\[1\], S\[5\], S\[9\] …, which
/// come back downwards from S\[N\]: split radix. Nothing is divided by a sine, so no digits are lost.
#[derive(Clone)]
pub(crate) struct CosineSum {
    intervals: usize,
    /// From the shortest sum to the whole one.
    levels: Vec<Level>,
    scratch: Rows,
}

impl CosineSum {
    /// For spectra of `intervals` + 1 values.
    pub(crate) fn new(intervals: usize) -> Self {
        let lengths = (2..).map(|power| 1 << power).take_while(|&length| length <= intervals);
        Self {
            intervals,
            levels: lengths.map(|length| Level::new(length, intervals / length)).collect(),
            scratch: Rows::new(intervals / 2),
        }
    }

    /// Writes the sums over `spectrum` into `out`; both have a row for each value.
    #[inline(always)]
    pub(crate) fn run<S: Simd>(&mut self, simd: S, spectrum: &[S::f32s], out: &mut [S::f32s]) {
        let scratch = self.scratch.get_mut::<S>();
        shortest(simd, [0, 1, 2].map(|k| spectrum[k * self.intervals / 2]), out);
        for level in &self.levels {
            let odd = &mut scratch[..level.odd.len()];
            for (row, &k) in odd.iter_mut().zip(&level.odd) {
                *row = spectrum[k];
            }
            level.extend(simd, odd, out);
        }
    }
}

/// The sum over two intervals.
#[inline(always)]
fn shortest<S: Simd>(simd: S, [first, middle, last]: [S::f32s; 3], out: &mut [S::f32s]) {
    let half = simd.splat_f32s(0.5);
    let even = simd.mul_f32s(half, simd.add_f32s(first, last));
    out[0] = simd.add_f32s(even, middle);
    out[1] = simd.mul_f32s(half, simd.sub_f32s(first, last));
    out[2] = simd.sub_f32s(even, middle);
}

/// The odd terms of a sum over N intervals.
#[derive(Clone)]
struct Level {
    /// The values that are transformed, by their numbers in the whole spectrum.
    odd: Vec<usize>,
    fft: RealFft,
    /// ½ e^(-iπn/N) for n = 0..N/4; the transform gives twice its bins.
    turns: Vec<[f32; 2]>,
}

impl Level {
    /// `stride` is from one value of this sum to the next in the whole spectrum.
    fn new(intervals: usize, stride: usize) -> Self {
        let mirrored = |k: usize| if k > intervals { 2 * intervals - k } else { k };
        let turn = |n: usize| rotation(n as f64 / (2 * intervals) as f64).map(|part| 0.5 * part);
        Self {
            odd: (0..intervals / 2).map(|j| mirrored(4 * j + 1) * stride).collect(),
            fft: RealFft::new(intervals / 2),
            turns: (0..=intervals / 4).map(turn).collect(),
        }
    }

    /// Makes the sum over the even terms, in `out[..=N/2]`, into that over all, in `out[..=N]`.
    #[inline(always)]
    fn extend<S: Simd>(&self, simd: S, odd: &mut [S::f32s], out: &mut [S::f32s]) {
        let half = odd.len();
        self.fft.run(simd, odd, Spread { simd, half, turns: &self.turns, out });
    }
}

/// Adds the odd terms to the even ones. A bin counts in four sums, mirrored about N/2 and N/4.
struct Spread<'a, S: Simd> {
    simd: S,
    half: usize,
    turns: &'a [[f32; 2]],
    out: &'a mut [S::f32s],
}

impl<S: Simd> Bins<S> for Spread<'_, S> {
    #[inline(always)]
    fn take(&mut self, n: usize, twice: Complex<S>) {
        let Self { simd, half, .. } = *self;
        let [re, im] = multiply(simd, twice, self.turns[n]);
        let (near, far) = (self.out[n], self.out[half - n]);
        self.out[n] = simd.add_f32s(near, re);
        self.out[2 * half - n] = simd.sub_f32s(near, re);
        self.out[half + n] = simd.add_f32s(far, im);
        self.out[half - n] = simd.sub_f32s(far, im);
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use pulp::Scalar;

    use super::*;

    #[test]
    fn equals_the_sums_it_stands_for_at_every_length() {
        for intervals in (1..=10).map(|power| 1 << power) {
            let spectrum: Vec<f32> = (0..=intervals).map(|k| (k as f32 * 0.7).sin()).collect();
            let mut out = vec![f32::NAN; intervals + 1];
            CosineSum::new(intervals).run(Scalar, &spectrum, &mut out);
            for (n, &got) in out.iter().enumerate() {
                let error = f64::from(got) - direct(&spectrum, n);
                assert!(error.abs() < 1e-6 * intervals as f64, "{intervals}, {n}: {error}");
            }
        }
    }

    fn direct(spectrum: &[f32], n: usize) -> f64 {
        let last = spectrum.len() - 1;
        let term = |(k, &s): (usize, &f32)| {
            let weight = if k == 0 || k == last { 0.5 } else { 1.0 };
            weight * f64::from(s) * (PI * (k * n % (2 * last)) as f64 / last as f64).cos()
        };
        spectrum.iter().enumerate().map(term).sum()
    }
}
