//! What networks are made of and trained with: the recurrent part as one candle operator, fully
//! connected layers ([`Dense`]), a [`Loss`], and Adam ([`Optimiser`]).
//!
//! # The operator
//!
//! [`Encoder::encode`] computes, for a mini-batch of utterances of any lengths,
//!
//! ```text
//! frames ─ Linear + ReLU ─ dropout ─ bidirectional LSTM ─ dropout ─ attention pooling ─→ one vector
//! ```
//!
//! with exact gradients for every parameter. It is one operator rather than a chain of small ones:
//! a recurrence of a thousand frames would otherwise be thousands of graph nodes, each with its own
//! buffers and its own gradient pass.
//!
//! # Data layout
//!
//! Utterances are sorted by falling length and stored time-major without padding ([`Packing`]):
//!
//! ```text
//! time        0           1         2       3
//! rows    a0 b0 c0    a1 b1 c1    a2 b2    a3        lengths: a = 4, b = 3, c = 2
//! ```
//!
//! so that a step of the recurrence works on consecutive rows, and no padded frame is ever computed.
//! Inside, the four gates of a unit lie side by side in blocks as wide as a vector register
//! (`panel`), so that the cell update happens in registers, right after the product with the
//! recurrent weights.
//!
//! # Devices
//!
//! Tensors on the CPU are worked there; those on an NVIDIA GPU by the kernels in `kernels/`, where
//! the crate is built with the feature `cuda`. [`gpu_or_cpu`] chooses a device. The kernels compute
//! the same function with the same dropout masks, but add in another order. They are tested on an
//! emulator and **have not yet run on a GPU**; `tests/gpu.rs` compares a GPU with the CPU:
//!
//! ```text
//! cargo test -p ambivox-nn --features cuda --test gpu -- --ignored
//! ```
//!
//! # Numbers
//!
//! The operator is generic over `f32` and `f64`; the latter is for checks. Results are the same bits
//! for any number of threads: work is divided into fixed pieces whose sums are added in a fixed
//! order. Vector instructions are chosen at run time (AVX-512, AVX2, NEON, portable) by `pulp`, and those
//! of the matrix products by `gemm`, which also cuts sums by the sizes of the caches; so bits are a
//! processor's own. [`compute_portably`] does without both, for bits that are not.

#![expect(
    clippy::inline_always,
    reason = "a function that is not inlined into the dispatched one loses its vector instructions"
)]

mod arena;
mod arithmetic;
mod attention;
mod backward;
#[cfg(any(test, feature = "cuda"))]
mod cuda;
mod dense;
mod dims;
mod dropout;
mod elementary;
mod error;
mod forward;
mod init;
mod kernel;
mod layers;
mod loss;
mod matmul;
mod op;
mod optimiser;
mod packing;
mod panel;
mod parameters;
mod product;
mod random;
mod real;
mod recurrence;
mod rows;
mod scaling;
mod state;
mod targets;

pub use arithmetic::compute_portably;
pub use dims::{Dims, TensorSlot};
pub use dropout::Dropout;
pub use elementary::{exp, log, log_softmax, mean, softplus};
pub use error::NnError;
pub use init::{theta, uniform};
pub use layers::{Dense, HiddenDropout, Layer, vectors};
pub use loss::{CrossEntropy, Loss};
pub use matmul::{Matrix, product_into};
pub use op::{Encoded, Encoder, gpu_or_cpu};
pub use optimiser::{Optimiser, OptimiserState};
pub use packing::Packing;
pub use parameters::Parameters;
pub use product::product;
pub use random::{rng, seed_of_fold};
pub use rows::{Rows, Values, read};
pub use scaling::{MeanVariance, MinMax, Scaling, ScalingKind};
pub use state::State;
pub use targets::Targets;
