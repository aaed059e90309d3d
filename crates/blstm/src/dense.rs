//! Row-wise passes around the matrix products: ReLU with dropout, and sums over rows.

use pulp::Arch;
use rayon::prelude::*;

use crate::dropout::Mask;
use crate::real::Real;

/// Rows that are worked on and summed as one piece, whatever the number of threads.
pub(crate) const PIECE: usize = 256;

/// In place over `[frames, bias.len()]`: `x ← dropout(max(x + bias, 0))`.
pub(crate) fn activate<T: Real>(matrix: &mut [T], bias: &[T], mask: Mask) {
    let (width, scale) = (bias.len(), T::of(mask.scale()));
    matrix.par_chunks_mut(PIECE * width).enumerate().for_each(|(piece, rows)| {
        Arch::new().dispatch(|| {
            for (row, values) in rows.chunks_exact_mut(width).enumerate() {
                let kept = mask.row(piece * PIECE + row);
                for (unit, (x, &b)) in values.iter_mut().zip(bias).enumerate() {
                    let sum = *x + b;
                    let passes = kept.keeps(unit) && sum > T::ZERO;
                    *x = if passes { sum * scale } else { T::ZERO };
                }
            }
        });
    });
}

/// The gradient of [`activate`], in place: `gradient ← (gradient + other) · scale` where the
/// activation is above 0, else 0.
pub(crate) fn activate_back<T: Real>(
    gradient: &mut [T],
    other: &[T],
    activations: &[T],
    scale: f64,
) {
    let scale = T::of(scale);
    let length = PIECE * PIECE;
    let pieces = gradient.par_chunks_mut(length).zip(other.par_chunks(length));
    pieces.zip(activations.par_chunks(length)).for_each(|((gradient, other), activations)| {
        Arch::new().dispatch(|| {
            for ((g, &o), &a) in gradient.iter_mut().zip(other).zip(activations) {
                *g = if a > T::ZERO { (*g + o) * scale } else { T::ZERO };
            }
        });
    });
}

/// Every row of `matrix` set to `row`.
pub(crate) fn fill_rows<T: Real>(matrix: &mut [T], row: &[T]) {
    for values in matrix.chunks_exact_mut(row.len()) {
        values.copy_from_slice(row);
    }
}

/// Sum of the rows of `[frames, width]`: within a piece in `T`, over pieces in double precision.
pub(crate) fn sum_rows<T: Real>(matrix: &[T], width: usize) -> Vec<T> {
    let partial = |rows: &[T]| {
        let mut sum = vec![T::ZERO; width];
        Arch::new().dispatch(|| {
            for row in rows.chunks_exact(width) {
                for (s, &x) in sum.iter_mut().zip(row) {
                    *s += x;
                }
            }
        });
        sum
    };
    add_pieces(matrix.par_chunks(PIECE * width).map(partial).collect(), width)
}

/// Sum of the pieces' sums, in their order and in double precision.
pub(crate) fn add_pieces<T: Real>(pieces: Vec<Vec<T>>, width: usize) -> Vec<T> {
    let mut total = vec![0.0; width];
    for piece in pieces {
        for (t, x) in total.iter_mut().zip(piece) {
            *t += x.wide();
        }
    }
    total.into_iter().map(T::of).collect()
}
