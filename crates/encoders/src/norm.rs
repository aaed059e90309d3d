//! Layer normalisation (Ba et al. 2016), and group normalisation (Wu & He 2018) with a channel per group.

use rayon::prelude::*;

use crate::EncoderError;
use crate::rows::{for_rows, sum};
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
        for_rows(values, self.weight.len(), |row| self.row(row));
    }

    /// Normalises one row.
    #[inline(always)]
    pub(crate) fn row(&self, row: &mut [f32]) {
        let count = row.len() as f64;
        let mean = sum(row, |x| x) / count;
        let variance = sum(row, |x| (x - mean) * (x - mean)) / count;
        let (mean, scale) = (mean as f32, (variance + self.eps).sqrt().recip() as f32);
        for ((x, &weight), &bias) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
            *x = (*x - mean) * scale * weight + bias;
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
    pub(crate) fn apply(&self, values: &mut [f32], then: impl Fn(&mut [f32]) + Sync) {
        let lines = self.lines(values);
        for_rows(values, lines.len() / 2, |row| {
            let (scales, shifts) = lines.split_at(lines.len() / 2);
            for ((x, &scale), &shift) in row.iter_mut().zip(scales).zip(shifts) {
                *x = *x * scale + shift;
            }
            then(row);
        });
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
            pulp::Arch::new().dispatch(|| add_moments(&mut sums, piece));
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
#[inline(always)]
fn add_moments(sums: &mut [f64], frames: &[f32]) {
    let (sums, squares) = sums.split_at_mut(sums.len() / 2);
    for frame in frames.chunks_exact(sums.len()) {
        for ((sum, square), &x) in sums.iter_mut().zip(&mut *squares).zip(frame) {
            let x = f64::from(x);
            *sum += x;
            *square += x * x;
        }
    }
}
