//! The encoder on NVIDIA GPUs: matrix products by cuBLAS, all else by the kernels in `kernels/`.
//!
//! What is launched when (`encoder`) is written against the trait [`Gpu`], so that it runs on candle's
//! CUDA device (`device`, behind the feature `cuda`) and, in tests, on an emulator that runs the same
//! kernel sources on the CPU.
//!
//! In `f32` alone. Weights are read where PyTorch's layout has them in the flat tensor, without
//! padded units, so that the products write gradients to their places.
//!
//! # Memory
//!
//! ```text
//! activations [frames, linear]      gates [2, frames, 4·lstm]      cells, hidden [2, frames, lstm]
//! ```
//!
//! with both directions behind one another, frames as [`crate::Packing`] orders them.

#[cfg(feature = "cuda")]
pub(crate) mod device;
#[cfg(test)]
mod emulator;
pub(crate) mod encoder;
#[cfg(test)]
mod tests;

use std::ops::Range;

use candle_core::Result;

/// What the encoder needs of a device.
pub(crate) trait Gpu {
    /// Memory of `f32`.
    type Floats: 'static;
    /// Memory of `u32`.
    type Indices: 'static;

    /// Memory of whatever content.
    fn floats(&self, length: usize) -> Result<Self::Floats>;

    /// A copy in the device's memory.
    fn indices(&self, values: &[u32]) -> Result<Self::Indices>;

    /// A copy of the device's memory.
    fn read(&self, values: &Self::Floats) -> Result<Vec<f32>>;

    /// `out = left · right`, or `out += left · right`; `out` is row-major.
    fn multiply(
        &self,
        out: PartMut<'_, Self::Floats>,
        left: Factor<'_, Self::Floats>,
        right: Factor<'_, Self::Floats>,
        accumulate: bool,
    ) -> Result<()>;

    /// Runs a kernel with arguments in its order.
    fn launch(
        &self,
        kernel: &'static str,
        shape: Shape,
        arguments: Vec<Argument<'_, Self::Floats, Self::Indices>>,
    ) -> Result<()>;
}

/// A part of a device's memory.
#[derive(Debug)]
pub(crate) struct Part<'a, F> {
    /// All of it.
    pub(crate) memory: &'a F,
    /// Values of the part.
    pub(crate) range: Range<usize>,
}

impl<F> Clone for Part<'_, F> {
    fn clone(&self) -> Self {
        self.slice(0..self.range.len())
    }
}

impl<F> Part<'_, F> {
    /// A part of the part.
    pub(crate) fn slice(&self, range: Range<usize>) -> Self {
        let start = self.range.start;
        Self { memory: self.memory, range: start + range.start..start + range.end }
    }
}

/// As [`Part`], to write.
#[derive(Debug)]
pub(crate) struct PartMut<'a, F> {
    pub(crate) memory: &'a mut F,
    pub(crate) range: Range<usize>,
}

/// A factor of a product: a row-major matrix.
#[derive(Debug)]
pub(crate) struct Factor<'a, F> {
    pub(crate) values: Part<'a, F>,
    /// Values in a row.
    pub(crate) stride: usize,
    /// Whether the product takes the matrix with rows and columns exchanged.
    pub(crate) is_transposed: bool,
}

impl<'a, F> Factor<'a, F> {
    /// The part as a matrix of `stride` columns.
    pub(crate) fn new(values: Part<'a, F>, stride: usize) -> Self {
        Self { values, stride, is_transposed: false }
    }

    /// Rows and columns exchanged; nothing is moved.
    pub(crate) fn transposed(self) -> Self {
        Self { is_transposed: !self.is_transposed, ..self }
    }

    /// Rows and columns, as the product sees them.
    pub(crate) fn size(&self) -> (usize, usize) {
        let rows = self.values.range.len() / self.stride;
        if self.is_transposed { (self.stride, rows) } else { (rows, self.stride) }
    }
}

/// Blocks, threads in each, and bytes of shared memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) blocks: [usize; 2],
    pub(crate) threads: [usize; 2],
    pub(crate) shared: usize,
}

/// An argument of a kernel.
#[derive(Debug)]
pub(crate) enum Argument<'a, F, I> {
    /// `const float *`.
    Read(Part<'a, F>),
    /// `float *`.
    Write(PartMut<'a, F>),
    /// `const u32 *`.
    Indices(&'a I),
    /// `u32`.
    Count(u32),
    /// `u64`.
    Key(u64),
    /// `float`.
    Real(f32),
}
