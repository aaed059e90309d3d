//! Layer normalisation (Ba et al. 2016), and group normalisation (Wu & He 2018) with a channel per group.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::EncoderError;
use crate::rows::{RowWork, for_rows, sum};
use crate::scope::Scope;

/// Rows to mean 0 and variance 1, then times `weight` plus `bias`.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    eps: f64,
}

impl LayerNorm {
    /// The norm of tensors `weight` and `bias`, each of `width` values.
    pub(crate) fn read(scope: &Scope, width: usize, eps: f64) -> Result<Self, EncoderError> {
        let [weight, bias] = [scope.values("weight", width)?, scope.values("bias", width)?];
        Ok(Self { weight, bias, eps })
    }

    /// Normalises every row of `values`.
    pub(crate) fn apply(&self, values: &mut [f32]) {
        for_rows(values, self.weight.len(), self);
    }

    /// These rows, normalised.
    pub(crate) fn of(&self, rows: &[f32]) -> Vec<f32> {
        let mut out = rows.to_vec();
        self.apply(&mut out);
        out
    }
}

/// Normalises one row.
impl RowWork for LayerNorm {
    #[inline(always)]
    fn of_row(&self, row: &mut [f32]) {
        let count = row.len() as f64;
        let mean = sum(row, |x| x) / count;
        let variance = sum(row, |x| (x - mean) * (x - mean)) / count;
        let (mean, scale) = (mean as f32, (variance + self.eps).sqrt().recip() as f32);
        for ((x, &weight), &bias) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
            *x = (*x - mean) * scale * weight + bias;
        }
    }
}

/// x · scale + shift, each value with its own.
struct Line<'a> {
    scales: &'a [f32],
    shifts: &'a [f32],
}

impl RowWork for Line<'_> {
    #[inline(always)]
    fn of_row(&self, row: &mut [f32]) {
        for ((x, &scale), &shift) in row.iter_mut().zip(self.scales).zip(self.shifts) {
            *x = *x * scale + shift;
        }
    }
}

/// Channels to mean 0 and variance 1 over all frames, then times `weight` plus `bias`.
#[derive(Debug)]
pub(crate) struct ChannelNorm(LayerNorm);

impl ChannelNorm {
    /// Frames whose sums are added up on one thread.
    const FRAMES: usize = 256;

    /// The norm of tensors `weight` and `bias`, each of `channels` values.
    pub(crate) fn read(scope: &Scope, channels: usize, eps: f64) -> Result<Self, EncoderError> {
        LayerNorm::read(scope, channels, eps).map(Self)
    }

    /// Normalises `values`, frames × channels; `then` is done to each frame.
    pub(crate) fn apply(&self, values: &mut [f32], then: impl RowWork) {
        let lines = self.lines(values);
        let (scales, shifts) = lines.split_at(lines.len() / 2);
        for_rows(values, scales.len(), (Line { scales, shifts }, then));
    }

    /// The scale of every channel, then the shift of every channel.
    fn lines(&self, values: &[f32]) -> Vec<f32> {
        let Self(LayerNorm { weight, bias, eps }) = self;
        let channels = weight.len();
        let count = (values.len() / channels) as f64;
        let sums = self.sums(values);
        let line = |channel: usize| {
            let mean = sums[channel] / count;
            let variance = (sums[channels + channel] / count - mean * mean).max(0.0);
            let scale = f64::from(weight[channel]) / (variance + eps).sqrt();
            [scale as f32, (f64::from(bias[channel]) - mean * scale) as f32]
        };
        let lines: Vec<[f32; 2]> = (0..channels).map(line).collect();
        (0..2).flat_map(|part| lines.iter().map(move |line| line[part])).collect()
    }

    /// The sum of every channel, then that of its squares.
    fn sums(&self, values: &[f32]) -> Vec<f64> {
        let channels = self.0.weight.len();
        let of_piece = |piece: &[f32]| {
            let mut sums = vec![0.0; 2 * channels];
            Arch::new().dispatch(Moments { sums: &mut sums, frames: piece });
            sums
        };
        let parts: Vec<_> = values.par_chunks(Self::FRAMES * channels).map(of_piece).collect();
        let mut total = vec![0.0; 2 * channels];
        for part in parts {
            total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
        }
        total
    }
}

/// Adds values and squares of all frames to the first and the second half of `sums`.
struct Moments<'a> {
    sums: &'a mut [f64],
    frames: &'a [f32],
}

impl WithSimd for Moments<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (sums, squares) = self.sums.split_at_mut(self.sums.len() / 2);
        for frame in self.frames.chunks_exact(sums.len()) {
            for ((sum, square), &x) in sums.iter_mut().zip(&mut *squares).zip(frame) {
                let x = f64::from(x);
                *sum += x;
                *square += x * x;
            }
        }
    }
}

#[cfg(test)]
impl LayerNorm {
    /// One that neither scales nor shifts.
    pub(crate) fn of_ones(width: usize) -> Self {
        Self { weight: vec![1.0; width], bias: vec![0.0; width], eps: 1e-5 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attention::Exponentials;

    #[test]
    fn rows_are_normalised_whatever_their_width() {
        for width in [1, 15, 16, 37] {
            let row: Vec<f32> = (0..width).map(|at| (at as f32 * 1.7).sin() * 3.0 + 1.0).collect();
            let rows = [row.clone(), row.iter().map(|x| -x).collect()].concat();
            let mut shares = rows.clone();
            let mut totals = [0.0; 2];
            Arch::new().dispatch(Exponentials { scores: &mut shares, totals: &mut totals });
            for (row, total) in shares.chunks_exact_mut(width).zip(totals) {
                for value in row {
                    *value = (f64::from(*value) / total) as f32;
                }
            }
            let whole: f64 = row.iter().map(|&x| f64::from(x).exp()).sum();
            for (share, &x) in shares.iter().zip(&row) {
                assert!((f64::from(*share) - f64::from(x).exp() / whole).abs() < 1e-6);
            }
            let norm = LayerNorm { weight: vec![2.0; width], bias: vec![1.0; width], eps: 1e-5 };
            let normal = norm.of(&rows);
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
