//! Products of small matrices as candle tensors, for the layers around the encoder.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use crate::arithmetic::is_portable;
use crate::matmul::{Matrix, multiply};

/// The product of two matrices of `f32`, `[m, k]` and `[k, n]`, with gradients for both.
pub fn product(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if is_portable() { a.apply_op2(b, Portable) } else { a.matmul(b) }
}

/// `out = a · b` for slices of `f32`, `out` row-major; windows that overlap are a matrix too
/// ([`Matrix::strided`]). Bits do not depend on `threads`.
///
/// # Panics
/// The sizes do not agree.
pub fn product_into(out: &mut [f32], a: Matrix<f32>, b: Matrix<f32>, threads: usize) {
    multiply(out, a, b, false, threads);
}

/// candle's own product is by `gemm`, whose order of sums is the processor's affair.
struct Portable;

impl CustomOp2 for Portable {
    fn name(&self) -> &'static str {
        "portable product"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (a, b) = (matrix(a, a_layout)?, matrix(b, b_layout)?);
        if a.columns() != b.rows() {
            bail!("a product of {} columns with {} rows", a.columns(), b.rows());
        }
        let mut out = vec![0.0; a.rows() * b.columns()];
        multiply(&mut out, a, b, false, 1);
        Ok((CpuStorage::F32(out), Shape::from((a.rows(), b.columns()))))
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _product: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(product(gradient, &b.t()?)?), Some(product(&a.t()?, gradient)?)))
    }
}

fn matrix<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<Matrix<'a, f32>> {
    let (rows, columns) = layout.shape().dims2()?;
    let &[row_stride, column_stride] = layout.stride() else { bail!("a matrix has two strides") };
    let data = &storage.as_slice::<f32>()?[layout.start_offset()..];
    Ok(Matrix::strided(data, [rows, columns], [row_stride, column_stride]))
}
