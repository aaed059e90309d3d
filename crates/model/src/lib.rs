//! The networks, their checkpoints and prediction.
//!
//! [`Network`] is METHOD's network as candle variables around one fused operator of
//! `ambivox-blstm`; [`Batch`] is what it reads; [`Checkpoint`] is what is left of it on disk.
//! [`Dense`] is a network of fully connected layers for utterances that are one vector each, scaled
//! by [`MinMax`]; a classifier of such vectors goes to disk as a [`FunctionalsCheckpoint`]. Nothing
//! here optimises anything: that is `ambivox-train`.

use ambivox_settings::Arithmetic;

mod batch;
mod checkpoint;
mod dense;
mod error;
mod init;
mod min_max;
mod network;
mod predict;
mod random;

pub use ambivox_blstm::{log_softmax, mean, softplus};
pub use batch::{Batch, FRAMES_PER_BATCH, batches_by_length};
pub use checkpoint::{Checkpoint, FunctionalsCheckpoint, Normalisation};
pub use dense::{Dense, HiddenDropout, rows};
pub use error::ModelError;
pub use min_max::MinMax;
pub use network::Network;
pub use predict::{Prediction, probabilities};
pub use random::generator;

/// Chooses the instructions by which this whole process computes networks, before it computes any.
pub fn compute_by(arithmetic: Arithmetic) {
    if arithmetic == Arithmetic::Portable {
        ambivox_blstm::compute_portably();
    }
}
