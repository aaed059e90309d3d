//! Attention pooling over time, eqs. 1–2 of Fujioka et al. 2020, forward and back.
//!
//! ```text
//! α_t = softmax over t of (h_t · u)          pooled = Σ_t α_t h_t
//! ```
//!
//! `h_t` are the outputs of both directions after dropout, whose mask is computed again wherever it
//! is needed. Only frames of the utterance itself take part: there is no padding to mask.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::arithmetic::dispatch;
use crate::dense::{PIECE, add_pieces};
use crate::dropout::Mask;
use crate::packing::Packing;
use crate::real::Real;

/// Sums run side by side in this many lanes, whatever the width of a register, so that their bits
/// are the same on every machine.
const LANES: usize = 16;

/// The outputs of both directions that attention pools: `[frames, width]` each.
#[derive(Clone, Copy)]
pub(crate) struct Outputs<'a, T> {
    pub(crate) packing: &'a Packing,
    pub(crate) width: usize,
    pub(crate) hidden: [&'a [T]; 2],
    pub(crate) masks: [Mask; 2],
}

/// A vector over both directions' outputs, `[2, width]`, for every rank of the batch.
#[derive(Clone, Copy)]
enum PerRank<'a, T> {
    /// The same one.
    Same(&'a [T]),
    /// Each its own, `[utterances, 2, width]`.
    Own(&'a [T]),
}

impl<'a, T> PerRank<'a, T> {
    #[inline(always)]
    fn of(self, rank: usize, width: usize) -> &'a [T] {
        match self {
            Self::Same(vector) => vector,
            Self::Own(vectors) => &vectors[rank * 2 * width..][..2 * width],
        }
    }
}

impl<T: Real> Outputs<'_, T> {
    fn scale(&self) -> T {
        T::of(self.masks[0].scale())
    }

    /// One row's outputs after dropout, before they are scaled, into `[2, width]`.
    #[inline(always)]
    fn read(&self, row: usize, values: &mut [T]) {
        let rank = self.packing.ranks()[row];
        for (direction, values) in values.chunks_exact_mut(self.width).enumerate() {
            let hidden = &self.hidden[direction][row * self.width..][..self.width];
            self.masks[direction].row(row, rank).apply(hidden, values);
        }
    }

    /// `h · v` for every row.
    fn project(&self, vectors: PerRank<T>) -> Vec<T> {
        let mut products = vec![T::ZERO; self.packing.frames()];
        products.par_chunks_mut(PIECE).enumerate().for_each(|(piece, products)| {
            let first = piece * PIECE;
            dispatch(Project { outputs: self, vectors, first, products });
        });
        products
    }

    /// `Σ factor · h` over rows.
    fn combine(&self, rows: impl Iterator<Item = usize>, factors: &[T]) -> Vec<T> {
        let mut sum = vec![T::ZERO; 2 * self.width];
        dispatch(Combine { outputs: self, rows, factors, sum: &mut sum });
        sum
    }

    /// Attention weights α of every row, for `u` as `[2, width]`.
    pub(crate) fn weights(&self, attention: &[T]) -> Vec<T> {
        let mut weights = self.project(PerRank::Same(attention));
        for rank in 0..self.packing.utterances() {
            softmax(&mut weights, &self.packing.rows(rank).collect::<Vec<_>>());
        }
        weights
    }

    /// Pooled vectors `[utterances, 2, width]`, by rank.
    pub(crate) fn pool(&self, weights: &[T]) -> Vec<T> {
        let ranks = (0..self.packing.utterances()).into_par_iter();
        let pooled = ranks.map(|rank| self.combine(self.packing.rows(rank), weights));
        pooled.collect::<Vec<_>>().concat()
    }

    /// The gradient of the outputs, from that of the pooled vectors (`[utterances, 2, width]`, by
    /// rank); beside it, that of `u`.
    pub(crate) fn back<'g>(
        &self,
        attention: &'g [T],
        weights: &'g [T],
        pooled: &'g [T],
    ) -> (OutputGradients<'g, T>, Vec<T>) {
        let mut scores = self.project(PerRank::Own(pooled));
        for rank in 0..self.packing.utterances() {
            softmax_back(weights, &mut scores, &self.packing.rows(rank).collect::<Vec<_>>());
        }
        let piece = |first: usize| self.combine(first..(first + PIECE).min(scores.len()), &scores);
        let pieces = (0..scores.len()).into_par_iter().step_by(PIECE).map(piece).collect();
        let of_attention = add_pieces(pieces);
        let (width, masks) = (self.width, self.masks);
        (OutputGradients { width, masks, attention, weights, pooled, scores }, of_attention)
    }
}

/// The gradient of both directions' outputs, a row at a time: each is read but once, so none is
/// kept.
pub(crate) struct OutputGradients<'a, T> {
    width: usize,
    masks: [Mask; 2],
    attention: &'a [T],
    weights: &'a [T],
    pooled: &'a [T],
    scores: Vec<T>,
}

impl<T: Real> OutputGradients<'_, T> {
    /// Writes `α_t · (gradient of the pooled vector) + (gradient of the score) · u`, through
    /// dropout, for a row that holds a frame of the utterance of that rank.
    #[inline(always)]
    pub(crate) fn write(&self, direction: usize, rank: usize, row: usize, gradient: &mut [T]) {
        let start = direction * self.width;
        let pooled = &PerRank::Own(self.pooled).of(rank, self.width)[start..][..self.width];
        let attention = &self.attention[start..][..self.width];
        let mask = self.masks[direction];
        let scale = T::of(mask.scale());
        let (alpha, score) = (self.weights[row] * scale, self.scores[row] * scale);
        let kept = mask.row(row, rank as u32);
        for (unit, ((g, &a), &b)) in gradient.iter_mut().zip(pooled).zip(attention).enumerate() {
            let sum = a.fused(alpha, b * score);
            *g = if kept.keeps(unit) { sum } else { T::ZERO };
        }
    }
}

/// [`Outputs::project`] for rows from `first` on.
struct Project<'p, T> {
    outputs: &'p Outputs<'p, T>,
    vectors: PerRank<'p, T>,
    first: usize,
    products: &'p mut [T],
}

impl<T: Real> WithSimd for Project<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (width, scale) = (self.outputs.width, self.outputs.scale());
        let ranks = &self.outputs.packing.ranks()[self.first..];
        let mut values = vec![T::ZERO; 2 * width];
        for (i, (product, &rank)) in self.products.iter_mut().zip(ranks).enumerate() {
            self.outputs.read(self.first + i, &mut values);
            *product = dot(&values, self.vectors.of(rank as usize, width)) * scale;
        }
    }
}

/// [`Outputs::combine`].
struct Combine<'p, T, I> {
    outputs: &'p Outputs<'p, T>,
    rows: I,
    factors: &'p [T],
    sum: &'p mut [T],
}

impl<T: Real, I: Iterator<Item = usize>> WithSimd for Combine<'_, T, I> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let mut values = vec![T::ZERO; self.sum.len()];
        for row in self.rows {
            self.outputs.read(row, &mut values);
            let factor = self.factors[row] * self.outputs.scale();
            for (sum, &x) in self.sum.iter_mut().zip(&values) {
                *sum = x.fused(factor, *sum);
            }
        }
    }
}

#[inline(always)]
fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let mut sums = [T::ZERO; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] = a[lane].fused(b[lane], sums[lane]);
        }
    }
    sums.into_iter().fold(T::ZERO, |sum, x| sum + x)
}

/// Softmax over some rows, in place; sums in double precision.
fn softmax<T: Real>(values: &mut [T], rows: &[usize]) {
    let top = rows.iter().map(|&row| values[row].wide()).fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for &row in rows {
        let x = T::exp(values[row] - T::of(top));
        values[row] = x;
        sum += x.wide();
    }
    for &row in rows {
        values[row] = T::of(values[row].wide() / sum);
    }
}

/// The gradient of [`softmax`] over some rows, in place: `g ← α·(g − Σ α g)`.
fn softmax_back<T: Real>(weights: &[T], gradients: &mut [T], rows: &[usize]) {
    let mean: f64 = rows.iter().map(|&row| weights[row].wide() * gradients[row].wide()).sum();
    for &row in rows {
        gradients[row] = T::of(weights[row].wide() * (gradients[row].wide() - mean));
    }
}
