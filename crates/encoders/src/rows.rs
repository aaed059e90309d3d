//! Rows of numbers worked on by all threads: the pieces do not depend on how many there are, so that
//! neither do the bits.

use pulp::Arch;
use rayon::prelude::*;

/// Values of a piece, about: it fits a core's own cache.
const PIECE: usize = 1 << 14;

/// Lanes of a sum: as many partial sums in `f64`, whatever the registers' width.
const LANES: usize = 8;

/// Does `work` on every row of `width` values, by the widest registers that there are.
pub(crate) fn for_rows(values: &mut [f32], width: usize, work: impl Fn(&mut [f32]) + Sync) {
    let rows = (PIECE / width).max(1);
    values.par_chunks_mut(rows * width).for_each(|piece| {
        Arch::new().dispatch(|| piece.chunks_exact_mut(width).for_each(&work));
    });
}

/// `values += others`, value by value.
pub(crate) fn add(values: &mut [f32], others: &[f32]) {
    let pieces = values.par_chunks_mut(PIECE).zip(others.par_chunks(PIECE));
    pieces.for_each(|(values, others)| Arch::new().dispatch(|| add_row(values, others)));
}

/// `row += other` on one thread.
#[inline(always)]
pub(crate) fn add_row(row: &mut [f32], other: &[f32]) {
    row.iter_mut().zip(other).for_each(|(value, &other)| *value += other);
}

/// The sum of `term` over the values, in `f64` and in an order of its own.
#[inline(always)]
pub(crate) fn sum(values: &[f32], term: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += term(f64::from(value));
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|&value| term(f64::from(value))).sum::<f64>()
}
