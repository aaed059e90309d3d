//! Attention pooling over time, eqs. 1–2 of Fujioka et al. 2020, forward and back.
//!
//! ```text
//! α_t = softmax over t of (h_t · u)          pooled = Σ_t α_t h_t
//! ```
//!
//! `h_t` are the outputs of both directions after dropout, whose mask is computed again wherever it
//! is needed. Only frames of the utterance itself take part: there is no padding to mask.

use pulp::Arch;
use rayon::prelude::*;

use crate::dense::{PIECE, add_pieces};
use crate::dropout::{Mask, Row};
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

impl<T: Real> Outputs<'_, T> {
    fn row(&self, direction: usize, row: usize) -> (&[T], Row) {
        let values = &self.hidden[direction][row * self.width..][..self.width];
        (values, self.masks[direction].row(row))
    }

    fn scale(&self) -> T {
        T::of(self.masks[0].scale())
    }

    /// `h · v` for every row, where `v` is `[2, width]`, chosen by the row's rank.
    fn project<'v>(&self, vectors: impl Fn(usize) -> &'v [T] + Sync) -> Vec<T> {
        let mut products = vec![T::ZERO; self.packing.frames()];
        products.par_chunks_mut(PIECE).enumerate().for_each(|(piece, products)| {
            Arch::new().dispatch(|| {
                for (i, product) in products.iter_mut().enumerate() {
                    let row = piece * PIECE + i;
                    let vector = vectors(self.packing.ranks()[row] as usize);
                    let (ahead, back) = vector.split_at(self.width);
                    let dot = |direction, vector: &[T]| {
                        let (values, kept) = self.row(direction, row);
                        masked_dot(values, vector, kept)
                    };
                    *product = (dot(0, ahead) + dot(1, back)) * self.scale();
                }
            });
        });
        products
    }

    /// Attention weights α of every row, for `u` as `[2, width]`.
    pub(crate) fn weights(&self, attention: &[T]) -> Vec<T> {
        let mut weights = self.project(|_| attention);
        for rank in 0..self.packing.utterances() {
            softmax(&mut weights, &self.packing.rows(rank).collect::<Vec<_>>());
        }
        weights
    }

    /// Pooled vectors `[utterances, 2, width]`, by rank.
    pub(crate) fn pool(&self, weights: &[T]) -> Vec<T> {
        let mut pooled = vec![T::ZERO; self.packing.utterances() * 2 * self.width];
        pooled.par_chunks_mut(2 * self.width).enumerate().for_each(|(rank, pooled)| {
            Arch::new().dispatch(|| {
                for row in self.packing.rows(rank) {
                    self.add_row(pooled, row, weights[row] * self.scale());
                }
            });
        });
        pooled
    }

    /// `sum += factor · h` of one row.
    #[inline(always)]
    fn add_row(&self, sum: &mut [T], row: usize, factor: T) {
        let (ahead, back) = sum.split_at_mut(self.width);
        for (direction, sum) in [ahead, back].into_iter().enumerate() {
            let (values, kept) = self.row(direction, row);
            for (unit, (s, &x)) in sum.iter_mut().zip(values).enumerate() {
                let x = if kept.keeps(unit) { x } else { T::ZERO };
                *s = x.fused(factor, *s);
            }
        }
    }

    /// From the gradient of the pooled vectors (`[utterances, 2, width]`, by rank), those of the
    /// outputs, into `gradients` (`[frames, width]` per direction), and, returned, that of `u`.
    pub(crate) fn back(
        &self,
        attention: &[T],
        weights: &[T],
        pooled: &[T],
        gradients: [&mut [T]; 2],
    ) -> Vec<T> {
        let of_rank = |rank: usize| &pooled[rank * 2 * self.width..][..2 * self.width];
        let mut scores = self.project(of_rank);
        for rank in 0..self.packing.utterances() {
            softmax_back(weights, &mut scores, &self.packing.rows(rank).collect::<Vec<_>>());
        }
        for (direction, gradient) in gradients.into_iter().enumerate() {
            let part = direction * self.width..(direction + 1) * self.width;
            let mask = self.masks[direction];
            gradient.par_chunks_mut(PIECE * self.width).enumerate().for_each(|(piece, rows)| {
                Arch::new().dispatch(|| {
                    for (i, gradient) in rows.chunks_exact_mut(self.width).enumerate() {
                        let row = piece * PIECE + i;
                        let pooled = of_rank(self.packing.ranks()[row] as usize);
                        let vectors = [&pooled[part.clone()], &attention[part.clone()]];
                        let factors = [weights[row] * self.scale(), scores[row] * self.scale()];
                        combine(gradient, vectors, factors, mask.row(row));
                    }
                });
            });
        }
        self.attention_gradient(&scores)
    }

    /// Σ over rows of score · h.
    fn attention_gradient(&self, scores: &[T]) -> Vec<T> {
        let partial = |(piece, scores): (usize, &[T])| {
            let mut sum = vec![T::ZERO; 2 * self.width];
            Arch::new().dispatch(|| {
                for (i, &score) in scores.iter().enumerate() {
                    self.add_row(&mut sum, piece * PIECE + i, score * self.scale());
                }
            });
            sum
        };
        let pieces = scores.par_chunks(PIECE).enumerate().map(partial).collect();
        add_pieces(pieces, 2 * self.width)
    }
}

/// Σ of the kept values · vector.
#[inline(always)]
fn masked_dot<T: Real>(values: &[T], vector: &[T], kept: Row) -> T {
    let mut sums = [T::ZERO; LANES];
    let chunks = values.as_chunks::<LANES>().0.iter().zip(vector.as_chunks::<LANES>().0);
    for (chunk, (values, vector)) in chunks.enumerate() {
        for lane in 0..LANES {
            let keeps = kept.keeps(chunk * LANES + lane);
            let x = if keeps { values[lane] } else { T::ZERO };
            sums[lane] = x.fused(vector[lane], sums[lane]);
        }
    }
    sums.into_iter().fold(T::ZERO, |sum, x| sum + x)
}

/// `out = Σ factor · vector` where the mask keeps, else 0.
#[inline(always)]
fn combine<T: Real>(out: &mut [T], vectors: [&[T]; 2], factors: [T; 2], kept: Row) {
    for (unit, ((g, &a), &b)) in out.iter_mut().zip(vectors[0]).zip(vectors[1]).enumerate() {
        let sum = a.fused(factors[0], b * factors[1]);
        *g = if kept.keeps(unit) { sum } else { T::ZERO };
    }
}

/// Softmax over some rows, in place; sums in double precision.
fn softmax<T: Real>(values: &mut [T], rows: &[usize]) {
    let top = rows.iter().map(|&row| values[row].wide()).fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for &row in rows {
        let x = (values[row] - T::of(top)).exp();
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
