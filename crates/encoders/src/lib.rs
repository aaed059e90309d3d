//! Neural encoders of speech, from local folders in Hugging Face's form (`config.json`,
//! `model.safetensors`): samples of an utterance become the hidden states of every layer.
//!
//! What the states are used for is not known here.

#![expect(
    clippy::inline_always,
    reason = "a function that is not inlined into the dispatched one loses its vector instructions"
)]

mod activation;
mod attention;
mod encoder;
mod error;
mod layer;
mod linear;
mod norm;
mod open;
mod rows;
mod scope;
mod wav2vec2;
mod weights;
mod whisper;

pub use ambivox_nn::compute_portably;
pub use encoder::Encoder;
pub use error::EncoderError;
pub use open::{Description, describe, open};
pub use whisper::{Padding, Whisper};

/// Names of the files of a folder of Hugging Face's form that are read; some encoders do without the last.
pub const FILES: [&str; 3] = ["config.json", weights::FILE, PREPROCESSOR];

/// What becomes of samples first.
const PREPROCESSOR: &str = "preprocessor_config.json";
