//! What every encoder does.

use std::fmt::Debug;

use candle_core::Tensor;

use crate::EncoderError;

/// An encoder with its weights, used by any number of threads at once.
pub trait Encoder: Debug + Send + Sync {
    /// How many hidden states there are: what enters the first layer, then what each layer gives.
    fn layers(&self) -> usize;

    /// Values of one frame of a hidden state.
    fn width(&self) -> usize;

    /// The hidden states of an utterance's samples (mono, 16 kHz, full scale ±1), each frames × width, in
    /// f32: the first is what enters the first layer, the last what `transformers` gives as
    /// `hidden_states[-1]`.
    ///
    /// # Errors
    /// The samples are too few for one frame, or a value is not finite.
    fn states(&self, samples: &[f32]) -> Result<Vec<Tensor>, EncoderError>;
}
