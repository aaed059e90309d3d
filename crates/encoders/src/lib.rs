//! Neural encoders of speech, from local folders in Hugging Face's form (`config.json`,
//! `model.safetensors`): samples of an utterance become the hidden states of every layer.
//!
//! What the states are used for is not known here.

mod elementwise;
mod encoder;
mod error;
mod linear;
mod weights;
mod whisper;

pub use ambivox_nn::compute_portably;
pub use encoder::Encoder;
pub use error::EncoderError;

/// Names of the files of a folder of Hugging Face's form that are read.
pub const FILES: [&str; 2] = ["config.json", weights::FILE];

pub use whisper::{Padding, Whisper};
