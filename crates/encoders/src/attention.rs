//! Multi-head self-attention (Vaswani et al. 2017): softmax(q kᵀ / √d) v for every head.

use std::ops::Range;

use ambivox_nn::{Matrix, product_into};
use pulp::Arch;
use rayon::prelude::*;

use crate::EncoderError;
use crate::activation::exp;
use crate::linear::Linear;
use crate::scope::Scope;

/// Queries whose scores are in memory at once, for each thread.
const QUERIES: usize = 256;

/// Self-attention with its projections.
#[derive(Debug)]
pub(crate) struct Attention {
    /// To queries (over √d), keys and values, side by side.
    inputs: Linear,
    output: Linear,
    heads: usize,
}

impl Attention {
    /// The attention of modules `q_proj`, `k_proj`, `v_proj` and `out_proj`; `heads` divides `width`.
    pub(crate) fn read(scope: &Scope, width: usize, heads: usize) -> Result<Self, EncoderError> {
        let read = |name: &str| Linear::read(&scope.at(name), width, width);
        let keys = Linear::read_keys(&scope.at("k_proj"), width)?;
        let mut parts = [read("q_proj")?, keys, read("v_proj")?];
        let scale = ((width / heads) as f32).sqrt().recip();
        let Linear { weight, bias } = &mut parts[0];
        weight.iter_mut().chain(bias).for_each(|value| *value *= scale);
        Ok(Self { inputs: side_by_side(&parts, width), output: read("out_proj")?, heads })
    }

    /// What attention makes of frames × width; `bias` may add to the scores of a head's query (by
    /// their numbers), one per frame.
    pub(crate) fn apply(
        &self,
        frames: &[f32],
        bias: impl Fn(usize, usize, &mut [f32]) + Sync,
    ) -> Vec<f32> {
        let width = self.output.bias.len();
        let count = frames.len() / width;
        let projected = self.inputs.apply(frames, |_| ());
        let blocks = count.div_ceil(QUERIES);
        let contexts: Vec<Vec<f32>> = (0..self.heads * blocks)
            .into_par_iter()
            .map(|task| {
                let (head, first) = (task / blocks, task % blocks * QUERIES);
                let queries = first..count.min(first + QUERIES);
                self.head(&projected, head, queries, |query, scores| bias(head, query, scores))
            })
            .collect();
        self.output.apply(&self.together(&contexts, count), |_| ())
    }

    /// The mean values of one head for some queries.
    fn head(
        &self,
        projected: &[f32],
        head: usize,
        queries: Range<usize>,
        bias: impl Fn(usize, &mut [f32]),
    ) -> Vec<f32> {
        let width = self.output.bias.len();
        let (count, size) = (projected.len() / (3 * width), width / self.heads);
        let part = |part: usize, first: usize, rows: usize| {
            let from = first * 3 * width + part * width + head * size;
            Matrix::strided(&projected[from..], [rows, size], [3 * width, 1])
        };
        let mut scores = vec![0.0; queries.len() * count];
        let q = part(0, queries.start, queries.len());
        product_into(&mut scores, q, part(1, 0, count).transposed(), false, 1);
        Arch::new().dispatch(|| {
            for (query, scores) in queries.clone().zip(scores.chunks_exact_mut(count)) {
                bias(query, scores);
                softmax(scores);
            }
        });
        let mut context = vec![0.0; queries.len() * size];
        product_into(&mut context, Matrix::new(&scores, count), part(2, 0, count), false, 1);
        context
    }

    /// Heads' values side by side, frames × width, of what the tasks have made.
    fn together(&self, contexts: &[Vec<f32>], count: usize) -> Vec<f32> {
        let width = self.output.bias.len();
        let (size, blocks) = (width / self.heads, count.div_ceil(QUERIES));
        let mut out = vec![0.0; count * width];
        for (task, context) in contexts.iter().enumerate() {
            let (head, first) = (task / blocks, task % blocks * QUERIES);
            let rows = out[first * width..].chunks_exact_mut(width);
            for (row, values) in rows.zip(context.chunks_exact(size)) {
                row[head * size..][..size].copy_from_slice(values);
            }
        }
        out
    }
}

/// One layer of three that read the same.
fn side_by_side(parts: &[Linear; 3], width: usize) -> Linear {
    let mut weight = vec![0.0; 3 * width * width];
    for (input, row) in weight.chunks_exact_mut(3 * width).enumerate() {
        for (place, part) in row.chunks_exact_mut(width).zip(parts) {
            place.copy_from_slice(&part.weight[input * width..][..width]);
        }
    }
    Linear { weight, bias: parts.iter().flat_map(|part| part.bias.iter().copied()).collect() }
}

/// Scores to shares, which add up to 1.
#[inline(always)]
pub(crate) fn softmax(scores: &mut [f32]) {
    let top = largest(scores);
    let mut total = [0.0_f64; 8];
    for chunk in scores.chunks_mut(8) {
        for (score, total) in chunk.iter_mut().zip(&mut total) {
            *score = exp(*score - top);
            *total += f64::from(*score);
        }
    }
    let scale = total.iter().sum::<f64>().recip() as f32;
    for score in scores {
        *score *= scale;
    }
}

#[inline(always)]
fn largest(scores: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 8];
    for chunk in scores.chunks(8) {
        for (lane, &score) in lanes.iter_mut().zip(chunk) {
            *lane = if score > *lane { score } else { *lane };
        }
    }
    lanes.into_iter().fold(f32::NEG_INFINITY, f32::max)
}
