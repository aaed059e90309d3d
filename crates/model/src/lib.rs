//! The network, its checkpoints and prediction.
//!
//! [`Network`] is METHOD's network as candle variables around one fused operator of
//! `ambivox-blstm`; [`Batch`] is what it reads; [`Checkpoint`] is what is left of it on disk. Nothing
//! here optimises anything: that is `ambivox-train`.

mod batch;
mod checkpoint;
mod error;
mod init;
mod network;
mod predict;
mod random;

pub use batch::{Batch, FRAMES_PER_BATCH, batches_by_length};
pub use checkpoint::{Checkpoint, Normalisation};
pub use error::ModelError;
pub use network::Network;
pub use predict::Prediction;
pub use random::generator;
