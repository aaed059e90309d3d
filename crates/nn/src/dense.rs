//! The fully connected layer, forward and back, and sums over rows.

use std::ops::Range;
use std::sync::Arc;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::arena::Arena;
use crate::arithmetic::dispatch;
use crate::dropout::Mask;
use crate::matmul::{Matrix, multiply, multiply_rows};
use crate::real::Real;

/// Rows that are worked on and summed as one piece, whatever the number of threads: few enough to
/// stay in the second-level cache.
pub(crate) const PIECE: usize = 256;

/// `dropout(max(inputs · weightᵀ + bias, 0))` into `[frames, units]`; `inputs` `[frames, ·]`,
/// `weight` `[units, ·]`.
///
/// `ranks` has the utterance of every row.
pub(crate) fn linear<T: Real>(
    out: &mut [T],
    inputs: &[T],
    [weight, bias]: [&[T]; 2],
    mask: Mask,
    ranks: &[u32],
) {
    let (width, units) = (weight.len() / bias.len(), bias.len());
    let weight = Matrix::new(weight, width).transposed();
    let pieces = out.par_chunks_mut(PIECE * units).zip(inputs.par_chunks(PIECE * width));
    pieces.enumerate().for_each(|(piece, (values, inputs))| {
        multiply_rows(values, Matrix::new(inputs, width), weight, 1);
        dispatch(Activate { values, bias, mask, first: piece * PIECE, ranks });
    });
}

/// In place over rows of a matrix: `x ← dropout(max(x + bias, 0))`.
struct Activate<'a, T> {
    values: &'a mut [T],
    bias: &'a [T],
    mask: Mask,
    /// The matrix's row with which `values` starts.
    first: usize,
    /// The utterance of every row of the matrix.
    ranks: &'a [u32],
}

impl<T: Real> WithSimd for Activate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let scale = T::of(self.mask.scale());
        let ranks = &self.ranks[self.first..];
        let rows = self.values.chunks_exact_mut(self.bias.len()).zip(ranks).enumerate();
        for (row, (values, &rank)) in rows {
            let kept = self.mask.row(self.first + row, rank);
            for (unit, (x, &b)) in values.iter_mut().zip(self.bias).enumerate() {
                let sum = *x + b;
                let passes = kept.keeps(unit) && sum > T::ZERO;
                *x = if passes { sum * scale } else { T::ZERO };
            }
        }
    }
}

/// What the gradient of [`linear`] is made from: products of two matrices, one per direction of the
/// LSTM, are the gradient of its result.
pub(crate) struct LinearBack<'a, T> {
    /// `[frames, ·]`.
    pub(crate) gates: [Matrix<'a, T>; 2],
    /// `[·, units]`.
    pub(crate) weights: [Matrix<'a, T>; 2],
    /// The layer's result, `[frames, units]`.
    pub(crate) activations: Matrix<'a, T>,
    /// The layer's inputs, `[frames, ·]`.
    pub(crate) inputs: Matrix<'a, T>,
    /// Factor of the activations that dropout keeps.
    pub(crate) scale: f64,
}

impl<T: Real> LinearBack<'_, T> {
    /// Gradients of weight and bias.
    pub(crate) fn run(&self, arena: &Arc<Arena<T>>) -> (Vec<T>, Vec<T>) {
        let frames = self.activations.rows();
        let pieces = (0..frames).into_par_iter().step_by(PIECE);
        let pieces = pieces.map(|first| self.piece(arena, first..frames.min(first + PIECE)));
        let (weights, biases): (Vec<_>, Vec<_>) = pieces.collect();
        (add_pieces(weights), add_pieces(biases))
    }

    fn piece(&self, arena: &Arc<Arena<T>>, rows: Range<usize>) -> (Vec<T>, Vec<T>) {
        let (units, inputs) = (self.activations.columns(), self.inputs.rows_of(rows.clone()));
        let mut gradient = arena.take(rows.len() * units);
        for (index, (gates, weights)) in self.gates.iter().zip(self.weights).enumerate() {
            multiply(&mut gradient, gates.rows_of(rows.clone()), weights, index > 0, 1);
        }
        let mut bias = vec![T::ZERO; units];
        let (values, activations) = (&mut *gradient, self.activations.rows_of(rows).values());
        let scale = T::of(self.scale);
        dispatch(ActivateBack { values, activations, scale, bias: &mut bias });
        let mut weight = vec![T::ZERO; units * inputs.columns()];
        multiply(&mut weight, Matrix::new(&gradient, units).transposed(), inputs, false, 1);
        (weight, bias)
    }
}

/// The gradient of [`Activate`], in place: `gradient ← gradient · scale` where the activation is
/// above 0, else 0; its rows are added to `bias`.
struct ActivateBack<'a, T> {
    values: &'a mut [T],
    activations: &'a [T],
    scale: T,
    bias: &'a mut [T],
}

impl<T: Real> WithSimd for ActivateBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let units = self.bias.len();
        let rows = self.values.chunks_exact_mut(units).zip(self.activations.chunks_exact(units));
        for (values, activations) in rows {
            for ((g, &a), b) in values.iter_mut().zip(activations).zip(self.bias.iter_mut()) {
                *g = if a > T::ZERO { *g * self.scale } else { T::ZERO };
                *b += *g;
            }
        }
    }
}

/// Sum of the rows of `[frames, width]`: within a piece in `T`, over pieces in double precision.
pub(crate) fn sum_rows<T: Real>(matrix: &[T], width: usize) -> Vec<T> {
    let partial = |rows: &[T]| {
        let mut sum = vec![T::ZERO; width];
        dispatch(SumRows { rows, sum: &mut sum });
        sum
    };
    add_pieces(matrix.par_chunks(PIECE * width).map(partial).collect())
}

struct SumRows<'a, T> {
    rows: &'a [T],
    sum: &'a mut [T],
}

impl<T: Real> WithSimd for SumRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.rows.chunks_exact(self.sum.len()) {
            for (s, &x) in self.sum.iter_mut().zip(row) {
                *s += x;
            }
        }
    }
}

/// Sum of the pieces' sums, in their order and in double precision.
pub(crate) fn add_pieces<T: Real>(pieces: Vec<Vec<T>>) -> Vec<T> {
    let mut total = vec![0.0; pieces.first().map_or(0, Vec::len)];
    for piece in pieces {
        for (t, x) in total.iter_mut().zip(piece) {
            *t += x.wide();
        }
    }
    total.into_iter().map(T::of).collect()
}
