//! The models: one axis of an experiment, a file per kind.
//!
//! A [`Model`] is made into a [`Learner`], which is trained by rounds, and whose [`Predictor`] says how
//! probable each class is; a [`Checkpoint`] is what is left of one on disk, with the [`Scaling`] of its
//! input. A kind is a file of its own and a line of [`MODELS`]. What a model is to learn, and for how long, is
//! said by label rules and by the loop of training, which are not here.

use ambivox_settings::Arithmetic;

mod batch;
mod checkpoint;
mod descent;
mod error;
mod model;
mod predict;
mod together;

pub use batch::{Batch, FRAMES_PER_BATCH, batches_by_length};
pub use checkpoint::{Checkpoint, Fault, Metadata, NamedTensor, Tensors, key};
pub use error::ModelError;
pub use model::attention_pooling::{AttentionPooling, AttentionPoolingSettings};
pub use model::blstm_attention::{AttentionOver, DropoutMask, Network, NetworkSettings};
pub use model::linear::{Linear, LinearSettings};
pub use model::linear_svm::{LinearSvm, LinearSvmSettings, inner_folds};
pub use model::mlp::{Mlp, MlpSettings};
pub use model::probabilities::ProbabilitiesSettings;
pub use model::{
    Learner, MODELS, Model, ModelKind, Predictor, Reader, Round, Shape, model, plan_model,
};

pub use ambivox_nn::{MeanVariance, MinMax, Rows, Scaling, ScalingKind, Values};
pub use predict::Prediction;
pub use together::together;

/// Chooses the instructions by which this whole process computes networks, before it computes any.
pub fn compute_by(arithmetic: Arithmetic) {
    if arithmetic == Arithmetic::Portable {
        ambivox_nn::compute_portably();
    }
}
