//! The two inner loops of the recurrence, in vector registers: a few rows times the recurrent
//! weights, and the cell update that follows it.
//!
//! A tile is up to six rows by the four gates of one register of units: 24 sums and four weights
//! fill the 32 registers of AVX-512 and NEON; half as many rows go where there are 16.

use std::array::from_fn;

use pulp::{Simd, WithSimd};

use crate::real::Real;

/// Sums of a tile: per row, one register per gate.
type Tile<T, S, const M: usize> = [[<T as Real>::Lanes<S>; 4]; M];

/// Values of a row that are taken together, so that bounds are checked once for them all.
const STRIDE: usize = 8;

/// Adds `rows · panel` to the tile; `panel` holds four registers per value of a row, and rows are
/// multiples of [`STRIDE`] long.
#[inline(always)]
fn accumulate<T: Real, S: Simd, const M: usize>(
    simd: S,
    mut tile: Tile<T, S, M>,
    rows: [&[T]; M],
    panel: &[T::Lanes<S>],
) -> Tile<T, S, M> {
    let weights = panel.as_chunks::<{ 4 * STRIDE }>().0;
    let rows = rows.map(|row| &row.as_chunks::<STRIDE>().0[..weights.len()]);
    for (index, weights) in weights.iter().enumerate() {
        let values: [&[T; STRIDE]; M] = from_fn(|m| &rows[m][index]);
        for k in 0..STRIDE {
            for m in 0..M {
                let x = T::splat(simd, values[m][k]);
                for q in 0..4 {
                    tile[m][q] = T::lanes_mul_add(simd, x, weights[4 * k + q], tile[m][q]);
                }
            }
        }
    }
    tile
}

/// Reads a tile: rows `first..first + M` of a matrix with `stride` values a row, from `column`.
#[inline(always)]
fn load<T: Real, S: Simd, const M: usize>(
    matrix: &[T],
    stride: usize,
    first: usize,
    column: usize,
) -> Tile<T, S, M> {
    from_fn(|m| {
        let start = (first + m) * stride + column;
        let registers = T::registers::<S>(&matrix[start..start + 4 * T::lanes::<S>()]);
        from_fn(|q| registers[q])
    })
}

/// Writes a tile back, as [`load`] reads it.
#[inline(always)]
fn store<T: Real, S: Simd, const M: usize>(
    matrix: &mut [T],
    stride: usize,
    first: usize,
    column: usize,
    tile: &Tile<T, S, M>,
) {
    for (m, gates) in tile.iter().enumerate() {
        let start = (first + m) * stride + column;
        let place = &mut matrix[start..start + 4 * T::lanes::<S>()];
        T::registers_mut::<S>(place).copy_from_slice(gates);
    }
}

/// One cell's values after its update.
pub(crate) struct Cell<L> {
    /// Activated gates i, f, g, o.
    pub(crate) gates: [L; 4],
    /// Cell state c.
    pub(crate) state: L,
    /// Output h = o · tanh c.
    pub(crate) output: L,
}

/// The LSTM cell: c = f·c₋₁ + i·g, h = o·tanh c, from the gates' sums.
#[inline(always)]
pub(crate) fn cell<T: Real, S: Simd>(
    simd: S,
    sums: [T::Lanes<S>; 4],
    before: Option<T::Lanes<S>>,
) -> Cell<T::Lanes<S>> {
    let i = T::lanes_sigmoid(simd, sums[0]);
    let f = T::lanes_sigmoid(simd, sums[1]);
    let g = T::lanes_tanh(simd, sums[2]);
    let o = T::lanes_sigmoid(simd, sums[3]);
    let fresh = T::lanes_mul(simd, i, g);
    let state = before.map_or(fresh, |c| T::lanes_mul_add(simd, f, c, fresh));
    Cell { gates: [i, f, g, o], state, output: T::lanes_mul(simd, o, T::lanes_tanh(simd, state)) }
}

/// What flows back through one cell.
pub(crate) struct CellGradient<L> {
    /// Gradients of the gates' sums i, f, g, o.
    pub(crate) sums: [L; 4],
    /// Gradient of the previous cell state.
    pub(crate) before: L,
}

/// The gradient of [`cell`]: from those of the output and of the state.
#[inline(always)]
pub(crate) fn cell_gradient<T: Real, S: Simd>(
    simd: S,
    gates: [T::Lanes<S>; 4],
    states: (T::Lanes<S>, Option<T::Lanes<S>>),
    output: T::Lanes<S>,
    state: T::Lanes<S>,
) -> CellGradient<T::Lanes<S>> {
    let [i, f, g, o] = gates;
    let mul = |a, b| T::lanes_mul(simd, a, b);
    let one = T::splat(simd, T::ONE);
    // Derivatives in terms of the activated values: s(1 − s) and 1 − t².
    let logistic = |s| mul(s, T::lanes_sub(simd, one, s));
    let hyperbolic = |t| T::lanes_sub(simd, one, mul(t, t));
    let tanh = T::lanes_tanh(simd, states.0);
    let d_state = T::lanes_mul_add(simd, mul(output, o), hyperbolic(tanh), state);
    let d_forget = match states.1 {
        Some(before) => mul(mul(d_state, before), logistic(f)),
        None => T::splat(simd, T::ZERO),
    };
    let sums = [
        mul(mul(d_state, g), logistic(i)),
        d_forget,
        mul(mul(d_state, i), hyperbolic(g)),
        mul(mul(output, tanh), logistic(o)),
    ];
    CellGradient { sums, before: mul(d_state, f) }
}

/// Rows of the next tile, of `left` rows in all: as many as fit the registers, without leaving one
/// or two behind where an even split costs less.
#[inline(always)]
fn tile_rows<S: Simd>(left: usize) -> usize {
    let most = if S::REGISTER_COUNT >= 32 { 6 } else { 3 };
    match left {
        7 | 8 if most == 6 => 4,
        4 if most == 3 => 2,
        _ => left.min(most),
    }
}

/// Some columns of a row-major matrix.
pub(crate) struct Columns<M> {
    pub(crate) matrix: M,
    /// Values per row of the matrix.
    pub(crate) stride: usize,
    /// The first of the columns.
    pub(crate) first: usize,
}

/// `sums += rows · panel` over the rows of `sums`, four registers of columns wide.
///
/// It is an operation of its own, so that nothing that other loops keep in registers takes them
/// from the tile.
pub(crate) struct Product<'a, T> {
    pub(crate) rows: Columns<&'a [T]>,
    /// Four registers per column of `rows`.
    pub(crate) panel: &'a [T],
    pub(crate) sums: Columns<&'a mut [T]>,
}

impl<T: Real> WithSimd for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (mut row, end) = (0, self.sums.matrix.len() / self.sums.stride);
        while row < end {
            let count = tile_rows::<S>(end - row);
            match count {
                6 => self.tile::<S, 6>(simd, row),
                5 => self.tile::<S, 5>(simd, row),
                4 => self.tile::<S, 4>(simd, row),
                3 => self.tile::<S, 3>(simd, row),
                2 => self.tile::<S, 2>(simd, row),
                _ => self.tile::<S, 1>(simd, row),
            }
            row += count;
        }
    }
}

impl<T: Real> Product<'_, T> {
    #[inline(always)]
    fn tile<S: Simd, const M: usize>(&mut self, simd: S, first: usize) {
        let panel = T::registers::<S>(self.panel);
        let Columns { matrix, stride, first: column } = &self.rows;
        let rows: [&[T]; M] =
            from_fn(|m| &matrix[(first + m) * stride + column..][..panel.len() / 4]);
        let Columns { matrix, stride, first: column } = &mut self.sums;
        let sums = accumulate(simd, load::<T, S, M>(matrix, *stride, first, *column), rows, panel);
        store::<T, S, M>(matrix, *stride, first, *column, &sums);
    }
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, Scalar};

    use super::*;

    fn value(i: usize) -> f32 {
        ((i * 7919 % 2003) as f32 - 1000.0) * 1e-3
    }

    /// For every number of rows that tiles can be made of, by the instructions of one machine.
    struct Check;

    impl WithSimd for Check {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            (1..=14).for_each(|rows| check_product(simd, rows));
        }
    }

    /// Columns 8–23 of rows of 40 values, against the sum as it is defined.
    fn check_product<S: Simd>(simd: S, count: usize) {
        let (depth, group, stride) = (16, 4 * S::F32_LANES, 5 * S::F32_LANES);
        let rows: Vec<f32> = (0..count * 40).map(value).collect();
        let panel: Vec<f32> = (0..depth * group).map(|i| value(i + 5)).collect();
        let start: Vec<f32> = (0..count * stride).map(|i| value(i + 9)).collect();
        let mut sums = start.clone();
        simd.vectorize(Product {
            rows: Columns { matrix: &rows, stride: 40, first: 8 },
            panel: &panel,
            sums: Columns { matrix: &mut sums, stride, first: S::F32_LANES },
        });
        for (place, (&found, &start)) in sums.iter().zip(&start).enumerate() {
            let (row, column) = (place / stride, place % stride);
            let term = |k: usize, c: usize| rows[row * 40 + 8 + k] * panel[k * group + c];
            let inside = column.checked_sub(S::F32_LANES);
            let sum: f32 = inside.map_or(0.0, |c| (0..depth).map(|k| term(k, c)).sum());
            assert!((found - start - sum).abs() < 1e-5, "{count} rows, place {place}");
        }
    }

    #[test]
    fn products_are_right_on_every_kind_of_machine() {
        Arch::new().dispatch(Check);
        Simd::vectorize(Scalar, Check);
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = pulp::x86::V3::try_new() {
            Simd::vectorize(avx2, Check);
        }
    }
}
