//! The positional convolution (Baevski et al. 2020, §2): frames learn where they are from their
//! neighbours. Its channels are in groups, its weights normalised (Salimans & Kingma 2016).

use ambivox_nn::{Matrix, product_into};
use candle_core::{DType, Tensor};
use rayon::prelude::*;

use super::config::Config;
use crate::EncoderError;
use crate::activation::Gelu;
use crate::rows::{Add, add, all_rows};
use crate::scope::{Scope, flat};

/// The convolution, with as many frames of zeros on both sides as half of its kernel.
#[derive(Debug)]
pub(super) struct Positions {
    /// For every group, kernel × inputs by outputs.
    groups: Vec<Vec<f32>>,
    bias: Vec<f32>,
    kernel: usize,
}

/// Names of the weight norm's size and direction, of torch's `parametrizations` and of the older one.
const NAMES: [[&str; 2]; 2] = [
    ["parametrizations.weight.original0", "parametrizations.weight.original1"],
    ["weight_g", "weight_v"],
];

impl Positions {
    pub(super) fn read(scope: &Scope, config: &Config) -> Result<Self, EncoderError> {
        let (width, kernel) = (config.hidden_size, config.num_conv_pos_embeddings);
        let count = config.num_conv_pos_embedding_groups;
        let names = NAMES.iter().find(|names| scope.has(names[0])).unwrap_or(&NAMES[0]);
        let size = scope.tensor(names[0], (1, 1, kernel))?;
        let direction = scope.tensor(names[1], (width, width / count, kernel))?;
        let weight = normed(&size, &direction)?;
        let group = |group: usize| {
            let outputs = width / count;
            let weight = weight.narrow(0, group * outputs, outputs)?;
            flat(&weight.permute((2, 1, 0))?)
        };
        let groups = (0..count).map(group).collect::<Result<_, _>>()?;
        Ok(Self { groups, bias: scope.values("bias", width)?, kernel })
    }

    /// Adds to every frame what the convolution and GELU make of it and its neighbours.
    pub(super) fn add_to(&self, frames: &mut [f32]) {
        let width = self.bias.len();
        let size = width / self.groups.len();
        let outputs: Vec<Vec<f32>> =
            (0..self.groups.len()).into_par_iter().map(|group| self.group(frames, group)).collect();
        let mut sum = vec![0.0; frames.len()];
        for (group, output) in outputs.iter().enumerate() {
            for (row, values) in sum.chunks_exact_mut(width).zip(output.chunks_exact(size)) {
                row[group * size..][..size].copy_from_slice(values);
            }
        }
        add(frames, &sum);
    }

    /// Frames × outputs of one group: windows overlap in memory, as those of the feature extractor.
    fn group(&self, frames: &[f32], group: usize) -> Vec<f32> {
        let width = self.bias.len();
        let (count, size) = (frames.len() / width, width / self.groups.len());
        let before = self.kernel / 2;
        let mut padded = vec![0.0; (count + 2 * before) * size];
        let rows = padded[before * size..].chunks_exact_mut(size);
        for (row, frame) in rows.zip(frames.chunks_exact(width)) {
            row.copy_from_slice(&frame[group * size..][..size]);
        }
        // An even kernel has one window more, which is left out at the end.
        let windows = Matrix::strided(&padded, [count, self.kernel * size], [size, 1]);
        let mut out = vec![0.0; count * size];
        product_into(&mut out, windows, Matrix::new(&self.groups[group], size), false, 1);
        let bias = &self.bias[group * size..][..size];
        all_rows(&mut out, size, &(Add(bias), Gelu));
        out
    }
}

/// `size · direction / ‖direction‖`, with a norm for each place of the kernel.
fn normed(size: &Tensor, direction: &Tensor) -> Result<Tensor, candle_core::Error> {
    let wide = direction.to_dtype(DType::F64)?;
    let norm = wide.sqr()?.sum_keepdim(0)?.sum_keepdim(1)?.sqrt()?;
    let scale = size.to_dtype(DType::F64)?.div(&norm)?;
    wide.broadcast_mul(&scale)?.to_dtype(DType::F32)
}
