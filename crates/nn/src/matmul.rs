//! Matrix products through the crate `gemm`, with sizes checked: the only unsafe code here. Where bits
//! must not depend on the processor, products that are written out instead.

use std::ops::Range;

use gemm::Parallelism;
use rayon::prelude::*;

use crate::arithmetic::is_portable;
use crate::real::Real;

/// A matrix seen through strides.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A row-major matrix over the whole of `data`.
    pub fn new(data: &'a [T], columns: usize) -> Self {
        assert_eq!(data.len() % columns, 0, "a matrix has whole rows");
        let rows = data.len() / columns;
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// A matrix of this many rows and columns, so far apart in `data` from its start on.
    pub fn strided(data: &'a [T], sizes: [usize; 2], strides: [usize; 2]) -> Self {
        let ([rows, columns], [row_stride, column_stride]) = (sizes, strides);
        let last = rows.saturating_sub(1) * row_stride + columns.saturating_sub(1) * column_stride;
        assert!(rows * columns == 0 || last < data.len(), "a matrix lies within its data");
        Self { data, rows, columns, row_stride, column_stride }
    }

    /// Some rows of a row-major matrix.
    pub(crate) fn rows_of(self, rows: Range<usize>) -> Self {
        assert_eq!((self.row_stride, self.column_stride), (self.columns, 1), "a row-major matrix");
        Self::new(&self.data[rows.start * self.columns..rows.end * self.columns], self.columns)
    }

    /// Number of rows.
    pub(crate) fn rows(self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub(crate) fn columns(self) -> usize {
        self.columns
    }

    /// The values, as they lie in memory.
    pub(crate) fn values(self) -> &'a [T] {
        self.data
    }

    /// Rows and columns exchanged; nothing is moved.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

impl<T: Copy> Matrix<'_, T> {
    fn at(self, row: usize, column: usize) -> T {
        self.data[row * self.row_stride + column * self.column_stride]
    }

    /// The values, row by row.
    fn row_major(self) -> Vec<T> {
        let places = (0..self.rows).flat_map(|row| (0..self.columns).map(move |c| (row, c)));
        places.map(|(row, column)| self.at(row, column)).collect()
    }
}

/// Length of the sums that [`plain`] adds up in `T`; these are added in turn.
const DEPTH: usize = 256;

/// `out = a · b`, or `out += a · b`, in one order of sums and with every product rounded, whatever
/// the processor.
fn plain<T: Real>(out: &mut [T], a: Matrix<T>, b: Matrix<T>, accumulate: bool, threads: usize) {
    if out.is_empty() {
        return;
    }
    let (width, values) = (b.columns, b.row_major());
    let row = |(row, out): (usize, &mut [T])| {
        if !accumulate {
            out.fill(T::ZERO);
        }
        let mut sum = vec![T::ZERO; width];
        for (piece, values) in values.chunks(DEPTH * width).enumerate() {
            sum.fill(T::ZERO);
            for (k, values) in (piece * DEPTH..).zip(values.chunks_exact(width)) {
                let x = a.at(row, k);
                sum.iter_mut().zip(values).for_each(|(sum, &y)| *sum += x * y);
            }
            out.iter_mut().zip(&sum).for_each(|(out, &sum)| *out += sum);
        }
    };
    if threads > 1 {
        out.par_chunks_mut(width).enumerate().for_each(row);
    } else {
        out.chunks_mut(width).enumerate().for_each(row);
    }
}

/// `out = a · b`, or `out += a · b`, for slices of `f32`; `out` is row-major. Windows that overlap are a
/// matrix too ([`Matrix::strided`]). Bits do not depend on `threads`.
///
/// # Panics
/// The sizes do not agree.
pub fn product_into(
    out: &mut [f32],
    a: Matrix<'_, f32>,
    b: Matrix<'_, f32>,
    accumulate: bool,
    threads: usize,
) {
    multiply(out, a, b, accumulate, threads);
}

/// `out = a · b`, or `out += a · b`; `out` is row-major. Bits do not depend on `threads`: `gemm`
/// never divides the inner dimension.
pub(crate) fn multiply<T: Real>(
    out: &mut [T],
    a: Matrix<T>,
    b: Matrix<T>,
    accumulate: bool,
    threads: usize,
) {
    assert_eq!(a.columns, b.rows, "inner dimensions agree");
    assert_eq!(out.len(), a.rows * b.columns, "the product has its place");
    if is_portable() {
        return plain(out, a, b, accumulate, threads);
    }
    let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
    // SAFETY: both operands and the result are whole slices of the sizes that their strides reach
    // (`Matrix::new` and the assertions above), and `out` is borrowed mutably, so it overlaps neither.
    #[expect(unsafe_code, reason = "gemm takes pointers; sizes are asserted above")]
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            accumulate,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// Results up to this size may come from kernels of their own in `gemm`.
const SMALL: usize = 256;

/// `out = a · b` with `a` row-major; the bits of a row do not depend on the other rows nor on their
/// number.
///
/// For a single row, and for very small results, `gemm` has kernels that add in another order.
/// Rows of zeros keep away from them.
pub(crate) fn multiply_rows<T: Real>(out: &mut [T], a: Matrix<T>, b: Matrix<T>, threads: usize) {
    if is_portable() || (a.rows > 1 && out.len() > SMALL) {
        return multiply(out, a, b, false, threads);
    }
    let rows = a.rows + 1 + SMALL / b.columns;
    let mut padded = a.data.to_vec();
    padded.resize(rows * a.columns, T::ZERO);
    let mut product = vec![T::ZERO; rows * b.columns];
    multiply(&mut product, Matrix::new(&padded, a.columns), b, false, threads);
    out.copy_from_slice(&product[..out.len()]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_plain_and_transposed_matrices() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]; // 2 × 3
        let b = [1.0, 0.0, 2.0, 1.0, 0.0, 3.0]; // 3 × 2
        let mut out = [1.0; 4];
        multiply(&mut out, Matrix::new(&a, 3), Matrix::new(&b, 2), true, 1);
        assert_eq!(out, [6.0, 12.0, 15.0, 24.0]);
        let mut out = [0.0; 9];
        multiply(
            &mut out,
            Matrix::new(&a, 3).transposed(),
            Matrix::new(&b, 2).transposed(),
            false,
            2,
        );
        assert_eq!(out, [1.0, 6.0, 12.0, 2.0, 9.0, 15.0, 3.0, 12.0, 18.0]);
    }

    #[test]
    fn plain_products_are_those_of_gemm() {
        let value = |i: usize| f64::from((i * 7919 % 2003) as u16) * 1e-3 - 1.0;
        let a: Vec<f64> = (0..5 * 600).map(value).collect();
        let b: Vec<f64> = (0..600 * 7).map(|i| value(i + 1)).collect();
        let left = [Matrix::new(&a, 600), Matrix::new(&a, 5).transposed()];
        let right = [Matrix::new(&b, 7), Matrix::new(&b, 600).transposed()];
        for (a, b) in left.into_iter().flat_map(|a| right.map(|b| (a, b))) {
            for accumulate in [false, true] {
                let (mut found, mut expected) = ([0.5; 35], [0.5; 35]);
                plain(&mut found, a, b, accumulate, 2);
                multiply(&mut expected, a, b, accumulate, 1);
                let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-10;
                assert!(found.iter().zip(&expected).all(near), "{found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn a_row_has_the_same_bits_in_any_company() {
        let value = |i: usize| ((i * 7919 % 2003) as f32 - 1000.0) * 1e-3;
        for (depth, columns) in [(3, 5), (40, 7), (512, 256), (600, 300)] {
            let a: Vec<f32> = (0..9 * depth).map(value).collect();
            let b: Vec<f32> = (0..columns * depth).map(value).collect();
            let product = |a: &[f32]| {
                let mut out = vec![0.0; a.len() / depth * columns];
                let b = Matrix::new(&b, depth).transposed();
                multiply_rows(&mut out, Matrix::new(a, depth), b, 2);
                out
            };
            let together = product(&a);
            for rows in 1..9 {
                let alone = product(&a[..rows * depth]);
                assert_eq!(alone, together[..rows * columns], "{rows} × {depth} × {columns}");
            }
        }
    }
}
