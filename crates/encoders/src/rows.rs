//! Rows of numbers worked on by all threads: the pieces do not depend on how many there are, so that
//! neither do the bits.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Values of a piece, about: it fits a core's own cache.
const PIECE: usize = 1 << 14;

/// Lanes of a sum: as many partial sums in `f64`, whatever the registers' width.
const LANES: usize = 8;

/// What is done to a row of values. It is inlined into [`all_rows`], where the widest registers that there are
/// may be used; a closure of some length would not be, and would be left with those of every processor.
pub(crate) trait RowWork: Sync {
    /// Does it.
    fn of_row(&self, row: &mut [f32]);
}

/// Nothing.
impl RowWork for () {
    #[inline(always)]
    fn of_row(&self, _: &mut [f32]) {}
}

/// One after the other.
impl<A: RowWork, B: RowWork> RowWork for (A, B) {
    #[inline(always)]
    fn of_row(&self, row: &mut [f32]) {
        self.0.of_row(row);
        self.1.of_row(row);
    }
}

impl<W: RowWork> RowWork for &W {
    #[inline(always)]
    fn of_row(&self, row: &mut [f32]) {
        (*self).of_row(row);
    }
}

/// Adds these values to a row of as many.
pub(crate) struct Add<'a>(pub(crate) &'a [f32]);

impl RowWork for Add<'_> {
    #[inline(always)]
    fn of_row(&self, row: &mut [f32]) {
        for (value, &other) in row.iter_mut().zip(self.0) {
            *value += other;
        }
    }
}

struct All<'a, W> {
    values: &'a mut [f32],
    width: usize,
    work: &'a W,
}

impl<W: RowWork> WithSimd for All<'_, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.values.chunks_exact_mut(self.width) {
            self.work.of_row(row);
        }
    }
}

/// Does `work` on every row of `width` values, on this thread alone.
pub(crate) fn all_rows(values: &mut [f32], width: usize, work: &impl RowWork) {
    Arch::new().dispatch(All { values, width, work });
}

/// Does `work` on every row of `width` values.
pub(crate) fn for_rows(values: &mut [f32], width: usize, work: impl RowWork) {
    let rows = (PIECE / width).max(1);
    values.par_chunks_mut(rows * width).for_each(|piece| all_rows(piece, width, &work));
}

/// `values += others`, value by value.
pub(crate) fn add(values: &mut [f32], others: &[f32]) {
    let pieces = values.par_chunks_mut(PIECE).zip(others.par_chunks(PIECE));
    pieces.for_each(|(values, others)| all_rows(values, others.len(), &Add(others)));
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
