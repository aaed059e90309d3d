//! Multi-head self-attention (Vaswani et al. 2017): softmax(q kᵀ / √d) v for every head.

use std::ops::Range;

use ambivox_nn::{Matrix, product_into};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::EncoderError;
use crate::activation::decay;
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
        let projected = self.inputs.apply(frames, ());
        let blocks = count.div_ceil(QUERIES);
        let contexts: Vec<Vec<f32>> = (0..self.heads * blocks)
            .into_par_iter()
            .map(|task| {
                let (head, first) = (task / blocks, task % blocks * QUERIES);
                let queries = first..count.min(first + QUERIES);
                self.head(&projected, head, queries, |query, scores| bias(head, query, scores))
            })
            .collect();
        self.output.apply(&self.together(&contexts, count), ())
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
        for (query, scores) in queries.clone().zip(scores.chunks_exact_mut(count)) {
            bias(query, scores);
        }
        let mut totals = vec![0.0; queries.len()];
        Arch::new().dispatch(Exponentials { scores: &mut scores, totals: &mut totals });
        let mut context = vec![0.0; queries.len() * size];
        product_into(&mut context, Matrix::new(&scores, count), part(2, 0, count), false, 1);
        for (row, total) in context.chunks_exact_mut(size).zip(totals) {
            for value in row {
                *value = (f64::from(*value) / total) as f32;
            }
        }
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

/// Values that are worked on at once.
const LANES: usize = 16;

/// Scores to their exponentials, over that of the largest of their query; and the sums of these, by which they
/// would be shares.
pub(crate) struct Exponentials<'a> {
    /// Queries × keys.
    pub(crate) scores: &'a mut [f32],
    /// One a query.
    pub(crate) totals: &'a mut [f64],
}

impl WithSimd for Exponentials<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let keys = self.scores.len() / self.totals.len();
        for (scores, total) in self.scores.chunks_exact_mut(keys).zip(self.totals) {
            *total = exponentials(scores);
        }
    }
}

#[inline(always)]
fn exponentials(scores: &mut [f32]) -> f64 {
    let top = largest(scores);
    let mut totals = [0.0_f64; LANES];
    let (chunks, rest) = scores.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for (score, total) in chunk.iter_mut().zip(&mut totals) {
            *score = decay(*score - top);
            *total += f64::from(*score);
        }
    }
    for (score, total) in rest.iter_mut().zip(&mut totals) {
        *score = decay(*score - top);
        *total += f64::from(*score);
    }
    totals.iter().sum()
}

#[inline(always)]
fn largest(scores: &[f32]) -> f32 {
    let mut tops = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = scores.as_chunks::<LANES>();
    for chunk in chunks {
        for (top, &score) in tops.iter_mut().zip(chunk) {
            *top = if score > *top { score } else { *top };
        }
    }
    tops.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)
}
