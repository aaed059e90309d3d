//! The models: one axis of an experiment, a file per kind.
//!
//! A [`Model`] is made into a [`Learner`], which is trained by rounds, and whose [`Predictor`] says how
//! probable each class is; a [`Checkpoint`] is what is left of one on disk, with the [`Scaling`] of its
//! input. A kind is a line of [`model`] and one of the table that reads checkpoints. What a model is
//! to learn, and for how long, is said by label rules and by the loop of training, which are not here.

use ambivox_settings::Arithmetic;

mod batch;
mod blstm_attention;
mod checkpoint;
mod descent;
mod error;
mod linear;
mod linear_svm;
mod mlp;
mod model;
mod predict;
mod probabilities;

pub use batch::{Batch, FRAMES_PER_BATCH, batches_by_length};
pub use blstm_attention::Network;
pub use checkpoint::{Checkpoint, NamedTensor};
pub use error::ModelError;
pub use linear::Linear;
pub use linear_svm::LinearSvm;
pub use linear_svm::inner_folds;
pub use mlp::Mlp;
pub use model::{Learner, Model, Predictor, Round, Shape, model};

pub use ambivox_nn::{MeanVariance, MinMax, Rows, Scaling, ScalingKind};
pub(crate) use model::one;
pub use predict::Prediction;

/// Chooses the instructions by which this whole process computes networks, before it computes any.
pub fn compute_by(arithmetic: Arithmetic) {
    if arithmetic == Arithmetic::Portable {
        ambivox_nn::compute_portably();
    }
}
