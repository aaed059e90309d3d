//! One large product of matrices by the crate `gemm`: what the processor can do at most.

use gemm::Parallelism;

/// Two matrices and a place for their product, kept so that no fresh memory is timed.
pub(crate) struct Product {
    rows: usize,
    inner: usize,
    columns: usize,
    left: Vec<f32>,
    right: Vec<f32>,
    out: Vec<f32>,
}

impl Product {
    /// `[rows, inner]` by `[inner, columns]`.
    pub(crate) fn new(rows: usize, inner: usize, columns: usize) -> Self {
        let values = |count: usize| (0..count).map(|i| (i % 7) as f32 - 3.0).collect();
        let (left, right) = (values(rows * inner), values(inner * columns));
        Self { rows, inner, columns, left, right, out: vec![0.0; rows * columns] }
    }

    /// Multiplies, on all threads of the present pool.
    pub(crate) fn run(&mut self) {
        let Self { rows, inner, columns, left, right, out } = self;
        let (rows, inner, columns) = (*rows, *inner, *columns);
        let threads = rayon::current_num_threads();
        let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
        // SAFETY: `new` makes the three slices of exactly these sizes, all row-major, and `out` is
        // borrowed mutably, so it overlaps neither operand.
        #[expect(unsafe_code, reason = "gemm takes pointers; the sizes are those of `new`")]
        unsafe {
            gemm::gemm(
                rows,
                columns,
                inner,
                out.as_mut_ptr(),
                1,
                columns as isize,
                false,
                left.as_ptr(),
                1,
                inner as isize,
                right.as_ptr(),
                1,
                columns as isize,
                0.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_right() {
        let mut product = Product::new(3, 2, 2);
        product.run();
        // left = [-3 -2; -1 0; 1 2], right = [-3 -2; -1 0]
        assert_eq!(product.out, [11.0, 6.0, 3.0, 2.0, -5.0, -2.0]);
    }
}
