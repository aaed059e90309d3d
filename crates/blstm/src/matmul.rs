//! Matrix products through the crate `gemm`, with sizes checked: the only unsafe code here.

use std::ops::Range;

use gemm::Parallelism;

use crate::real::Real;

/// A matrix seen through strides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A row-major matrix over the whole of `data`.
    pub(crate) fn new(data: &'a [T], columns: usize) -> Self {
        assert_eq!(data.len() % columns, 0, "a matrix has whole rows");
        let rows = data.len() / columns;
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
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
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
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
    if a.rows > 1 && out.len() > SMALL {
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
